//! Two generations of a measurement: what is old is forgotten in halves.
//!
//! ```text
//!   previous [ 12 h or 100,000 requests ]   current [ filling ... ]   --> when full, previous = current
//! ```

/// A generation ends after 12 hours, so that nothing is older than 24.
const HALF_A_DAY_MILLIS: u64 = 12 * 3_600_000;
/// A generation ends with this many requests, so that at most twice as many are remembered.
pub(super) const HALF_OF_REQUESTS: u64 = super::super::MAX_REQUESTS / 2;
/// Requests may be reported this late or out of order; a clock that is further back was set back.
const LATE_MILLIS: u64 = 2 * 60_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Aged<T> {
    /// When the current generation began, in milliseconds since 1970.
    pub(super) since_millis: u64,
    pub(super) current: T,
    pub(super) previous: T,
}

impl<T: Default> Aged<T> {
    /// Forgets what is too old at this wall-clock time, and says whether it did.
    ///
    /// A clock that was set back takes the measurement along with it; one that was set forward ages it.
    pub(super) fn follow_clock(&mut self, unix_millis: u64) -> bool {
        if unix_millis.saturating_add(LATE_MILLIS) < self.since_millis {
            self.since_millis = unix_millis;
        }
        match unix_millis.saturating_sub(self.since_millis) / HALF_A_DAY_MILLIS {
            0 => return false,
            1 => {
                self.previous = std::mem::take(&mut self.current);
                self.since_millis += HALF_A_DAY_MILLIS;
            }
            _ => *self = Self { since_millis: unix_millis, ..Self::default() },
        }
        true
    }

    /// Ends the current generation because it is full.
    pub(super) fn turn(&mut self, unix_millis: u64) {
        self.previous = std::mem::take(&mut self.current);
        self.since_millis = unix_millis;
    }

    pub(super) const fn both(&self) -> [&T; 2] {
        [&self.current, &self.previous]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_for_more_than_a_day_and_everything_for_half_of_one() {
        let check = |later, kept: [u32; 2]| {
            let mut aged = Aged { since_millis: 1_000, current: 2, previous: 1 };
            assert_eq!(aged.follow_clock(1_000 + later), kept != [2, 1]);
            assert_eq!([aged.current, aged.previous], kept, "{later} ms later");
            assert!(!aged.follow_clock(1_000 + later), "once is enough");
        };
        check(0, [2, 1]);
        check(HALF_A_DAY_MILLIS - 1, [2, 1]);
        check(HALF_A_DAY_MILLIS, [0, 2]);
        check(2 * HALF_A_DAY_MILLIS - 1, [0, 2]);
        check(2 * HALF_A_DAY_MILLIS, [0, 0]);
    }

    #[test]
    fn a_clock_that_was_set_back_takes_the_measurement_along() {
        let mut aged = Aged { since_millis: 10 * HALF_A_DAY_MILLIS, current: 2, previous: 1 };
        assert!(!aged.follow_clock(1_000));
        assert_eq!([aged.current, aged.previous], [2, 1]);
        assert!(aged.follow_clock(1_000 + HALF_A_DAY_MILLIS));
        assert_eq!([aged.current, aged.previous], [0, 2]);
    }
}
