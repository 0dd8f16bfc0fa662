//! How long to wait before the next attempt: exponential, capped, with full jitter.
//!
//! The wait is drawn evenly from zero to `base * 2^failures`, so that a thousand clients that lost the same service do not
//! come back together (M. Brooker, "Exponential Backoff and Jitter", AWS 2015: "full jitter").

use std::time::Duration;

/// After this long without a failure the next one counts as the first.
const HEALTHY: Duration = Duration::from_secs(60);

/// Counts failures. Knows no clock: `now` is the time since the client started.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
    well_since: Option<Duration>,
}

impl Backoff {
    pub(super) const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0, well_since: None }
    }

    /// Failures since the last time that all was well for a minute.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Something worked.
    pub(super) fn succeeded(&mut self, now: Duration) {
        self.well_since.get_or_insert(now);
    }

    /// Something failed: how long to wait. `random` is evenly distributed over all of `u64`.
    pub(super) fn failed(&mut self, now: Duration, random: u64) -> Duration {
        if self.well_since.take().is_some_and(|since| now.saturating_sub(since) >= HEALTHY) {
            self.failures = 0;
        }
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        share(ceiling, random)
    }
}

/// A part of `whole`: zero for 0, all but all of it for `u64::MAX`.
pub(super) fn share(whole: Duration, random: u64) -> Duration {
    let nanos = (whole.as_nanos() * u128::from(random)) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// `middle`, give or take a tenth: what happens regularly in many processes must not happen in step.
pub(super) fn about(middle: Duration, random: u64) -> Duration {
    middle.mul_f64(0.9) + share(middle.mul_f64(0.2), random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: Duration = Duration::from_millis(250);
    const CAP: Duration = Duration::from_secs(30);

    /// The longest possible waits after failures at these seconds, in milliseconds.
    fn check(moments: &[(u64, bool)], expected: &[u64]) {
        let mut backoff = Backoff::new(BASE, CAP);
        let mut waits = Vec::new();
        for &(second, worked) in moments {
            let now = Duration::from_secs(second);
            if worked {
                backoff.succeeded(now);
            } else {
                waits.push(u64::try_from(backoff.failed(now, u64::MAX).as_micros().div_ceil(1000)).unwrap());
            }
        }
        assert_eq!(waits, expected, "{moments:?}");
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let failures: Vec<(u64, bool)> = (0..9).map(|second| (second, false)).collect();
        check(&failures, &[250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    #[test]
    fn a_minute_of_health_forgets_failures_and_less_does_not() {
        check(&[(0, false), (1, false), (2, true), (62, false)], &[250, 500, 250]);
        check(&[(0, false), (1, false), (2, true), (61, false)], &[250, 500, 1_000]);
        check(&[(0, false), (1, true), (40, true), (62, false)], &[250, 250]);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_cap(failures in 1..200_u32, random: u64) {
            let mut backoff = Backoff::new(BASE, CAP);
            for _ in 0..failures {
                prop_assert!(backoff.failed(Duration::ZERO, random) <= CAP);
            }
        }

        #[test]
        fn about_is_within_a_tenth(seconds in 1..3600_u64, random: u64) {
            let middle = Duration::from_secs(seconds);
            let drawn = about(middle, random);
            prop_assert!(drawn >= middle.mul_f64(0.899) && drawn <= middle.mul_f64(1.101));
        }
    }
}
