//! Which answers are bad, beyond decision section 1, by component.

use std::ops::RangeInclusive;

/// What makes an answer of a component bad: a set of statuses, and whether a retry does.
///
/// Only answers are judged by it. A request that the server's side ended, that found no server, or that waited
/// longer than its limit is bad whatever this says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadWhen {
    /// One bit a status, 0 to 999.
    statuses: [u64; Self::WORDS],
    retries: bool,
}

impl BadWhen {
    /// Of 64 statuses each.
    const WORDS: usize = 16;

    /// Server errors (500 and above) are bad, and so are all of `bad`; those of `good` are not, also where `bad` or
    /// the rule has them. With `retries`, a request that had to be repeated is bad although its answer is not.
    #[must_use]
    pub fn new(bad: &[RangeInclusive<u16>], good: &[RangeInclusive<u16>], retries: bool) -> Self {
        let mut statuses = [0; Self::WORDS];
        let is_in = |ranges: &[RangeInclusive<u16>], status: u16| ranges.iter().any(|range| range.contains(&status));
        for (word, bits) in (0_u16..).zip(&mut statuses) {
            for bit in 0..64 {
                let status = word * 64 + bit;
                if (status >= 500 || is_in(bad, status)) && !is_in(good, status) {
                    *bits |= 1 << bit;
                }
            }
        }
        Self { statuses, retries }
    }

    /// Whether an answer with this status is bad; one that is no status (-1: none was sent) is not.
    #[must_use]
    pub fn is_bad(&self, status: i64) -> bool {
        let Ok(status) = usize::try_from(status) else { return false };
        self.statuses.get(status / 64).is_none_or(|bits| bits >> (status % 64) & 1 == 1)
    }

    /// Whether a request that had to be repeated is bad.
    #[must_use]
    pub const fn counts_retries(&self) -> bool {
        self.retries
    }
}

impl Default for BadWhen {
    /// Decision section 1: server errors and retries.
    fn default() -> Self {
        Self::new(&[], &[], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_bad_and_lists_add_and_take_away() {
        let check = |bad: &[RangeInclusive<u16>], good: &[RangeInclusive<u16>], statuses: &[i64]| {
            let when = BadWhen::new(bad, good, true);
            let all = [-1, 0, 100, 200, 304, 404, 429, 499, 500, 501, 503, 599, 999, 1000];
            let found: Vec<i64> = all.into_iter().filter(|&status| when.is_bad(status)).collect();
            assert_eq!(found, statuses, "bad {bad:?}, good {good:?}");
        };
        check(&[], &[], &[500, 501, 503, 599, 999, 1000]);
        check(&[429..=429], &[501..=501], &[429, 500, 503, 599, 999, 1000]);
        check(&[400..=499], &[404..=404, 500..=599], &[429, 499, 999, 1000]);
        check(&[], &[500..=503], &[599, 999, 1000]);
        assert_eq!(BadWhen::default(), BadWhen::new(&[], &[], true));
        assert!(BadWhen::default().counts_retries() && !BadWhen::new(&[], &[], false).counts_retries());
    }
}
