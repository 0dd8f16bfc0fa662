//! How many requests a bad candidate takes to be found out: the rows of the table in the decision document.

use super::{MINUTES_5, Rng, at_1000_rps, requests_to_detect};
use crate::statistics::{Baseline, Counts, ErrorProcess, tolerated};

/// Over `runs`: mean and 99th percentile of requests until bad, mean of bad ones among them.
fn detection(rate: f64, runs: u64) -> (f64, u64, f64) {
    let p0 = tolerated(Counts { n0: 200_000, k0: 1_000 }, 1.5, 5e-7, 0.05).p0;
    let mut rng = Rng(1);
    let (mut requests, mut bad) = (Vec::new(), 0);
    for _ in 0..runs {
        let mut process = ErrorProcess::new(p0, 1.0, MINUTES_5);
        requests.push(requests_to_detect(&mut process, &mut rng, rate, 1_000_000).unwrap());
        bad += process.bad();
    }
    requests.sort_unstable();
    let mean = requests.iter().sum::<u64>() as f64 / runs as f64;
    (mean, requests[requests.len() * 99 / 100 - 1], bad as f64 / runs as f64)
}

fn check(rate: f64, mean: f64, p99: u64, bad: f64) {
    let found = detection(rate, 5_000);
    println!("{:5.1} %: mean {:.1} requests, p99 {}, {:.1} bad", rate * 100.0, found.0, found.1, found.2);
    assert!((found.0 / mean - 1.0).abs() < 0.1, "mean {} instead of {mean} at {rate}", found.0);
    assert!((found.1 as f64 / p99 as f64 - 1.0).abs() < 0.1, "p99 {} instead of {p99} at {rate}", found.1);
    assert!((found.2 - bad).abs() <= 0.1 * bad + 0.5, "{} bad requests instead of {bad} at {rate}", found.2);
}

#[test]
fn a_bad_candidate_is_found_out_as_fast_as_promised() {
    check(1.00, 4.0, 4, 4.0);
    check(0.20, 36.0, 86, 7.0);
    check(0.05, 320.0, 704, 16.0);
    check(0.02, 2_475.0, 5_162, 49.0);
}

#[test]
fn a_candidate_that_breaks_late_is_still_found_out() {
    for (rate, expected) in [(1.00, 7.0), (0.20, 58.0), (0.02, 3_347.0)] {
        let mut rng = Rng(2);
        let runs = 1_000;
        let mut sum = 0;
        for _ in 0..runs {
            let mut process = ErrorProcess::new(0.0075, 1.0, MINUTES_5);
            for i in 0..5_000 {
                process.observe(at_1000_rps(i), rng.bad(0.005));
            }
            assert!(!process.is_bad());
            sum += requests_to_detect(&mut process, &mut rng, rate, 1_000_000).unwrap();
        }
        let mean = sum as f64 / f64::from(runs);
        println!("late {:5.1} %: mean {mean:.1} requests", rate * 100.0);
        assert!(mean < expected * 1.1, "{mean} requests instead of {expected} at {rate}");
    }
}

#[test]
fn a_candidate_that_breaks_long_after_the_nominal_watch_is_found_out_too() {
    let mut rng = Rng(13);
    let mut healthy = ErrorProcess::new(0.0075, 1.0, MINUTES_5);
    for i in 0..1_000_000 {
        healthy.observe(at_1000_rps(i), rng.bad(0.005));
    }
    for (rate, most) in [(1.00, 12.0), (0.20, 120.0), (0.05, 1_100.0), (0.02, 7_500.0)] {
        let runs = 200;
        let mut needed = || requests_to_detect(&mut healthy.clone(), &mut rng, rate, 1_000_000).unwrap();
        let mean = (0..runs).map(|_| needed()).sum::<u64>() as f64 / f64::from(runs);
        println!("after the watch {:5.1} %: mean {mean:.1} requests", rate * 100.0);
        assert!(mean <= most, "{mean} requests at {rate}");
    }
}

#[test]
fn ten_million_healthy_requests_raise_no_alarm() {
    let mut process = ErrorProcess::new(0.0075, 1.0, MINUTES_5);
    let mut rng = Rng(3);
    let mut highest = f64::NEG_INFINITY;
    for i in 0..10_000_000 {
        process.observe(at_1000_rps(i), rng.bad(0.005));
        if i % 64 == 0 {
            highest = highest.max(process.log_m());
        }
    }
    println!("soak: highest log M {highest:.2}, last {:.2}", process.log_m());
    assert!(!process.is_bad());
    assert_eq!(process.requests(), 10_000_000);
}

#[test]
fn a_restart_costs_a_few_requests_even_late_and_often() {
    let mut process = ErrorProcess::new(0.0075, 1.0, MINUTES_5);
    for round in 1..=5 {
        process.restart(MINUTES_5 * round);
        let mut now = process.clone();
        let mut needed = 0;
        while !now.is_bad() {
            now.observe(MINUTES_5 * round, true);
            needed += 1;
        }
        println!("after {round} restarts: {needed} bad requests in a row");
        assert!(needed <= 4 + u64::from(round));
    }
}

#[test]
fn a_fresh_baseline_gives_the_same_rate_as_its_counts() {
    let baseline = Baseline::seeded(200_000, 1_000, 1_700_000_000_000);
    assert_eq!(tolerated(baseline.counts(), 1.5, 5e-7, 0.05).p0, 0.0075);
}
