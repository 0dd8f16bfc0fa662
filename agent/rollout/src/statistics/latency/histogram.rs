//! A histogram of waits whose buckets widen with the wait.
//!
//! ```text
//!   0 .. 63 ms exact | 64 .. by 2 ms | 128 .. by 4 ms | ... | 65,536 .. 120,000 by 2,048 ms
//! ```

/// The longest wait that is told apart, in milliseconds; anything longer counts as this.
pub const LONGEST_MS: u32 = 120_000;

/// Waits below this have a bucket each, and each doubling above it has half as many: none is wider than 1/32 of the
/// waits in it.
const EXACT: u32 = 64;
const PER_DOUBLING: u32 = EXACT / 2;
const DOUBLINGS: u32 = LONGEST_MS.ilog2() - EXACT.ilog2();
/// Buckets in all: 411.
pub(super) const BUCKETS: usize = bucket_of(LONGEST_MS) + 1;

/// How many waits of each length there were. Takes 1.6 KiB from the first wait on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Histogram {
    /// Empty until the first wait, then one for each bucket.
    counts: Vec<u32>,
    n: u64,
}

impl Histogram {
    pub(super) fn add(&mut self, wait_ms: u32) {
        self.add_to_bucket(bucket_of(wait_ms), 1);
    }

    /// `bucket` is below [`BUCKETS`]; counts stop at 2^32 - 1.
    pub(super) fn add_to_bucket(&mut self, bucket: usize, waits: u32) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(waits);
        self.n += u64::from(waits);
    }

    pub(super) const fn n(&self) -> u64 {
        self.n
    }

    fn count(&self, bucket: usize) -> u64 {
        self.counts.get(bucket).map_or(0, |count| u64::from(*count))
    }

    /// The buckets that are not empty, in ascending order, and what is in them.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, u32)> {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }
}

/// A wait in milliseconds that at most `above` of the waits in both histograms exceed: the least such upper edge of a
/// bucket, and so at most 1/32 above the order statistic, never below it.
pub(super) fn exceeded_by(above: u64, histograms: [&Histogram; 2]) -> u32 {
    let mut seen = 0;
    for bucket in (0..BUCKETS).rev() {
        seen += histograms.iter().map(|histogram| histogram.count(bucket)).sum::<u64>();
        if seen > above {
            return upper_edge(bucket);
        }
    }
    0
}

const fn bucket_of(wait_ms: u32) -> usize {
    let wait = if wait_ms > LONGEST_MS { LONGEST_MS } else { wait_ms };
    if wait < EXACT {
        return wait as usize;
    }
    let doubling = wait.ilog2() - EXACT.ilog2();
    // The leading bit and the five that follow it.
    let leading = wait >> (doubling + 1);
    (EXACT + doubling * PER_DOUBLING + leading - PER_DOUBLING) as usize
}

/// The longest wait of a bucket.
fn upper_edge(bucket: usize) -> u32 {
    let bucket = u32::try_from(bucket).unwrap_or(u32::MAX);
    if bucket < EXACT {
        return bucket;
    }
    let (doubling, rest) = ((bucket - EXACT) / PER_DOUBLING, (bucket - EXACT) % PER_DOUBLING);
    let edge = ((PER_DOUBLING + rest + 1) << (doubling.min(DOUBLINGS) + 1)) - 1;
    edge.min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_is_at_most_a_thirty_second_below_the_edge_of_its_bucket() {
        assert_eq!(BUCKETS, 411);
        for wait in 0..=LONGEST_MS {
            let bucket = bucket_of(wait);
            let edge = upper_edge(bucket);
            assert!(edge >= wait && edge - wait <= wait / 32, "{wait} ms is called {edge} ms");
            assert!(bucket == 0 || upper_edge(bucket - 1) < wait, "{wait} ms fits the bucket before, too");
        }
        assert_eq!(bucket_of(u32::MAX), BUCKETS - 1);
    }

    #[test]
    fn few_waits_exceed_what_is_said_and_as_few_as_asked_for() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        for wait in 1..=100 {
            if wait % 2 == 0 { one.add(wait) } else { other.add(wait) }
        }
        let check = |above, wait| assert_eq!(exceeded_by(above, [&one, &other]), wait, "{above} above");
        check(0, 101);
        check(1, 99);
        check(10, 91);
        check(50, 50);
        check(99, 1);
        check(100, 0);
        assert_eq!(exceeded_by(0, [&Histogram::default(), &Histogram::default()]), 0);
    }
}
