//! What the process promises, tried on simulated traffic with fixed seeds.

mod clusters;
mod combined;
mod concurrent;
mod drift;
mod figures;
mod history;
pub(super) mod importance;
mod low_traffic;
mod persistence;
mod power;
mod rare;
mod validity;

use std::time::Duration;

use super::ErrorProcess;
use crate::colour::Colour;
use crate::observation::Observation;

pub(super) const MINUTES_5: Duration = Duration::from_secs(300);

/// splitmix64: all the randomness these tests need, the same on every machine.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn bad(&mut self, rate: f64) -> bool {
        self.unit() < rate
    }
}

/// A finished request of the candidate.
pub(super) fn request(bad: bool) -> Observation {
    Observation::new(0, Colour::Green, 1, bad)
}

/// The elapsed time of request number `i` at 1,000 requests a second.
pub(super) fn at_1000_rps(i: u64) -> Duration {
    Duration::from_millis(i)
}

/// Requests until the process is bad when they fail independently at `rate`; `None` within `limit`.
pub(super) fn requests_to_detect(process: &mut ErrorProcess, rng: &mut Rng, rate: f64, limit: u64) -> Option<u64> {
    let before = process.requests();
    for i in 0..limit {
        process.observe(at_1000_rps(before + i), rng.bad(rate));
        if process.is_bad() {
            return Some(i + 1);
        }
    }
    None
}
