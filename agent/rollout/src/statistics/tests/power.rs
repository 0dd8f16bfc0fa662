//! That "watched well enough to exclude" means what it says.

use super::{MINUTES_5, Rng, requests_to_detect};
use crate::statistics::ErrorProcess;

fn after(p0: f64, n: u64) -> Option<f64> {
    let mut process = ErrorProcess::new(p0, 1.0, MINUTES_5);
    (0..n).for_each(|i| process.observe(super::at_1000_rps(i), false));
    process.excludable()
}

fn check(p0: f64, n: u64) {
    let rate = after(p0, n).unwrap();
    let mut rng = Rng(n);
    let runs = (20_000_000 / n).clamp(1_000, 20_000);
    let detected = (0..runs)
        .filter(|_| requests_to_detect(&mut ErrorProcess::new(p0, 1.0, MINUTES_5), &mut rng, rate, n).is_some())
        .count();
    let share = detected as f64 / runs as f64;
    println!(
        "p0 {:5.2} %, {n:6} requests exclude {:6.3} %: detected in {:.1} %",
        p0 * 100.0,
        rate * 100.0,
        share * 100.0
    );
    assert!(share >= 0.93, "{rate} after {n} requests at {p0}: detected in {share}");
    assert!(share <= 0.995, "{rate} after {n} requests at {p0} promises too little: detected in {share}");
}

#[test]
fn the_excluded_rate_is_detected_as_often_as_it_says() {
    for p0 in [0.001, 0.0075, 0.05] {
        for n in [20, 300, 3_000, 20_000] {
            check(p0, n);
        }
    }
}

#[test]
fn too_few_requests_exclude_nothing_and_more_exclude_more() {
    assert_eq!(after(0.0075, 0), None);
    assert_eq!(after(0.0075, 3), None);
    let mut before = 1.0;
    for n in [5, 10, 30, 100, 300, 1_000, 10_000, 100_000] {
        let rate = after(0.0075, n).unwrap();
        assert!(rate < before && rate > 0.0075, "{n} requests exclude {rate}");
        before = rate;
    }
}
