//! The old colour's waits on one route group, and what counts as slow there while more are measured.

use super::Quantile;
use super::aged::{Aged, HALF_OF_REQUESTS};
use super::histogram::{Histogram, exceeded_by};

/// A quantile is taken once this many waits should exceed it: 300 waits for p90, 3,000 for p99. With fewer, its own
/// error would look like clusters.
const EXCEEDING: u64 = 30;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) waits: Aged<Histogram>,
    /// The quantiles as last taken; what exceeds them is slow, for the old colour's own dispersion.
    usual: [Option<u32>; 2],
    /// After so many more waits they are taken anew.
    fresh_for: u64,
}

impl Group {
    pub(super) fn of(waits: Aged<Histogram>) -> Self {
        let mut group = Self { waits, ..Self::default() };
        group.measure();
        group
    }

    pub(super) fn n(&self) -> u64 {
        self.waits.both().map(Histogram::n).iter().sum()
    }

    /// A wait that at most `above` of those remembered exceed.
    pub(super) fn exceeded_by(&self, above: u64) -> u32 {
        exceeded_by(above, self.waits.both())
    }

    /// Takes in one wait and says of each quantile whether it exceeds what was usual before it; `None` where that is
    /// not known yet.
    pub(super) fn observe(&mut self, unix_millis: u64, wait_ms: u32) -> [Option<bool>; 2] {
        self.follow_clock(unix_millis);
        let slow = self.usual.map(|usual| Some(wait_ms > usual?));
        self.waits.current.add(wait_ms);
        if self.waits.current.n() >= HALF_OF_REQUESTS {
            self.waits.turn(unix_millis);
        }
        match self.fresh_for.checked_sub(1) {
            Some(left) => self.fresh_for = left,
            None => self.measure(),
        }
        slow
    }

    pub(super) fn follow_clock(&mut self, unix_millis: u64) {
        if self.waits.follow_clock(unix_millis) {
            self.measure();
        }
    }

    /// Takes the quantiles: often while there are few waits, then after each thousand.
    fn measure(&mut self) {
        let n = self.n();
        self.usual = Quantile::ALL.map(|quantile| {
            let exceeding = n / quantile.one_in();
            (exceeding >= EXCEEDING).then(|| self.exceeded_by(exceeding))
        });
        self.fresh_for = (n / 8).clamp(10, 1_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_follows_the_waits_and_is_unknown_while_there_are_few() {
        let mut group = Group::default();
        let slow: Vec<_> = (0..4_000).map(|i| group.observe(1_000, i % 100)).collect();
        assert_eq!(slow[299], [None, None]);
        assert_eq!((slow[2_089], slow[2_091]), ([Some(false), None], [Some(true), None]));
        // 98 and 99 share a bucket.
        assert_eq!((slow[3_889], slow[3_899]), ([Some(false); 2], [Some(true), Some(false)]));
        for _ in 0..4_000 {
            group.observe(1_000, 500);
        }
        assert_eq!(group.observe(1_000, 450), [Some(false); 2], "slow has become usual");
        assert_eq!(group.observe(48 * 3_600_000, 450), [None; 2], "a day later all is forgotten");
        assert_eq!(group.n(), 1);
    }

    #[test]
    fn at_most_two_hundred_thousand_waits_are_remembered() {
        let mut group = Group::default();
        for i in 0..300_000 {
            group.observe(1_000, if i < 150_000 { 5 } else { 10 });
            assert!(group.n() <= 2 * HALF_OF_REQUESTS);
        }
        assert_eq!(group.n(), 100_000, "the current generation has just begun");
        assert_eq!(group.exceeded_by(90_000), 10);
    }
}
