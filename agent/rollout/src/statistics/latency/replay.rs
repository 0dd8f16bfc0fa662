//! The old colour's own requests, betted on as if it were a candidate: how high do its clusters alone carry a bettor?
//!
//! ```text
//!   ln of wealth since its last low   __/\_______/|______   a pause of 40 requests
//!                                     independent: below ln n
//! ```
//!
//! D is a mean over all blocks: pauses that are rare among many requests that are slow for no reason hardly move it, and
//! yet one of them can look like proof. The highest rise within n requests is what such bets must be divided by.

use super::super::mixture::{BETTORS, Factors};
use super::super::power::Bets;
use super::Quantile;

/// Bets of one quantile at full strength, each wealth never below where it started.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Replay {
    ln_good: Factors,
    ln_bad: Factors,
    /// ln of each bettor's wealth over its lowest since the start, at least 0.
    risen: Factors,
}

impl Replay {
    pub(super) fn new(quantile: Quantile) -> Self {
        let Bets { ln_good, ln_bad, .. } = Bets::new(quantile.tolerated(), 1.0);
        Self { ln_good, ln_bad, risen: [0.0; BETTORS] }
    }

    /// Settles one request; the answer is the highest of the bettors.
    pub(super) fn settle(&mut self, slow: bool) -> f64 {
        let factors = if slow { &self.ln_bad } else { &self.ln_good };
        let mut highest = 0.0_f64;
        for (risen, factor) in self.risen.iter_mut().zip(factors) {
            *risen = (*risen + factor).max(0.0);
            highest = highest.max(*risen);
        }
        highest
    }

    pub(super) const fn reset(&mut self) {
        self.risen = [0.0; BETTORS];
    }
}

/// The D that divides by as much as a rise of `risen` within `n` requests and so many blocks calls for.
///
/// Were the requests independent and no more of them slow than tolerated, then each bettor's wealth would be a
/// supermartingale and rise by about ln n within n requests. What is above that is owed to clusters. There may be as few
/// as one in each block, and the highest of so many is ln(blocks) times as high as the mean of the exponential law that
/// the highest ones follow; divided by that mean, the law is the one a supermartingale has. The divisor is 2 D - 1
/// ([`super::super::ErrorProcess::new`]).
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn dispersion(risen: f64, n: u64, blocks: u64) -> f64 {
    let by_chance = (n.max(1) as f64).ln();
    let divisor = 1.0 + (risen - by_chance).max(0.0) / (blocks.max(3) as f64).ln();
    f64::midpoint(divisor, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_rises_by_its_length_and_is_forgotten_after() {
        let mut replay = Replay::new(Quantile::P90);
        let rise = (0..40).map(|_| replay.settle(true)).fold(0.0, f64::max);
        assert!((rise - 40.0 * (0.98_f64 / 0.125).ln()).abs() < 1e-9, "{rise}");
        let after = (0..1_000).map(|_| replay.settle(false)).fold(f64::INFINITY, f64::min);
        assert_eq!(after, 0.0);
        replay.settle(true);
        replay.reset();
        assert_eq!(replay, Replay::new(Quantile::P90));
    }

    #[test]
    fn only_what_is_above_chance_divides() {
        assert!((dispersion(10_000_f64.ln(), 10_000, 100) - 1.0).abs() < 1e-9);
        assert!((dispersion(10_000_f64.ln() + 4.0 * 100_f64.ln(), 10_000, 100) - 3.0).abs() < 1e-9);
        assert_eq!(dispersion(0.0, 0, 0), 1.0);
    }
}
