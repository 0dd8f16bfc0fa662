//! Slow requests that come in clusters: measured on the old colour, allowed for on the new one.

use super::*;
use crate::statistics::CLUSTERED;
use crate::statistics::latency::Quantile;

/// A service that pauses now and then, or gets more load than it can take: requests in a burst take longer.
#[derive(Clone)]
struct Bursts {
    inside: bool,
    /// Mean length of a burst in requests.
    length: f64,
    /// The share of requests in bursts.
    share: f64,
    factor: f64,
}

impl Bursts {
    fn wait(&mut self, rng: &mut Rng) -> u32 {
        let leave = 1.0 / self.length;
        self.inside = if self.inside { !rng.bad(leave) } else { rng.bad(leave * self.share / (1.0 - self.share)) };
        let factor = if self.inside { self.factor } else { 1.0 };
        MEDIAN_40.slower(factor).wait(rng)
    }
}

/// The same process with a D of 1, so that it bets at full strength.
fn untempered(process: &LatencyProcess) -> LatencyProcess {
    let mut saved = serde_json::to_value(process).unwrap();
    for part in saved["parts"].as_array_mut().unwrap() {
        part["slow"]["dispersion"] = 1.0.into();
    }
    serde_json::from_value(saved).unwrap()
}

/// How many of 100 watches of 20,000 requests see M over 100, which a supermartingale does in at most 1 %.
fn excursions(process: &LatencyProcess, bursts: &Bursts) -> usize {
    let mut rng = Rng(27);
    let exceeds = |_: &u32| {
        let (mut process, mut bursts) = (process.clone(), bursts.clone());
        (0..20_000).any(|i| {
            process.observe(at_1000_rps(i), 0, bursts.wait(&mut rng));
            process.m() > 100.0
        })
    };
    (0..100).filter(exceeds).count()
}

fn check(length: f64, share: f64, factor: f64) {
    let bursts = Bursts { inside: false, length, share, factor };
    let (mut rng, mut old) = (Rng(28), bursts.clone());
    let process = process(&history(200_000, 1, || (0, old.wait(&mut rng))));
    let dispersion: Vec<f64> = process.quantiles().map(|quantile| quantile.dispersion).collect();
    let (full, tempered) = (excursions(&untempered(&process), &bursts), excursions(&process, &bursts));
    println!(
        "bursts of {length}, {:.0} % of requests, x{factor}: D {dispersion:.1?}, M over 100 in {full} of 100 \
         untempered, {tempered} tempered",
        share * 100.0,
    );
    assert!(full >= 30, "the bursts are too tame to show anything: {full}");
    assert!(tempered <= 1, "{tempered} of 100");
}

#[test]
fn tempered_bets_leave_a_candidate_alone_that_pauses_as_the_old_colour_did() {
    check(3.0, 0.02, 8.0);
    check(10.0, 0.02, 8.0);
    check(20.0, 0.05, 4.0);
    check(50.0, 0.1, 3.0);
    // One request in a hundred waits for a collection of garbage: D by blocks alone, 4 for p90, ends 8 % of the
    // watches as bad.
    check(20.0, 0.012, 20.0);
}

#[test]
fn tempered_bets_still_find_a_slow_candidate() {
    for (length, share, factor) in [(3.0, 0.02, 8.0), (20.0, 0.012, 20.0)] {
        let bursts = Bursts { inside: false, length, share, factor };
        let (mut rng, mut old) = (Rng(31), bursts.clone());
        let warm = warm(&history(200_000, 1, || (0, old.wait(&mut rng))));
        for (slower, most) in [(2, 8_000), (10, 400)] {
            let needed = |_| {
                let (mut process, mut new) = (warm.clone(), bursts.clone());
                let mut judge = |i: &u64| {
                    process.observe(at_1000_rps(2_000 + i), 0, new.wait(&mut rng) * slower);
                    process.is_bad()
                };
                (1..100_000).find(|i| judge(i)).unwrap()
            };
            let mean = (0..50).map(needed).sum::<u64>() / 50;
            println!(
                "bursts of {length}, {:.1} % of requests, x{factor}: x{slower} after {mean} requests",
                share * 100.0
            );
            assert!(mean < most, "{mean} requests at x{slower}");
        }
    }
}

#[test]
fn a_colour_that_stalls_for_seconds_is_not_judged() {
    let mut stalls = Bursts { inside: false, length: 3_000.0, share: 0.02, factor: 20.0 };
    let mut rng = Rng(28);
    let history = history(200_000, 1, || (0, stalls.wait(&mut rng)));
    assert_eq!(LatencyProcess::new(&history, 1.2, BOUND_ALPHA, 2e6, MINUTES_5), None);
}

#[test]
fn waves_of_load_of_seconds_are_allowed_for_too() {
    check(500.0, 0.05, 2.0);
    check(2_000.0, 0.1, 2.0);
}

#[test]
fn independent_waits_do_not_look_clustered() {
    for gap_millis in [0, 1, 10, 100] {
        let mut rng = Rng(29);
        let history = history(200_000, gap_millis, || (0, MEDIAN_40.wait(&mut rng)));
        let [p90, p99] = Quantile::ALL.map(|quantile| history.dispersion(quantile).unwrap());
        println!("a request each {gap_millis} ms: D {p90:.2} (p90), {p99:.2} (p99)");
        assert!(p90 < CLUSTERED + 0.25 && p99 < CLUSTERED + 0.25);
    }
}

#[test]
fn one_incident_in_half_an_hour_is_left_out_and_three_are_how_this_colour_is() {
    let with_incidents = |incidents: u64| {
        let mut rng = Rng(30);
        let mut i = 0;
        history(200_000, 10, || {
            i += 1;
            // Of 10 s each, all requests slow.
            let slow = (50_000..50_000 + 20_000 * incidents).contains(&i) && i % 20_000 > 19_000;
            (0, MEDIAN_40.slower(if slow { 20.0 } else { 1.0 }).wait(&mut rng))
        })
    };
    let dispersion = |incidents| with_incidents(incidents).dispersion(Quantile::P90).unwrap();
    let [none, one, three] = [0, 1, 3].map(dispersion);
    println!("D {none:.2} without an incident, {one:.2} with one, {three:.2} with three");
    assert!(one < 1.25 * none.max(1.0), "{one}");
    assert!(three > 1.5, "{three}");
}
