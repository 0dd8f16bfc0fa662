//! What the latency evidence promises, tried on simulated waits with fixed seeds.

mod clusters;
mod data;
mod figures;
mod healthy;
mod persistence;
mod validity;

use super::super::tests::{MINUTES_5, Rng, at_1000_rps};
use super::{LatencyHistory, LatencyProcess};

pub(super) const NOW: u64 = 1_700_000_000_000;

/// Half of 1e-6, for all limits together.
const BOUND_ALPHA: f64 = 5e-7;

/// Waits whose logarithm is normal, in milliseconds.
#[derive(Clone, Copy)]
struct LogNormal {
    median: f64,
    sigma: f64,
}

const MEDIAN_40: LogNormal = LogNormal { median: 40.0, sigma: 0.5 };

impl LogNormal {
    /// One wait, in whole milliseconds.
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    fn wait(self, rng: &mut Rng) -> u32 {
        // Box and Muller's transform; 1 - unit is in (0, 1].
        let radius = (-2.0 * (1.0 - rng.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * rng.unit()).cos();
        (self.median * (self.sigma * normal).exp()) as u32
    }

    fn slower(self, factor: f64) -> Self {
        Self { median: self.median * factor, ..self }
    }
}

/// The history of `n` requests, one each `gap_millis`; `request` gives the group and the wait of each.
fn history(n: u64, gap_millis: u64, mut request: impl FnMut() -> (u8, u32)) -> LatencyHistory {
    let mut history = LatencyHistory::new();
    for i in 0..n {
        let (group, wait) = request();
        history.observe(NOW + i * gap_millis, group, wait);
    }
    history
}

/// The history of `n` requests of a single group, a hundred a second.
fn log_normal_history(n: u64, waits: LogNormal) -> LatencyHistory {
    let mut rng = Rng(20);
    history(n, 10, || (0, waits.wait(&mut rng)))
}

fn process(history: &LatencyHistory) -> LatencyProcess {
    LatencyProcess::new(history, 1.2, BOUND_ALPHA, 2e6, MINUTES_5).unwrap()
}

/// The same after its warm-up, which took `elapsed` at 1,000 requests a second.
fn warm(history: &LatencyHistory) -> LatencyProcess {
    let mut process = process(history);
    (0..super::WARM_UP_REQUESTS).for_each(|i| process.observe(at_1000_rps(i), 0, 0));
    assert!(!process.is_warming_up());
    process
}
