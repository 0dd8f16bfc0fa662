//! The parts together: one threshold, weights that sum to 1, and little lost for being several.

use super::{MINUTES_5, Rng, at_1000_rps};
use crate::colour::Colour;
use crate::criteria::Criteria;
use crate::observation::Observation;
use crate::statistics::{Evidence, History, PartKind, Source};

const NOW: u64 = 1_700_000_000_000;

fn in_group(group: u8, bad: bool) -> Observation {
    Observation { group, ..Observation::new(0, Colour::Green, 1, bad) }
}

fn criteria(groups: usize) -> Criteria {
    Criteria { groups: (0..groups).map(|i| format!("route-{i}")).collect(), ..Criteria::default() }
}

/// 100,000 requests of an old colour that fails at 0.5 %; group g gets `shares[g]` of them.
fn history(criteria: &Criteria, shares: &[f64]) -> History {
    let mut history = History::default();
    history.fit(&criteria.groups);
    let mut rng = Rng(31);
    for i in 0..100_000 {
        history.observe(NOW + i, &in_group(pick(&mut rng, shares), i % 200 == 0));
    }
    history
}

fn pick(rng: &mut Rng, shares: &[f64]) -> u8 {
    let mut left = rng.unit();
    for (group, share) in (0..).zip(shares) {
        left -= share;
        if left < 0.0 {
            return group;
        }
    }
    0
}

/// Mean requests of all routes until bad; `rates` by group.
fn requests_to_detect(start: &Evidence, runs: u64, shares: &[f64], rates: impl Fn(u8) -> f64) -> (f64, PartKind) {
    let mut rng = Rng(32);
    let (mut sum, mut first) = (0, PartKind::Errors);
    for _ in 0..runs {
        let mut evidence = start.clone();
        while !evidence.is_bad() {
            let group = pick(&mut rng, shares);
            evidence.observe(at_1000_rps(evidence.requests()), &in_group(group, rng.bad(rates(group))));
        }
        sum += evidence.requests();
        first = evidence.parts()[0].kind;
    }
    (sum as f64 / runs as f64, first)
}

#[test]
fn the_weights_sum_to_one_and_m_starts_at_one() {
    for groups in [0, 1, 3, 32] {
        for steps in [false, true] {
            let criteria = criteria(groups);
            let evidence = Evidence::new(&history(&criteria, &[0.5, 0.5]), &criteria, steps, MINUTES_5);
            let parts = evidence.parts();
            let sum: f64 = parts.iter().map(|part| part.weight).sum();
            assert!((sum - 1.0).abs() < 1e-12 && evidence.log_m().abs() < 1e-12, "{groups} groups: {sum}");
            let expected = 1 + if groups > 0 { groups + 1 } else { 0 } + usize::from(steps);
            assert_eq!(parts.len(), expected);
        }
    }
}

#[test]
fn with_32_route_groups_the_whole_is_found_out_almost_as_fast() {
    let criteria = criteria(32);
    let shares = [1.0 / 33.0; 33];
    let evidence = Evidence::new(&history(&criteria, &shares), &criteria, false, MINUTES_5);
    for (rate, most) in [(1.00, 4.5), (0.20, 36.0 * 1.1), (0.05, 320.0 * 1.1), (0.02, 2_475.0 * 1.1)] {
        let runs = if rate < 0.05 { 200 } else { 1_000 };
        let (mean, _) = requests_to_detect(&evidence, runs, &shares, |_| rate);
        println!("32 groups, all fail at {:5.1} %: mean {mean:.1} requests", rate * 100.0);
        assert!(mean <= most, "{mean} at {rate}");
    }
}

#[test]
fn one_failing_endpoint_with_one_percent_of_the_traffic_is_found() {
    let criteria = criteria(32);
    let mut shares = [0.99 / 32.0; 33];
    shares[7] = 0.01;
    let evidence = Evidence::new(&history(&criteria, &shares), &criteria, false, MINUTES_5);
    let failing = |rate: f64| move |group: u8| if group == 7 { rate } else { 0.005 };
    for (rate, most) in [(1.0, 1_000.0), (0.5, 3_000.0), (0.2, 20_000.0)] {
        let (mean, first) = requests_to_detect(&evidence, 50, &shares, failing(rate));
        println!("1 % of the traffic fails at {:5.1} %: mean {mean:.0} requests", rate * 100.0);
        assert_eq!(first, PartKind::Group(7));
        assert!(mean <= most, "{mean} at {rate}");
    }
}

#[test]
fn a_route_with_little_history_goes_by_the_policy_and_one_that_always_failed_is_left_out() {
    let criteria = criteria(2);
    let mut history = history(&criteria, &[1.0]);
    (0..20).for_each(|i| history.observe(NOW + i, &in_group(2, true)));
    let evidence = Evidence::new(&history, &criteria, false, MINUTES_5);
    let source =
        |kind| evidence.parts().iter().find(|part| part.kind == kind).map(|part| part.tolerated.unwrap().source);
    assert_eq!(source(PartKind::Group(0)), Some(Source::Measured));
    assert_eq!(source(PartKind::Group(1)), Some(Source::Policy));
    assert_eq!(source(PartKind::Group(2)), None);
}

#[test]
fn at_a_partial_share_the_old_colour_beside_it_decides_with() {
    let criteria = Criteria::default();
    let mut evidence = Evidence::new(&History::default(), &criteria, true, MINUTES_5);
    evidence.step(0.1);
    let mut rng = Rng(33);
    let mut seen = 0;
    // No history: the policy would tolerate 5 %. Beside an old colour that never fails, 3 % show.
    while !evidence.is_bad() {
        seen += 1;
        if rng.bad(0.1) {
            evidence.observe(at_1000_rps(seen), &in_group(0, rng.bad(0.03)));
        } else {
            evidence.observe_old(at_1000_rps(seen), rng.bad(0.0005));
        }
    }
    println!("3 % against 0.05 % at a share of 10 %: {seen} requests, {} of the candidate", evidence.requests());
    assert_eq!(evidence.parts()[0].kind, PartKind::Concurrent);
    assert!(seen < 10_000);
}

#[test]
fn alpha_moves_the_threshold() {
    let log_threshold = |alpha| {
        let criteria = Criteria { alpha, ..Criteria::default() };
        Evidence::new(&History::default(), &criteria, false, MINUTES_5).log_threshold()
    };
    assert!((log_threshold(1e-6) - crate::statistics::LOG_THRESHOLD).abs() < 1e-12);
    assert!((log_threshold(1e-3) - 2_000_f64.ln()).abs() < 1e-12);
}

#[test]
fn after_an_outage_all_that_judges_alone_starts_anew() {
    let criteria = criteria(1);
    let mut evidence = Evidence::new(&history(&criteria, &[1.0]), &criteria, false, MINUTES_5);
    while !evidence.is_bad() {
        evidence.observe(at_1000_rps(evidence.requests()), &in_group(1, true));
    }
    let requests = evidence.requests();
    evidence.restart(at_1000_rps(10));
    assert!(!evidence.is_bad() && evidence.log_m() <= 0.0);
    assert_eq!((evidence.requests(), evidence.excused().bad), (0, requests));
    assert!(evidence.tally().worst_groups().is_empty());
}
