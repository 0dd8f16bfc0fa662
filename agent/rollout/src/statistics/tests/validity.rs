//! That a healthy candidate is left alone: exactly for short watches, by importance sampling for long ones.

use std::time::Duration;

use proptest::prelude::*;

use super::MINUTES_5;
use super::importance::{Sampled, Tilt};
use crate::statistics::{ErrorProcess, LOG_THRESHOLD};

/// The mean of M over every outcome of `left` more requests, each bad with probability `rate`. `step` sees the
/// process after each request and may do with it what it likes.
fn mean_m(process: &ErrorProcess, rate: f64, left: u32, at: Duration, step: &dyn Fn(&mut ErrorProcess, bool)) -> f64 {
    if left == 0 {
        return process.log_m().exp();
    }
    [(true, rate), (false, 1.0 - rate)]
        .map(|(bad, probability)| {
            let mut next = process.clone();
            next.observe(at, bad);
            step(&mut next, bad);
            probability * mean_m(&next, rate, left - 1, at + Duration::from_secs(20), step)
        })
        .iter()
        .sum()
}

#[test]
fn at_the_tolerated_rate_the_mean_of_m_stays_exactly_one() {
    for p0 in [0.001, 0.0075, 0.05, 0.5] {
        let mean = mean_m(&ErrorProcess::new(p0, 1.0, MINUTES_5), p0, 14, Duration::ZERO, &|_, _| {});
        assert!((mean - 1.0).abs() < 1e-9, "{mean} at {p0}");
    }
}

#[test]
fn below_the_tolerated_rate_and_with_tempered_bets_it_only_falls() {
    for (rate, dispersion) in [(0.005, 1.0), (0.0, 1.0), (0.0075, 1.6), (0.0075, 4.0), (0.005, 4.0), (0.0075, 1e6)] {
        let mean = mean_m(&ErrorProcess::new(0.0075, dispersion, MINUTES_5), rate, 14, Duration::ZERO, &|_, _| {});
        assert!(mean <= 1.0 + 1e-9, "{mean} at {rate} with D {dispersion}");
    }
}

#[test]
fn restarts_never_raise_the_mean_whoever_chooses_their_moments() {
    let after_a_bad_one: &dyn Fn(&mut ErrorProcess, bool) = &|process, bad| {
        if bad {
            process.restart(Duration::from_secs(60));
        }
    };
    let when_it_goes_badly: &dyn Fn(&mut ErrorProcess, bool) = &|process, _| {
        if process.log_m() < -0.01 {
            process.restart(Duration::from_secs(400));
        }
    };
    for step in [after_a_bad_one, when_it_goes_badly] {
        let mean = mean_m(&ErrorProcess::new(0.05, 1.0, MINUTES_5), 0.05, 14, Duration::ZERO, step);
        assert!(mean <= 1.0 + 1e-9, "{mean}");
    }
}

#[test]
fn a_restart_leaves_nothing_of_what_an_outage_made() {
    let mut process = ErrorProcess::new(0.0075, 1.0, MINUTES_5);
    for _ in 0..3 {
        while !process.is_bad() {
            process.observe(Duration::from_secs(30), true);
        }
        process.restart(Duration::from_secs(31));
        assert!(!process.is_bad());
        assert!(process.log_m() <= 0.0 && process.requests() == 0);
    }
}

/// P(false alarm) within `horizon` requests at exactly the tolerated rate, and its standard error.
fn false_alarm(p0: f64, runs: usize, horizon: usize, nominal: Duration, restart_at: Option<usize>) -> (f64, f64) {
    let mut tilts = Vec::new();
    for start in (0..horizon).step_by(horizon / 10) {
        tilts.extend([1.7, 2.5, 4.0, 8.0, 20.0, 60.0].map(|factor| {
            let rate = (p0 * factor).min(0.95);
            Tilt { start, law: [1.0 - rate, rate] }
        }));
    }
    let sampled = Sampled { healthy: [1.0 - p0, p0], tilts, runs, horizon, seed: 4 };
    sampled.probability(
        || ErrorProcess::new(p0, 1.0, nominal),
        |process, i, outcome| {
            let elapsed = Duration::from_millis(i as u64);
            process.observe(elapsed, outcome == 1);
            let bad = process.is_bad();
            if restart_at == Some(i) && !bad {
                process.restart(elapsed);
            }
            bad
        },
    )
}

fn check_false_alarm(p0: f64, restart_at: Option<usize>) {
    let (estimate, error) = false_alarm(p0, 12_000, 10_000, Duration::from_secs(10), restart_at);
    println!("false alarm at p = p0 = {p0}, restart {restart_at:?}: {estimate:.2e} +- {error:.1e}");
    assert!(estimate + 4.0 * error <= 0.5e-6, "{estimate:e} +- {error:e} at {p0}");
    assert!(estimate > 0.5e-8, "the sampling misses the alarms: {estimate:e}");
}

#[test]
fn the_false_alarm_probability_is_below_half_a_millionth() {
    check_false_alarm(0.0075, None);
    check_false_alarm(0.05, None);
}

#[test]
fn a_restart_in_the_middle_keeps_the_false_alarm_probability() {
    check_false_alarm(0.0075, Some(3_000));
}

proptest! {
    #[test]
    fn no_input_makes_the_process_panic_or_lose_its_number(
        p0 in any::<f64>(),
        dispersion in any::<f64>(),
        watch in any::<u32>(),
        requests in proptest::collection::vec((any::<u64>(), any::<bool>(), 0_u8..20), 0..200),
    ) {
        let mut process = ErrorProcess::new(p0, dispersion, Duration::from_millis(watch.into()));
        for (micros, bad, dice) in requests {
            let elapsed = Duration::from_micros(micros);
            process.observe(elapsed, bad);
            prop_assert!(process.log_m().is_finite());
            prop_assert!(process.bad() <= process.requests());
            prop_assert_eq!(process.is_bad(), process.log_m() >= LOG_THRESHOLD - 1e-9);
            if dice == 0 {
                process.restart(elapsed);
            }
        }
        prop_assert!(process.p0() > 0.0 && process.p0() <= 0.5);
        if let Some(rate) = process.excludable() {
            prop_assert!(rate > 0.0 && rate <= 1.0);
        }
    }
}
