//! Sums over blocks of requests: all that a rate, and whether its events come in clusters, need.

/// Sums over blocks of n requests and k events, such as bad ones.
///
/// With at most 200,000 requests in all, every sum stays far below 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) n: u64,
    pub(super) k: u64,
    pub(super) nn: u64,
    pub(super) nk: u64,
    pub(super) kk: u64,
}

impl Sums {
    pub(super) const fn of_block(n: u64, k: u64) -> Self {
        Self { n, k, nn: n * n, nk: n * k, kk: k * k }
    }

    pub(super) const fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.k += other.k;
        self.nn += other.nn;
        self.nk += other.nk;
        self.kk += other.kk;
    }

    pub(super) const fn subtract(&mut self, other: &Self) {
        self.n -= other.n;
        self.k -= other.k;
        self.nn -= other.nn;
        self.nk -= other.nk;
        self.kk -= other.kk;
    }

    /// Whether blocks of `most` requests in all can have these sums; `most` is below 2^32.
    pub(super) const fn can_be_true(&self, most: u64) -> bool {
        let Self { n, k, nn, nk, kk } = *self;
        n <= most && k <= n && nn <= n * n && nk <= nn && kk <= nk
    }

    /// D: the variance of events per block over what independent events at the same rate and the same traffic would
    /// show. About 1 when they are independent; 1 too when there were none, or nothing else.
    ///
    /// Comparing with each block's own traffic (Pearson's statistic) keeps a burst of requests from being taken
    /// for a burst of events.
    pub(super) fn dispersion(&self) -> f64 {
        if self.k == 0 || self.k >= self.n {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "200,000 requests squared stay below 2^53")]
        let [n, k, nn, nk, kk] = [self.n, self.k, self.nn, self.nk, self.kk].map(|sum| sum as f64);
        let p = k / n;
        (kk - 2.0 * p * nk + p * p * nn) / (n * p * (1.0 - p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(blocks: &[(u64, u64)], dispersion: f64) {
        let mut sums = Sums::default();
        for &(n, k) in blocks {
            sums.add(&Sums::of_block(n, k));
        }
        assert!(sums.can_be_true(1_000), "{blocks:?}");
        assert!((sums.dispersion() - dispersion).abs() < 1e-9, "{blocks:?}: {}", sums.dispersion());
    }

    #[test]
    fn dispersion_compares_each_block_with_its_own_traffic() {
        check(&[], 1.0);
        check(&[(10, 0), (20, 0)], 1.0);
        check(&[(10, 10)], 1.0);
        // Each block exactly at the common rate.
        check(&[(10, 1), (100, 10)], 0.0);
        // (2 * 25) / (20 * 0.5 * 0.5): all in one block.
        check(&[(10, 10), (10, 0)], 10.0);
    }

    #[test]
    fn sums_that_no_blocks_have_are_recognized() {
        let sane = Sums::of_block(10, 3);
        assert!(sane.can_be_true(10));
        for broken in [
            Sums { n: 11, ..sane },
            Sums { k: 11, ..sane },
            Sums { nn: 101, ..sane },
            Sums { nk: 101, ..sane },
            Sums { kk: 31, ..sane },
        ] {
            assert!(!broken.can_be_true(10), "{broken:?}");
        }
    }
}
