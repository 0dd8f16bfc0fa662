//! The false alarm of all parts together, at the edge of what each of them tolerates, by importance sampling.

use std::time::Duration;

use super::importance::{Sampled, Tilt};
use super::request;
use crate::criteria::Criteria;
use crate::observation::Observation;
use crate::statistics::{Evidence, History, LatencyProcess, Quantile};

const NOW: u64 = 1_700_000_000_000;
/// Longer than the latency's warm-up, so that all parts bet from the second request on.
const WARM: Duration = Duration::from_secs(31);

/// What a request comes to: on which side, in which route group, good or bad, and how slow.
const SIDES: usize = 2;
const GROUPS: usize = 2;
const FATES: usize = 2;
const WAITS: usize = 3;
const OUTCOMES: usize = SIDES * GROUPS * FATES * WAITS;

/// How likely each fate and each wait is, by side and group.
#[derive(Clone, Copy)]
struct Law {
    /// The candidate's part of the requests.
    share: f64,
    /// Errors of the old colour, and of the candidate's two groups.
    old: f64,
    new: [f64; GROUPS],
    /// Beyond the 90th percentile's limit only, and beyond the 99th's.
    slow: [f64; 2],
}

impl Law {
    fn outcomes(self) -> [f64; OUTCOMES] {
        std::array::from_fn(|outcome| {
            let (side, group, fate, wait) = parts(outcome);
            let bad = if side == 1 { self.new[group] } else { self.old };
            let waits = [1.0 - self.slow[0] - self.slow[1], self.slow[0], self.slow[1]];
            let of_side = if side == 1 { self.share } else { 1.0 - self.share };
            of_side * [0.8, 0.2][group] * if fate == 1 { bad } else { 1.0 - bad } * waits[wait]
        })
    }
}

fn parts(outcome: usize) -> (usize, usize, usize, usize) {
    (outcome % 2, outcome / 2 % 2, outcome / 4 % 2, outcome / 8)
}

/// An old colour that fails at 0.5 % in both groups and waits 1 to 100 ms, evenly.
fn history(criteria: &Criteria) -> History {
    let mut history = History::default();
    history.fit(&criteria.groups);
    for i in 0..200_000_u64 {
        let wait_ms = u32::try_from(i * 37 % 100 + 1).ok();
        let group = u8::from(i % 5 == 0);
        history.observe(NOW + i * 20, &Observation { group, wait_ms, ..request(i % 200 < 5 && i / 200 % 5 == i % 5) });
    }
    history
}

fn check(what: &str, share: f64) {
    let steps = share < 1.0;
    let criteria = Criteria { groups: vec!["route".into()], ..Criteria::default() };
    let mut begin = Evidence::new(&history(&criteria), &criteria, steps, Duration::from_secs(35));
    begin.step(share);
    let process = LatencyProcess::new(history(&criteria).waits(), 1.2, 1.25e-7, 5e6, WARM).unwrap();
    let limits = Quantile::ALL.map(|quantile| process.limit(quantile, 0).unwrap());
    let p0 = begin.tolerated().p0;
    // Both at once at their edges: the candidate's rate is the tolerated one, and rho times the old colour's.
    let healthy = Law { share, old: p0 / 1.5, new: [p0; 2], slow: [0.1125, 0.0125] };
    let mut laws = Vec::new();
    for factor in [1.7, 2.5, 4.0, 10.0, 40.0] {
        laws.push(Law { new: [p0 * factor; 2], ..healthy });
        laws.push(Law { new: [p0, (p0 * factor * 3.0).min(0.9)], ..healthy });
    }
    for [some, much] in [[0.18, 0.02], [0.25, 0.03], [0.4, 0.05], [0.6, 0.1], [0.1125, 0.03], [0.1, 0.06], [0.1, 0.2]] {
        laws.push(Law { slow: [some, much], ..healthy });
    }
    let tilt = |start| laws.iter().map(move |law| Tilt { start, law: law.outcomes() });
    let sampled = Sampled {
        healthy: healthy.outcomes(),
        tilts: [0, 500, 1_000].into_iter().flat_map(tilt).collect(),
        runs: 6_000,
        horizon: 2_000,
        seed: 41,
    };
    let (estimate, error) = sampled.probability(
        || begin.clone(),
        |evidence, i, outcome| {
            let (side, group, fate, wait) = parts(outcome);
            let elapsed = WARM + Duration::from_millis(i as u64);
            let (group, bad) = (u8::try_from(group).unwrap(), fate == 1);
            // The wait that was drawn: within both limits, beyond the first, beyond both.
            let wait_ms = [1, limits[0] + 1, limits[1] + 1][wait];
            if side == 1 {
                evidence.observe(elapsed, &Observation { group, wait_ms: Some(wait_ms), ..request(bad) });
            } else {
                evidence.observe_old(elapsed, bad);
            }
            evidence.is_bad()
        },
    );
    println!("{what}: false alarm at the edge of every part {estimate:.2e} +- {error:.1e}");
    assert!(estimate + 4.0 * error <= 0.5e-6, "{estimate:e} +- {error:e}");
    assert!(estimate > 0.5e-8, "the sampling misses the alarms: {estimate:e}");
}

#[test]
fn all_parts_together_keep_the_false_alarm_probability_of_one() {
    check("errors, two groups and latency", 1.0);
}

#[test]
fn with_the_concurrent_baseline_beside_them_too() {
    check("errors, two groups, latency and the old colour at 70 %", 0.3);
}
