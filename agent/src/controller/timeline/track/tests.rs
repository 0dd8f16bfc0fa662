use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::criteria::Criteria;
use teal_rollout::observation::Observation;
use teal_rollout::statistics::History;

use super::*;
use crate::controller::snapshot::{Names, parts};

/// A candidate with two route groups, looked at as the controller does: block by block.
struct Lab {
    evidence: Evidence,
    track: Track,
    seconds: f64,
    names: Names,
}

impl Lab {
    fn new() -> Self {
        let criteria = Criteria { groups: vec!["home".into(), "patients".into()], ..Criteria::default() };
        let mut history = History::default();
        history.fit(&criteria.groups);
        for n in 0..30_000 {
            let group = u8::try_from(n % 2 + 1).unwrap();
            history.observe(n, &Observation { group, ..Observation::new(0, Colour::Blue, 0, n % 499 == 0) });
        }
        let evidence = Evidence::new(&history, &criteria, false, Duration::from_secs(300));
        Self { evidence, track: Track::new("api".into()), seconds: 0.0, names: Names::of([criteria]) }
    }

    /// `blocks` blocks of `requests` each, every `gap` seconds; those that `is_bad` says are bad.
    fn run(&mut self, blocks: u32, requests: u32, gap: f64, is_bad: impl Fn(u32) -> bool) {
        for block in 0..blocks {
            self.seconds += gap;
            for n in 0..requests {
                let group = u8::try_from(n % 2 + 1).unwrap();
                let seen = Observation { group, ..Observation::new(0, Colour::Green, 1, is_bad(block * requests + n)) };
                self.evidence.observe(Duration::from_secs_f64(self.seconds), &seen);
            }
            self.look(None);
        }
    }

    fn look(&mut self, special: Option<Mark>) {
        let parts = || parts(&self.evidence, None, 0, &self.names);
        self.track.look(self.seconds, &self.evidence, None, Share::ALL, special, parts);
    }

    fn points(&self) -> &[Point] {
        &self.track.line.points
    }

    fn marks(&self) -> Vec<Mark> {
        self.points().iter().filter_map(|p| p.mark.as_ref()?.known().copied()).collect()
    }
}

#[test]
fn a_healthy_watch_of_half_an_hour_is_a_few_hundred_points_over_all_of_it() {
    let mut lab = Lab::new();
    lab.run(1_800 * 100, 1, 0.01, |n| n % 700 == 0);
    let points = lab.points();
    assert!(points.len() <= MOST && points.len() >= MOST / 3, "{}", points.len());
    let gaps = points.windows(2).map(|pair| pair[1].t - pair[0].t);
    let longest = gaps.fold(0.0, f64::max);
    assert!(longest < 30.0, "nothing is known of {longest} s");
    assert!(points.is_sorted_by(|a, b| a.t <= b.t && a.requests <= b.requests && a.bad <= b.bad));
    assert_eq!(points.last().unwrap().log_m, round(lab.evidence.log_m(), 1e2));
}

#[test]
fn a_late_failure_is_seen_block_by_block_however_coarse_the_pace_has_become() {
    let mut lab = Lab::new();
    lab.run(60_000, 10, 0.01, |_| false);
    assert!(lab.track.pace > 1.0);
    let before = lab.points().len();
    lab.run(40, 1, 0.001, |_| true);
    let climb = &lab.points()[before..];
    assert!(climb.len() >= 3, "{climb:#?}");
    let crossed = climb.iter().find(|p| p.mark == Some(Mark::Crossed.into())).unwrap();
    assert!(crossed.log_m >= lab.evidence.log_threshold() - 0.01);
    // It is not drawn as a slope from the last plain point.
    let leap = climb.windows(2).find(|pair| pair[1].log_m - pair[0].log_m > 3.0).unwrap();
    assert!(leap[1].t - leap[0].t <= 0.011, "{leap:#?}");
    assert_eq!(lab.marks().iter().filter(|mark| **mark == Mark::Crossed).count(), 1);
}

#[test]
fn the_verdict_outlives_every_thinning() {
    let mut lab = Lab::new();
    lab.run(10, 1, 0.01, |_| false);
    lab.look(Some(Mark::Verdict));
    for _ in 0..500 {
        lab.run(6, 4, 0.01, |_| true);
        lab.evidence.restart(Duration::from_secs_f64(lab.seconds));
        lab.run(4, 4, 0.01, |_| false);
    }
    assert!(lab.points().len() <= MOST, "{}", lab.points().len());
    assert_eq!(lab.points().iter().filter(|p| p.mark == Some(Mark::Verdict.into())).count(), 1);
    assert!(lab.marks().contains(&Mark::Restarted));
    let after = lab.points().iter().filter(|p| p.t > 0.2).count();
    assert!(after > MOST / 4, "{after}");
}

#[test]
fn a_restart_of_the_evidence_is_a_point_and_counts_go_on() {
    let mut lab = Lab::new();
    lab.run(3, 4, 0.01, |n| n < 3);
    lab.evidence.restart(Duration::from_secs_f64(lab.seconds));
    lab.run(1, 4, 0.01, |_| false);
    let last = lab.points().last().unwrap();
    assert_eq!((last.mark.clone(), last.requests, last.bad), (Some(Mark::Restarted.into()), 16, 3));
}

#[test]
fn a_line_has_the_parts_that_came_near_and_no_others() {
    let mut lab = Lab::new();
    lab.run(200, 4, 0.01, |_| false);
    let titles = |lab: &Lab| lab.track.line().parts.iter().map(LinePart::title).collect::<Vec<_>>();
    assert_eq!(titles(&lab), ["errors"]);
    // Every other request to `patients` fails.
    lab.run(40, 4, 0.01, |n| n % 4 == 1);
    let line = lab.track.line();
    assert!(titles(&lab).contains(&"route patients".to_owned()) && !titles(&lab).contains(&"route home".to_owned()));
    let at = line.parts.iter().position(|part| part.name == "patients").unwrap();
    let first = line.points.first().unwrap().parts[at].unwrap();
    assert!(first.abs() < 1.0, "the part is there from the beginning: {first}");
    assert!(line.points.iter().all(|p| p.parts.is_empty() || p.parts.len() == line.parts.len()));
}

#[test]
fn a_kept_line_goes_on_where_it_was_and_takes_its_parts_up_again() {
    let mut lab = Lab::new();
    lab.run(300, 4, 0.05, |n| n % 100 == 0);
    let json = serde_json::to_string(&lab.track.line()).unwrap();
    assert!(json.len() < MOST * 120, "{} bytes", json.len());
    let kept: Line = serde_json::from_str(&json).unwrap();
    lab.track = Track::resume(kept.clone());
    lab.look(Some(Mark::Resumed));
    lab.run(20, 4, 0.05, |_| false);
    let line = lab.track.line();
    assert_eq!(line.points[..kept.points.len()], kept.points);
    assert_eq!(line.points[kept.points.len()].mark, Some(Mark::Resumed.into()));
    assert_eq!(line.parts[0].title(), "errors");
}
