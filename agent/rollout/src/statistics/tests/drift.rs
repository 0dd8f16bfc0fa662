//! Rates that move, and histories that are short: the bound must not need a steady rate, nor a long past.

use std::time::Duration;

use super::{MINUTES_5, Rng, at_1000_rps, request};
use crate::criteria::Criteria;
use crate::statistics::{ErrorProcess, Evidence, History, LOG_THRESHOLD, Source};

const NOW: u64 = 1_700_000_000_000;

/// The mean of M over every outcome of `left` more requests, when somebody who sees everything chooses each rate.
fn mean_m(process: &ErrorProcess, left: u32, at: Duration, choose: &dyn Fn(&ErrorProcess, u32) -> f64) -> f64 {
    if left == 0 {
        return process.log_m().exp();
    }
    let rate = choose(process, left);
    [(true, rate), (false, 1.0 - rate)]
        .map(|(bad, probability)| {
            let mut next = process.clone();
            next.observe(at, bad);
            probability * mean_m(&next, left - 1, at + Duration::from_secs(20), choose)
        })
        .iter()
        .sum()
}

#[test]
fn whoever_chooses_the_rate_below_the_tolerated_one_m_is_not_expected_to_grow() {
    const P0: f64 = 0.0075;
    let check = |who: &str, dispersion: f64, choose: &dyn Fn(&ErrorProcess, u32) -> f64| {
        let mean = mean_m(&ErrorProcess::new(P0, dispersion, MINUTES_5), 14, Duration::ZERO, choose);
        assert!(mean <= 1.0 + 1e-9, "{who}: {mean}");
    };
    for dispersion in [1.0, 3.0] {
        check("by turns", dispersion, &|_, left| if left % 2 == 0 { P0 } else { 0.0 });
        check("rising", dispersion, &|_, left| P0 * (1.0 - f64::from(left) / 15.0));
        check("pressing on when it goes well", dispersion, &|p, _| if p.log_m() > 0.0 { P0 } else { 0.001 });
        check("holding back when it goes well", dispersion, &|p, _| if p.log_m() > 0.0 { 0.001 } else { P0 });
    }
}

#[test]
fn a_rate_that_wanders_below_the_tolerated_one_raises_no_alarm() {
    let mut highest = f64::NEG_INFINITY;
    for seed in 0..40 {
        let mut rng = Rng(seed);
        let (mut process, mut rate) = (ErrorProcess::new(0.0075, 1.0, MINUTES_5), 0.004_f64);
        for i in 0..50_000 {
            rate = (rate + (rng.unit() - 0.5) * 0.0005).clamp(0.0, 0.0075);
            process.observe(at_1000_rps(i), rng.bad(rate));
            highest = highest.max(process.log_m());
        }
        assert!(!process.is_bad());
    }
    println!("wandering below 0.75 %: highest log M in 2,000,000 requests {highest:.1} of {LOG_THRESHOLD:.1}");
}

/// Runs of `requests` of a candidate no worse than an old colour with a history of `n0`, all at `rate`: how many end bad,
/// the highest log M, and how many went by the policy.
fn twins(n0: u64, rate: f64, runs: u64, requests: u64) -> (u64, f64, u64) {
    let (mut alarms, mut highest, mut policy) = (0, f64::NEG_INFINITY, 0);
    for seed in 0..runs {
        let mut rng = Rng(seed * 7 + n0);
        let mut history = History::default();
        (0..n0).for_each(|i| history.observe(NOW + i * 10, &request(rng.bad(rate))));
        let mut evidence = Evidence::new(&history, &Criteria::default(), false, MINUTES_5);
        policy += u64::from(evidence.tolerated().source == Source::Policy);
        for i in 0..requests {
            evidence.observe(at_1000_rps(i), &request(rng.bad(rate)));
            highest = highest.max(evidence.log_m());
        }
        alarms += u64::from(evidence.is_bad());
    }
    (alarms, highest, policy)
}

#[test]
fn with_300_or_1000_requests_of_history_a_candidate_like_the_old_colour_is_left_alone() {
    for (n0, rate) in [(300, 0.005), (300, 0.03), (1_000, 0.001), (1_000, 0.005), (1_000, 0.05), (3_000, 0.01)] {
        let runs = 150;
        let (alarms, highest, policy) = twins(n0, rate, runs, 10_000);
        println!(
            "history of {n0:5} at {:.1} %: {alarms} alarms in {runs} watches of 10,000, highest log M {highest:.1}, by policy {policy}",
            rate * 100.0
        );
        assert_eq!(alarms, 0, "{n0} at {rate}");
        assert_eq!(policy, if n0 < 1_000 { runs } else { 0 });
    }
}

#[test]
fn with_a_short_history_a_bad_candidate_is_still_found_out() {
    for (n0, rate, most) in [(300, 1.0, 7), (300, 0.2, 120), (1_000, 1.0, 6), (1_000, 0.2, 80), (1_000, 0.05, 2_500)] {
        let mut rng = Rng(17);
        let mut history = History::default();
        (0..n0).for_each(|i| history.observe(NOW + i * 10, &request(i % 200 == 0)));
        let evidence = Evidence::new(&history, &Criteria::default(), false, MINUTES_5);
        let runs = 300;
        let mut sum = 0;
        for _ in 0..runs {
            let mut evidence = evidence.clone();
            while !evidence.is_bad() {
                evidence.observe(at_1000_rps(evidence.requests()), &request(rng.bad(rate)));
            }
            sum += evidence.requests();
        }
        let mean = sum / runs;
        println!("history of {n0:5}: {:5.1} % found out after {mean} requests", rate * 100.0);
        assert!(mean <= most, "{mean} at {n0}, {rate}");
    }
}
