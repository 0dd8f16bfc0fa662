//! Errors that come in clusters: measured on the old colour, allowed for on the new one.

use std::time::Duration;

use super::{MINUTES_5, Rng, at_1000_rps};
use crate::statistics::{Baseline, CLUSTERED, DAY, ErrorProcess, tolerated};

/// Requests that fail half of the time within bursts, and 0.5 % of the time over all.
struct Bursts {
    rng: Rng,
    inside: bool,
    /// Mean length of a burst in requests.
    length: f64,
}

impl Bursts {
    fn new(length: f64, seed: u64) -> Self {
        Self { rng: Rng(seed), inside: false, length }
    }

    fn next(&mut self) -> bool {
        self.inside = if self.inside { !self.rng.bad(1.0 / self.length) } else { self.rng.bad(0.01 / self.length) };
        self.inside && self.rng.bad(0.5)
    }
}

/// The history of 200,000 requests, one each `gap_millis`.
fn history(gap_millis: u64, mut bad: impl FnMut() -> bool) -> Baseline {
    let mut baseline = Baseline::new(DAY);
    (0..200_000).for_each(|i| baseline.observe(1_700_000_000_000 + i * gap_millis, bad()));
    baseline
}

#[test]
fn independent_errors_do_not_look_clustered_and_bursts_do_at_any_traffic() {
    let (mut rng, mut bursts) = (Rng(5), Bursts::new(10.0, 6));
    for gap_millis in [0, 1, 50, 400] {
        let independent = history(gap_millis, || rng.bad(0.005)).dispersion();
        let clustered = history(gap_millis, || bursts.next()).dispersion();
        println!("a request each {gap_millis} ms: D {independent:.2} independent, {clustered:.2} in bursts");
        assert!((0.8..1.2).contains(&independent), "{independent} at {gap_millis} ms");
        assert!(clustered > 3.0, "{clustered} at {gap_millis} ms");
    }
}

#[test]
fn a_burst_of_traffic_is_not_taken_for_a_burst_of_errors() {
    let mut rng = Rng(7);
    let mut baseline = Baseline::new(DAY);
    let mut now = 1_700_000_000_000;
    for second in 0..400 {
        // A tenth of the seconds carries ten times the traffic.
        let requests = if second % 10 == 0 { 2_500 } else { 250 };
        for i in 0..requests {
            baseline.observe(now + i * 1_000 / requests, rng.bad(0.02));
        }
        now += 1_000;
    }
    assert!(baseline.dispersion() < CLUSTERED, "{}", baseline.dispersion());
}

/// How many of 300 watches of 50,000 requests ever see M over 100, which a supermartingale does in at most 1 %.
fn excursions(length: f64, dispersion: f64, p0: f64) -> usize {
    (0..300)
        .filter(|run| {
            let mut bursts = Bursts::new(length, 1_000 + run);
            let mut process = ErrorProcess::new(p0, dispersion, MINUTES_5);
            (0..50_000).any(|i| {
                process.observe(at_1000_rps(i), bursts.next());
                process.log_m() > 100_f64.ln()
            })
        })
        .count()
}

#[test]
fn tempered_bets_leave_a_candidate_alone_that_clusters_as_the_old_colour_did() {
    for length in [1.4, 2.0, 3.5, 10.0] {
        let mut bursts = Bursts::new(length, 8);
        let baseline = history(1, || bursts.next());
        let p0 = tolerated(baseline.counts(), 1.5, 5e-7, 0.05).p0;
        let dispersion = baseline.dispersion();
        let (untempered, tempered) = (excursions(length, 1.0, p0), excursions(length, dispersion, p0));
        println!(
            "bursts of {length}: D {dispersion:.2}, M over 100 in {untempered} of 300 untempered, {tempered} tempered"
        );
        assert!(untempered >= 30, "the bursts are too tame to show anything: {untempered}");
        assert!(tempered <= 3, "{tempered} of 300");
    }
}

#[test]
fn tempered_bets_still_find_a_bad_candidate() {
    for (dispersion, rate, most) in [(1.09, 1.0, 4), (4.0, 1.0, 26), (4.0, 0.2, 500), (10.0, 1.0, 70)] {
        let mut rng = Rng(9);
        let mut process = ErrorProcess::new(0.0075, dispersion, MINUTES_5);
        let needed = super::requests_to_detect(&mut process, &mut rng, rate, 100_000).unwrap();
        assert!(needed <= most, "{needed} at {rate} with D {dispersion}");
    }
}

#[test]
fn a_rate_far_above_the_tolerated_one_is_no_proof_of_a_good_candidate_however_blunt_the_bets() {
    let check = |p0, dispersion, requests: u64, bad: u64, exceeds| {
        let watch = Duration::from_secs(8);
        let mut process = ErrorProcess::new(p0, dispersion, watch);
        // After an outage late in the watch, with hardly any mass left.
        process.restart(watch);
        // Evenly, as a candidate fails that is bad all the time.
        (0..requests).for_each(|i| process.observe(watch, (i + 1) * bad / requests > i * bad / requests));
        assert!(!process.is_bad(), "{bad} of {requests}: {}", process.log_m());
        assert_eq!(process.exceeds_tolerated(), exceeds, "{bad} of {requests}");
    };
    check(0.0395, 9.98, 800, 147, true);
    check(0.0395, 9.98, 800, 60, false);
    check(0.0031, 8.49, 65, 12, true);
    check(0.0031, 8.49, 65, 0, false);
    check(0.0022, 1.0, 800, 0, false);
}

#[test]
fn a_candidate_that_clusters_as_the_old_colour_did_is_seldom_watched_longer_for_it() {
    for length in [1.4, 2.0, 3.5, 10.0] {
        let mut bursts = Bursts::new(length, 8);
        let baseline = history(1, || bursts.next());
        let p0 = tolerated(baseline.counts(), 1.5, 5e-7, 0.05).p0;
        for requests in [100, 800, 5_000] {
            let exceed = (0..2_000)
                .filter(|run| {
                    let mut bursts = Bursts::new(length, 5_000 + run);
                    let mut process = ErrorProcess::new(p0, baseline.dispersion(), MINUTES_5);
                    (0..requests).for_each(|i| process.observe(at_1000_rps(i), bursts.next()));
                    process.exceeds_tolerated()
                })
                .count();
            println!("bursts of {length}: after {requests} requests {exceed} of 2000 exceed what is tolerated");
            assert!(exceed <= 100, "{exceed} of 2000 after {requests} requests");
        }
    }
}
