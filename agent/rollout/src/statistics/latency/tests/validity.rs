//! That a candidate that is as slow as tolerated is left alone: exactly for short watches, by importance sampling for
//! long ones.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::statistics::latency::{LONGEST_MS, Quantile, WARM_UP_REQUESTS};
use crate::statistics::tests::importance::{Sampled, Tilt};

/// The shares of requests that are within both limits, above p90's only, and above both, of a candidate that exceeds
/// each as often as tolerated.
fn at_the_edge() -> [f64; 3] {
    let [p90, p99] = Quantile::ALL.map(Quantile::tolerated);
    [1.0 - p90, p90 - p99, p99]
}

/// The same where only one of the limits is exceeded as often as tolerated, and p99's not at all or p90's no more often
/// than it.
const fn only(quantile: Quantile) -> [f64; 3] {
    match quantile {
        Quantile::P90 => [0.875, 0.125, 0.0],
        Quantile::P99 => [0.9875, 0.0, 0.0125],
    }
}

/// A wait that falls into each of these shares.
fn waits(process: &LatencyProcess) -> [u32; 3] {
    let limit = |quantile| process.limit(quantile, 0).unwrap();
    [0, limit(Quantile::P90) + 1, limit(Quantile::P99) + 1]
}

/// Without clusters, so that the bets are not tempered.
fn untempered() -> LatencyProcess {
    let process = warm(&log_normal_history(200_000, MEDIAN_40));
    assert!(process.quantiles().all(|quantile| quantile.dispersion < crate::statistics::CLUSTERED));
    assert_eq!(process.quantiles().count(), 2);
    process
}

/// The mean of M over every outcome of `left` more requests; the process starts anew after each that exceeds both
/// limits if it `restarts`.
fn mean_m(process: &LatencyProcess, law: &[f64; 3], left: u32, restarts: bool) -> f64 {
    if left == 0 {
        return process.m();
    }
    let at = Duration::from_secs(300 - u64::from(left) * 20);
    let waits = waits(process);
    let mean = |outcome: usize| {
        let mut next = process.clone();
        next.observe(at, 0, waits[outcome]);
        if restarts && outcome == 2 {
            next.restart(at);
        }
        law[outcome] * mean_m(&next, law, left - 1, restarts)
    };
    (0..3).map(mean).sum()
}

#[test]
fn at_the_tolerated_shares_the_mean_of_m_stays_exactly_one_and_below_it_only_falls() {
    let process = untempered();
    let mean = mean_m(&process, &at_the_edge(), 10, false);
    assert!((mean - 1.0).abs() < 1e-9, "{mean} at the edge");
    for law in [only(Quantile::P90), only(Quantile::P99), [0.9, 0.09, 0.01], [1.0, 0.0, 0.0]] {
        let mean = mean_m(&process, &law, 10, false);
        assert!(mean < 1.0, "{mean} at {law:?}");
    }
}

#[test]
fn restarts_never_raise_the_mean() {
    let mean = mean_m(&untempered(), &at_the_edge(), 10, true);
    assert!(mean <= 1.0 + 1e-9, "{mean}");
}

/// What the shares above p90's and above p99's limit are multiplied by, so that alarms happen.
const FACTORS: [(f64, f64); 12] = [
    (1.2, 1.0),
    (1.5, 1.0),
    (2.0, 1.0),
    (3.5, 1.0),
    (7.0, 1.0),
    (1.0, 1.7),
    (1.0, 2.5),
    (1.0, 6.0),
    (1.0, 20.0),
    (1.0, 60.0),
    (1.5, 4.0),
    (3.0, 10.0),
];

/// The probability of an alarm within 4,000 requests after the warm-up.
fn check_false_alarm(name: &str, healthy: [f64; 3], restart_at: Option<usize>) {
    let (horizon, nominal) = (4_000, Duration::from_secs(6));
    let history = log_normal_history(200_000, MEDIAN_40);
    let mut process = LatencyProcess::new(&history, 1.2, BOUND_ALPHA, 2e6, nominal).unwrap();
    (0..WARM_UP_REQUESTS).for_each(|i| process.observe(at_1000_rps(i), 0, 0));
    let waits = waits(&process);
    let mut tilts = Vec::new();
    for start in (0..horizon).step_by(horizon / 10) {
        for (p90, p99) in FACTORS {
            let raised = [healthy[1] * p90, healthy[2] * p99];
            let scale = (0.97 / (raised[0] + raised[1])).min(1.0);
            let [above, far] = raised.map(|share| share * scale);
            tilts.push(Tilt { start, law: [1.0 - above - far, above, far] });
        }
    }
    let sampled = Sampled { healthy, tilts, runs: 4_800, horizon, seed: 22 };
    let (estimate, error) = sampled.probability(
        || process.clone(),
        |process, i, outcome| {
            let elapsed = at_1000_rps(WARM_UP_REQUESTS + i as u64);
            process.observe(elapsed, 0, waits[outcome]);
            let bad = process.is_bad();
            if restart_at == Some(i) && !bad {
                process.restart(elapsed);
            }
            bad
        },
    );
    println!("false alarm, {name}, restart {restart_at:?}: {estimate:.2e} +- {error:.1e}");
    assert!(estimate + 4.0 * error <= 0.5e-6, "{estimate:e} +- {error:e}: {name}");
    assert!(estimate > 1e-9, "the sampling misses the alarms: {estimate:e}");
}

#[test]
fn the_false_alarm_probability_is_below_half_a_millionth_with_both_shares_at_the_edge() {
    check_false_alarm("p90 and p99 at p0", at_the_edge(), None);
}

#[test]
fn a_restart_in_the_middle_keeps_the_false_alarm_probability() {
    check_false_alarm("p90 and p99 at p0", at_the_edge(), Some(1_500));
}

// Shares of zero have no likelihood ratio; a millionth will do.

#[test]
fn the_false_alarm_probability_is_below_half_a_millionth_with_p90_at_the_edge() {
    check_false_alarm("p90 at p0", [0.875, 0.125 - 1e-6, 1e-6], None);
}

#[test]
fn the_false_alarm_probability_is_below_half_a_millionth_with_p99_at_the_edge() {
    check_false_alarm("p99 at p0", [0.9875 - 1e-6, 1e-6, 0.0125], None);
}

/// Mostly within a day of others.
fn moment() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0..50_000_000_u64, 1 => any::<u64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_input_makes_history_or_process_panic(
        tolerance in any::<f64>(),
        bound_alpha in any::<f64>(),
        latch_at in any::<f64>(),
        watch in any::<u32>(),
        steps in proptest::collection::vec((moment(), 0_u8..40, any::<u32>(), 1_u64..3_000, 0_u8..30), 0..12),
        judged in proptest::collection::vec((any::<u64>(), any::<u8>(), any::<u32>(), 0_u8..20), 0..100),
    ) {
        let mut history = LatencyHistory::new();
        for (now, group, wait, times, dice) in steps {
            for i in 0..times {
                history.observe(now.saturating_add(i * 20), group, wait >> (i % 32));
            }
            match dice {
                0 => history.expire(now),
                1 => history = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap(),
                2 => history.renumber(&[Some(group), None, Some(0)]),
                _ => {}
            }
        }
        let nominal = Duration::from_millis(watch.into());
        let Some(mut process) = LatencyProcess::new(&history, tolerance, bound_alpha, latch_at, nominal) else {
            return Ok(());
        };
        for limit in process.limits() {
            prop_assert!((20..LONGEST_MS).contains(&limit.wait_ms));
            prop_assert_eq!(process.limit(limit.quantile, limit.group), Some(limit.wait_ms));
        }
        (0..WARM_UP_REQUESTS).for_each(|_| process.observe(Duration::ZERO, 0, 0));
        for (micros, group, wait, dice) in judged {
            process.observe(Duration::from_micros(micros), group, wait);
            prop_assert!(process.m().is_finite() && process.m() >= 0.0);
            if dice == 0 {
                process.restart(Duration::from_micros(micros));
            }
        }
        prop_assert!(process.quantiles().all(|quantile| quantile.slow <= quantile.requests));
    }
}
