//! The baseline's bounds: how much it holds, how far back it reaches, what a moving clock does to it.

use std::time::Duration;

use super::Rng;
use crate::statistics::{Baseline, Counts, DAY, MAX_REQUESTS, WEEK};

const NOW: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

#[test]
fn it_holds_the_last_requests_up_to_its_limit() {
    let mut baseline = Baseline::new(DAY);
    for i in 0..MAX_REQUESTS * 3 {
        baseline.observe(NOW + i / 10, i < MAX_REQUESTS);
        assert!(baseline.counts().n0 <= MAX_REQUESTS);
    }
    let Counts { n0, k0 } = baseline.counts();
    assert!(n0 >= MAX_REQUESTS * 98 / 100, "{n0}");
    assert_eq!(k0, 0, "the bad ones are long gone");
}

#[test]
fn it_forgets_what_is_older_than_its_reach() {
    for (reach, kept) in [(DAY, 24), (WEEK, 30), (Duration::from_secs(3 * 3600), 3)] {
        let mut baseline = Baseline::new(reach);
        (0..30 * 60).for_each(|minute| baseline.observe(NOW + minute * 60_000, false));
        let hours = baseline.counts().n0 as f64 / 60.0;
        assert!((hours - f64::from(kept)).abs() < 0.1, "{hours} h of {reach:?}");
        baseline.expire(NOW + 1_000 * HOUR);
        assert_eq!(baseline.counts(), Counts::default());
    }
}

#[test]
fn a_clock_set_back_neither_loses_history_nor_keeps_it_young() {
    let mut baseline = Baseline::new(DAY);
    (0..60).for_each(|i| baseline.observe(NOW + i * 60_000, true));
    // Ten years back: the hour so far becomes the hour before.
    let then = NOW - 87_600 * HOUR;
    baseline.observe(then, false);
    assert_eq!(baseline.counts(), Counts { n0: 61, k0: 60 });
    (0..25 * 60).for_each(|i| baseline.observe(then + i * 60_000, false));
    assert_eq!(baseline.counts().k0, 0, "aged by a day on the new clock");
}

#[test]
fn requests_reported_late_or_out_of_order_count_like_any() {
    let mut baseline = Baseline::new(DAY);
    let mut rng = Rng(10);
    (0..50_000).for_each(|i| baseline.observe(NOW + i - rng.next() % 3_000, false));
    assert_eq!(baseline.counts().n0, 50_000);
}

#[test]
fn a_seeded_history_holds_what_was_asked_and_shows_no_clusters() {
    for (n, k) in [(0, 0), (1, 1), (999, 5), (200_000, 1_000), (200_000, 0)] {
        let baseline = Baseline::seeded(n, k, NOW);
        assert_eq!(baseline.counts(), Counts { n0: n, k0: k });
        assert!((baseline.dispersion() - 1.0).abs() < 1e-9);
    }
    assert_eq!(Baseline::seeded(2_000_000, 10_000, NOW).counts(), Counts { n0: MAX_REQUESTS, k0: 1_000 });
    let mut baseline = Baseline::seeded(200_000, 1_000, NOW);
    (0..5_000).for_each(|i| baseline.observe(NOW + i, false));
    assert!(baseline.counts().n0 >= 196_000, "makes room a little at a time: {:?}", baseline.counts());
}

#[test]
fn any_sequence_of_times_is_taken() {
    let mut rng = Rng(11);
    let mut baseline = Baseline::new(Duration::MAX);
    for i in 0..20_000_u64 {
        baseline.observe(if i.is_multiple_of(3) { rng.next() } else { i }, rng.bad(0.1));
        let Counts { n0, k0 } = baseline.counts();
        assert!(k0 <= n0 && n0 <= MAX_REQUESTS);
    }
    assert!(baseline.dispersion().is_finite());
}

#[test]
fn an_incident_neither_raises_what_is_tolerated_nor_blunts_the_bets() {
    let mut baseline = Baseline::new(DAY);
    // 1,000 requests a second and 0.5 % bad; everything fails for 5 s in the middle of a minute.
    for i in 0..60_000 {
        baseline.observe(NOW + i, (20_000..25_000).contains(&i) || i % 200 == 0);
    }
    let Counts { n0, k0 } = baseline.counts();
    assert!((54_800..=55_200).contains(&n0) && (270..=400).contains(&k0), "{k0} of {n0}");
    assert!(baseline.dispersion() < 2.0, "{}", baseline.dispersion());
}
