//! What `teal demo --json` prints: one object on the last line.

use std::time::Duration;

use serde::Serialize;
use teal_rollout::document::Outcome;

use super::load::{Cut, Exposure};

/// The whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// In order; the first deployment, which has nothing to be compared with, is not among them.
    pub releases: Vec<ReleaseReport>,
    /// Whether the load generator kept its own schedule all through; the figures mean nothing otherwise.
    pub valid: bool,
    /// Requests a second.
    pub rps: u32,
    /// Length of a watch.
    pub watch_seconds: u64,
    /// Seed of the load's jitter and of the sample app's dice.
    pub seed: u64,
    /// Version of the edge.
    pub haproxy: String,
    /// What the old colour is taken to have done before.
    pub baseline: Baseline,
}

/// History that was not lived through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// Always true: nobody waits a day for a demo.
    pub seeded: bool,
    /// Requests.
    pub requests: u64,
    /// Bad ones among them.
    pub bad: u64,
}

impl Baseline {
    /// 0.5 % of 30,000 bad, as in the figures that the decision rules were designed to.
    pub const SEEDED: Self = Self { seeded: true, requests: 30_000, bad: 150 };
}

/// One release, from the order to its end and a second beyond. Requests are counted by when they were sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReleaseReport {
    /// The version before.
    pub from: Option<String>,
    /// The version released.
    pub to: String,
    /// `completed`, `rolled_back`, `kept` or `aborted`.
    pub result: Outcome,
    /// Requests sent, to whichever version.
    pub requests: u64,
    /// Of these, failed for the user: lost, or answered with 500 or above.
    pub bad: u64,
    /// Of the bad, without a complete response.
    pub lost: u64,
    /// After a rollback: from when the first bad request was sent until the last was sent that reached `to`.
    pub time_to_off_ms: Option<f64>,
    /// After a rollback: requests to `to` from its first bad one until the agent's verdict; where the agent does not
    /// tell, until traffic was off it.
    pub requests_to_detect: Option<u64>,
    /// The error rate in percent that would have been noticed with 95 % probability.
    pub exclude_above_percent: Option<f64>,
    /// What was wrong with `to`.
    pub fault: String,
    /// Why the agent took it back.
    pub cause: Option<String>,
    /// From the intended start to the end of the answer.
    pub latency_ms: LatencyReport,
    /// 99th percentile of how late the load generator itself was.
    pub lateness_p99_ms: f64,
    /// Why the figures of this release mean nothing, if so.
    pub invalid: Option<String>,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyReport {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Greatest.
    pub max: f64,
}

/// What the agent said of a release that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The version before.
    pub from: Option<String>,
    /// How it ended.
    pub result: Outcome,
    /// Why, when it was taken back.
    pub cause: Option<String>,
    /// Requests of the new version that it had seen by then.
    pub judged: Option<u64>,
    /// The error rate in percent that would have been noticed.
    pub exclude_above_percent: Option<f64>,
}

impl ReleaseReport {
    /// Puts together what the agent said and what the load saw.
    #[must_use]
    pub fn new(to: String, fault: String, told: Told, cut: &Cut, exposure: Option<Exposure>) -> Self {
        let exposure = exposure.filter(|_| told.result == Outcome::RolledBack);
        let [p50, p99, max] = cut.latency.map(millis);
        Self {
            from: told.from,
            to,
            result: told.result,
            requests: cut.counts.all.requests,
            bad: cut.counts.all.bad,
            lost: cut.counts.all.lost,
            time_to_off_ms: exposure.map(|exposure| millis(exposure.time_to_off)),
            requests_to_detect: exposure
                .map(|seen| told.judged.map_or(seen.requests, |judged| judged.saturating_sub(seen.before))),
            exclude_above_percent: told.exclude_above_percent,
            fault,
            cause: told.cause,
            latency_ms: LatencyReport { p50, p99, max },
            lateness_p99_ms: millis(cut.lateness),
            invalid: cut.valid().err().map(|invalid| invalid.to_string()),
        }
    }

    /// Whether the version serves after it.
    #[must_use]
    pub const fn stayed(&self) -> bool {
        matches!(self.result, Outcome::Completed | Outcome::Kept)
    }

    /// Whether a version without a fault stayed, or one with a fault did not.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.stayed() == (self.fault == "none")
    }
}

/// To a microsecond, which is what the clock of the load gives.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::load::{Counts, Tally};

    fn cut() -> Cut {
        let ms = Duration::from_millis;
        let mut counts = Counts::default();
        counts.all = Tally { requests: 2314, bad: 11, lost: 0 };
        Cut { counts, latency: [ms(1), ms(3), ms(19)], lateness: Duration::from_micros(1234) }
    }

    fn told(result: Outcome) -> Told {
        Told {
            from: Some("v2".to_owned()),
            result,
            cause: Some("errors of app".to_owned()),
            judged: None,
            exclude_above_percent: Some(5.1),
        }
    }

    const EXPOSURE: Exposure =
        Exposure { time_to_off: Duration::from_micros(54_321), before: 1000, requests: 12, bad: 11 };

    #[test]
    fn the_object_has_the_shape_that_scripts_rely_on() {
        let release = ReleaseReport::new(
            "v3".to_owned(),
            "errors=100%".to_owned(),
            told(Outcome::RolledBack),
            &cut(),
            Some(EXPOSURE),
        );
        let report = Report {
            releases: vec![release],
            valid: true,
            rps: 200,
            watch_seconds: 10,
            seed: 1,
            haproxy: "2.6.12".to_owned(),
            baseline: Baseline::SEEDED,
        };
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            serde_json::json!({
                "releases": [{
                    "from": "v2", "to": "v3", "result": "rolled_back", "requests": 2314, "bad": 11, "lost": 0,
                    "time_to_off_ms": 54.321, "requests_to_detect": 12, "exclude_above_percent": 5.1,
                    "fault": "errors=100%", "cause": "errors of app",
                    "latency_ms": {"p50": 1.0, "p99": 3.0, "max": 19.0}, "lateness_p99_ms": 1.234, "invalid": null
                }],
                "valid": true, "rps": 200, "watch_seconds": 10, "seed": 1, "haproxy": "2.6.12",
                "baseline": {"seeded": true, "requests": 30_000, "bad": 150}
            })
        );
    }

    #[test]
    fn only_a_rollback_has_a_time_to_off_and_the_agents_own_count_goes_first() {
        let new = |told| ReleaseReport::new("v3".to_owned(), "none".to_owned(), told, &cut(), Some(EXPOSURE));
        let completed = new(told(Outcome::Completed));
        assert_eq!((completed.time_to_off_ms, completed.requests_to_detect), (None, None));
        let rolled_back = new(Told { judged: Some(1004), ..told(Outcome::RolledBack) });
        assert_eq!(rolled_back.requests_to_detect, Some(4));
    }

    #[test]
    fn a_good_version_should_stay_and_a_bad_one_should_not() {
        let check = |fault: &str, result, expected| {
            let report = ReleaseReport::new("v3".to_owned(), fault.to_owned(), told(result), &cut(), None);
            assert_eq!(report.is_as_expected(), expected, "{fault} {result:?}");
        };
        check("none", Outcome::Completed, true);
        check("none", Outcome::Kept, true);
        check("none", Outcome::RolledBack, false);
        check("hang=100%", Outcome::RolledBack, true);
        check("crash=0", Outcome::Aborted, true);
        check("errors=1%", Outcome::Completed, false);
    }
}
