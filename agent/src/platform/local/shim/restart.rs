//! When an instance that ended is started again, and when that has become a crash loop. Pure.

use std::time::Duration;

use crate::platform::local::settings::RestartPolicy;

/// Counts the runs of one instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restarts {
    policy: RestartPolicy,
    /// Runs in a row that ended before they had settled.
    short: u32,
}

impl Restarts {
    pub(super) const fn new(policy: RestartPolicy) -> Self {
        Self { policy, short: 0 }
    }

    /// A run has ended, or could not begin. Returns how long to wait before the next.
    pub(super) fn ended(&mut self) -> Duration {
        let doublings = self.short.min(31);
        self.short = self.short.saturating_add(1);
        self.policy.first.saturating_mul(1 << doublings).min(self.policy.longest)
    }

    /// A run has lasted long enough to be a good one.
    pub(super) fn settled(&mut self) {
        self.short = 0;
    }

    pub(super) const fn is_loop(&self) -> bool {
        self.short >= self.policy.crash_loop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_longest_and_a_settled_run_resets_it() {
        let mut restarts = Restarts::new(RestartPolicy::default());
        let waits: Vec<u128> = (0..8).map(|_| restarts.ended().as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        for _ in 0..100 {
            restarts.ended();
        }
        assert_eq!(restarts.ended(), Duration::from_secs(10));
        restarts.settled();
        assert_eq!(restarts.ended(), Duration::from_millis(200));
    }

    #[test]
    fn three_short_runs_in_a_row_are_a_crash_loop_until_one_settles() {
        let mut restarts = Restarts::new(RestartPolicy::default());
        let looping: Vec<bool> = (0..4)
            .map(|_| {
                restarts.ended();
                restarts.is_loop()
            })
            .collect();
        assert_eq!(looping, [false, false, true, true]);
        restarts.settled();
        assert!(!restarts.is_loop());
        restarts.ended();
        assert!(!restarts.is_loop());
    }
}
