//! How much history it takes, and that the limits taken from it hold.

use super::*;
use crate::statistics::latency::{GUARD_MS, Quantile};

fn check_quantiles(n: u64, limits: [Option<u32>; 2]) {
    let history = log_normal_history(n, MEDIAN_40);
    let process = LatencyProcess::new(&history, 1.2, BOUND_ALPHA, 2e6, MINUTES_5);
    let found = Quantile::ALL.map(|quantile| process.as_ref()?.limit(quantile, 0));
    println!("{n} requests of history: limits for p90 and p99 {found:?} ms");
    assert_eq!(found, limits, "after {n}");
}

#[test]
fn a_quantile_without_enough_history_is_not_there() {
    // In the limit of all history p90 is 76 ms and p99 128 ms, and the limits are 96 and 153 ms.
    check_quantiles(300, [None, None]);
    check_quantiles(1_000, [None, None]);
    check_quantiles(2_500, [Some(103), None]);
    check_quantiles(6_000, [Some(101), Some(186)]);
    check_quantiles(30_000, [Some(97), Some(166)]);
    check_quantiles(200_000, [Some(97), Some(157)]);
}

#[test]
fn a_limit_is_too_low_no_more_often_than_granted() {
    // Waits are uniform in 0 .. 1,000 ms, so the share beyond one is known.
    let mut rng = Rng(32);
    let (runs, mut too_low, mut judged) = (400, [0; 2], [0; 2]);
    for _ in 0..runs {
        let history = history(6_000, 10, || (0, u32::try_from(rng.next() % 1_000).unwrap()));
        let Some(process) = LatencyProcess::new(&history, 1.0, 0.1, 2e6, MINUTES_5) else { continue };
        for (at, quantile) in Quantile::ALL.into_iter().enumerate() {
            let Some(limit) = process.limit(quantile, 0) else { continue };
            let beyond = f64::from(999 - (limit - GUARD_MS).min(999)) / 1_000.0;
            judged[at] += 1;
            too_low[at] += u32::from(beyond > quantile.beyond() + 1e-9);
        }
    }
    println!("too low in {too_low:?} of {judged:?}");
    // Each has a half of the ten per cent; what is rounded up makes it fewer.
    assert!(judged.iter().all(|judged| *judged > runs / 2), "{judged:?}");
    assert!(too_low.iter().all(|too_low| *too_low <= 20 + 13), "{too_low:?} of {runs}");
}

#[test]
fn a_history_forgets_after_a_day_and_a_renumbered_group_keeps_its_waits() {
    let mut rng = Rng(33);
    let mut history = history(40_000, 10, || (1 + u8::from(rng.bad(0.5)), MEDIAN_40.wait(&mut rng)));
    let (first, second) = (history.waits(1), history.waits(2));
    history.renumber(&[None, Some(2), None, Some(1), Some(200)]);
    assert_eq!([0, 1, 2, 3, 4].map(|group| history.waits(group)), [0, second, 0, first, 0]);
    assert!(history.dispersion(Quantile::P99).is_some());
    history.expire(NOW + 23 * 3_600_000);
    assert_eq!(history.waits(3), first);
    history.expire(NOW + 25 * 3_600_000);
    assert_eq!((history.waits(1), history.waits(3)), (0, 0));
    assert_eq!(history.dispersion(Quantile::P90), None);
}

#[test]
fn a_wait_that_is_too_long_or_of_no_group_is_taken_calmly() {
    let mut history = LatencyHistory::new();
    history.observe(NOW, 33, 5);
    history.observe(NOW, 255, 5);
    history.observe(NOW, 32, u32::MAX);
    assert_eq!((0..=255).map(|group| history.waits(group)).sum::<u64>(), 1);
    // Most requests take longer than can be told apart: there is no limit to hold anything to.
    let endless = log_normal_history(30_000, LogNormal { median: 1e6, sigma: 0.5 });
    assert_eq!(LatencyProcess::new(&endless, 1.2, BOUND_ALPHA, 2e6, MINUTES_5), None);
}
