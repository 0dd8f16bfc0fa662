//! Teal's own requests to a candidate that few others ask: counted apart, and worth little beside real ones.
//!
//! They say that something is broken, never that all is well: they ask for what somebody thought of when the smoke suite
//! was written. So they can make a candidate bad, by a process of their own with a small part of the weight, and they
//! never count towards what a watch has to see.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bound::Counts;
use super::eprocess::ErrorProcess;
use crate::criteria::Criteria;

/// The part of alpha that is theirs, taken off what the requests may spend. It costs a candidate whose every probe fails
/// one probe more than all of it would.
pub const SAMPLES_WEIGHT: f64 = 0.1;

/// What the probes of one component's candidate have shown since the evidence last started.
///
/// The tolerated rate is the policy's `acceptable_error_rate`, because there is no history of probes; they come one at a
/// time, so there are no clusters to temper by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    process: ErrorProcess,
    /// The longest that one which passed took.
    slowest: Duration,
}

impl Samples {
    /// None yet. Alone they make a candidate bad at 2 / alpha / [`SAMPLES_WEIGHT`]; `nominal_watch` is how long the start
    /// mass is spread over.
    #[must_use]
    pub fn new(criteria: &Criteria, nominal_watch: Duration) -> Self {
        let process = ErrorProcess::new(criteria.acceptable_error_rate, 1.0, nominal_watch);
        Self { process: process.latching_at(2.0 / criteria.alpha / SAMPLES_WEIGHT), slowest: Duration::ZERO }
    }

    /// Judges one probe, answered `elapsed` after the switch (not decreasing). Nothing is judged any more once bad.
    pub fn observe(&mut self, elapsed: Duration, failed: bool, wait: Duration) {
        self.process.observe(elapsed, failed);
        if !failed {
            self.slowest = self.slowest.max(wait);
        }
    }

    /// Starts anew after a shared window, `elapsed` after the switch; see [`ErrorProcess::restart`].
    pub fn restart(&mut self, elapsed: Duration) {
        self.process.restart(elapsed);
        self.slowest = Duration::ZERO;
    }

    /// Probes answered since the last start, and how many of them failed.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts { n0: self.process.requests(), k0: self.process.bad() }
    }

    /// The longest that one which passed took.
    #[must_use]
    pub const fn slowest(&self) -> Duration {
        self.slowest
    }

    /// ln M of the probes alone; what it means for the whole is less by ln([`SAMPLES_WEIGHT`]).
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.process.log_m()
    }

    /// Whether the probes alone make the candidate bad.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        self.process.is_bad()
    }

    /// The error rate among what is probed that would have been found out by now with a probability of 95 %.
    #[must_use]
    pub fn excludable(&self) -> Option<f64> {
        self.process.excludable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(criteria: &Criteria, failed: impl Fn(u64) -> bool) -> (Samples, u64) {
        let mut samples = Samples::new(criteria, Duration::from_secs(300));
        let needed = (0..300).find(|second| {
            samples.observe(Duration::from_secs(*second), failed(*second), Duration::from_millis(20));
            samples.is_bad()
        });
        (samples, needed.map_or(0, |second| second + 1))
    }

    #[test]
    fn a_candidate_that_fails_every_probe_is_bad_after_a_few() {
        let check = |acceptable_error_rate, alpha, probes| {
            let criteria = Criteria { acceptable_error_rate, alpha, ..Criteria::default() };
            assert_eq!(after(&criteria, |_| true).1, probes, "{acceptable_error_rate} {alpha}");
        };
        check(0.05, 1e-6, 7);
        check(0.01, 1e-6, 5);
        check(0.05, 1e-4, 6);
    }

    #[test]
    fn probes_that_pass_say_what_they_exclude_and_a_new_start_forgets_them() {
        let (mut samples, _) = after(&Criteria::default(), |second| second == 0);
        assert_eq!((samples.counts(), samples.slowest()), (Counts { n0: 300, k0: 1 }, Duration::from_millis(20)));
        let excluded = samples.excludable().unwrap();
        assert!((0.1..0.2).contains(&excluded), "{excluded}");
        samples.restart(Duration::from_secs(300));
        assert_eq!((samples.counts(), samples.excludable()), (Counts::default(), None));
    }

    #[test]
    fn more_probes_exclude_more() {
        for (probes, percent) in [(10, 96), (30, 57), (60, 39), (180, 23), (300, 18)] {
            let mut samples = Samples::new(&Criteria::default(), Duration::from_secs(300));
            (0..probes).for_each(|second| samples.observe(Duration::from_secs(second), false, Duration::ZERO));
            let excluded = samples.excludable().unwrap() * 100.0;
            assert!((excluded - f64::from(percent)).abs() < 0.6, "{probes} probes exclude > {excluded} %");
        }
    }

    #[test]
    fn what_is_saved_goes_on_where_it_was() {
        let (samples, _) = after(&Criteria::default(), |second| second % 20 == 0);
        let saved = serde_json::to_string(&samples).unwrap();
        let back: Samples = serde_json::from_str(&saved).unwrap();
        assert_eq!((back.counts(), back.slowest()), (samples.counts(), samples.slowest()));
        assert!((back.log_m() - samples.log_m()).abs() < 1e-9 && back.excludable() == samples.excludable());
    }
}
