//! That a candidate as fast as the old colour is left alone, whatever its traffic does.

use super::*;
use crate::statistics::latency::Quantile;

/// The highest ln M that a candidate sees over `n` requests, of which `request` gives the group and the wait.
fn highest(mut process: LatencyProcess, n: u64, mut request: impl FnMut(u64) -> (u8, u32)) -> f64 {
    let mut highest = f64::NEG_INFINITY;
    for i in 0..n {
        let (group, wait) = request(i);
        process.observe(at_1000_rps(i), group, wait);
        highest = highest.max(process.m());
    }
    highest.ln()
}

#[test]
fn a_million_healthy_requests_raise_no_alarm() {
    let history = log_normal_history(200_000, MEDIAN_40);
    let mut rng = Rng(23);
    for slower in [1.0, 1.1, 1.2] {
        let waits = MEDIAN_40.slower(slower);
        let highest = highest(process(&history), 1_000_000, |_| (0, waits.wait(&mut rng)));
        println!("soak at x{slower}: highest ln M {highest:.2}");
        assert!(highest < 2.0, "{highest} at x{slower}");
    }
}

/// How many of 100 watches of 30,000 requests see M over 100, which a supermartingale does in at most 1 %.
fn excursions(process: &LatencyProcess, mut request: impl FnMut(u64) -> (u8, u32)) -> usize {
    (0..100).filter(|_| highest(process.clone(), 30_000, &mut request) > 100_f64.ln()).count()
}

#[test]
fn a_latency_that_drifts_within_the_tolerance_raises_no_alarm() {
    // The old colour too was now slower, now faster, by a tenth; the candidate is at other phases of the wave.
    let wave = |i: f64| MEDIAN_40.slower(1.0 + 0.1 * (i / 20_000.0 * std::f64::consts::TAU).sin());
    let mut rng = Rng(24);
    let mut i = 0.0;
    let history = history(200_000, 1, || {
        i += 1.0;
        (0, wave(i).wait(&mut rng))
    });
    let mut phase = 0.0;
    let excursions = excursions(&process(&history), |i| {
        phase += if i == 0 { 7_000.0 } else { 1.0 };
        (0, wave(phase).wait(&mut rng))
    });
    println!("drift: M over 100 in {excursions} of 100");
    assert!(excursions <= 1, "{excursions}");
}

/// Requests of a fast route (group 1) and, this share of them, a slow one (group 2).
fn mixed(rng: &mut Rng, slow: f64) -> (u8, u32) {
    let slow = rng.bad(slow);
    let waits = if slow { MEDIAN_40.slower(10.0) } else { MEDIAN_40 };
    (1 + u8::from(slow), waits.wait(rng))
}

#[test]
fn a_shift_in_the_mix_of_routes_is_not_a_slowdown() {
    let mut rng = Rng(25);
    let by_group = process(&history(100_000, 10, || mixed(&mut rng, 0.05)));
    let highest_by_group = highest(by_group, 50_000, |_| mixed(&mut rng, 0.8));
    let all_in_one = process(&history(100_000, 10, || (0, mixed(&mut rng, 0.05).1)));
    let highest_in_one = highest(all_in_one, 50_000, |_| (0, mixed(&mut rng, 0.8).1));
    println!("from 5 % to 80 % slow route: ln M {highest_by_group:.2} by group, {highest_in_one:.2} in one");
    assert!(highest_by_group < 2.0, "{highest_by_group}");
    assert!(highest_in_one > 14.0, "the shift is too tame to show anything: {highest_in_one}");
}

#[test]
fn a_group_without_a_limit_is_not_judged_and_the_others_are() {
    let mut rng = Rng(26);
    let mut process = process(&history(100_000, 10, || mixed(&mut rng, 0.001)));
    let limits = |group| Quantile::ALL.map(|quantile| process.limit(quantile, group).is_some());
    assert_eq!([limits(0), limits(1), limits(2), limits(33)], [[false; 2], [true; 2], [false; 2], [false; 2]]);
    let mut judged = |group| {
        (0..5_000).for_each(|i| process.observe(at_1000_rps(i), group, 60_000));
        process.quantiles().map(|quantile| quantile.requests).sum::<u64>()
    };
    assert_eq!([judged(0), judged(2), judged(33), judged(255)], [0; 4]);
    assert!(judged(1) > 0 && process.is_bad());
}

#[test]
fn nothing_is_judged_while_the_candidate_warms_up() {
    let history = log_normal_history(200_000, MEDIAN_40);
    let check = |millis_between: u32, warm_after: u32| {
        let mut process = process(&history);
        let gap = std::time::Duration::from_millis(u64::from(millis_between));
        for i in 1..=warm_after {
            assert!(process.is_warming_up(), "{i} of {warm_after}");
            process.observe(gap * i, 0, 60_000);
        }
        assert!(!process.is_warming_up() && (process.m() - 1.0).abs() < 1e-9);
        (0..30).for_each(|_| process.observe(gap * warm_after, 0, 60_000));
        assert!(process.is_bad(), "the mass has waited");
        process.restart(gap * warm_after);
        assert!(!process.is_bad() && !process.is_warming_up(), "warm is warm");
    };
    check(1, 2_000);
    check(15, 2_000);
    check(100, 300);
    check(60_000, 1);
}
