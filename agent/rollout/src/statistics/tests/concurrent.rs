//! The candidate beside the old colour at a partial share: found out by where errors fall, immune to what both share.

use std::time::Duration;

use super::{MINUTES_5, Rng, at_1000_rps};
use crate::statistics::{Concurrent, LOG_THRESHOLD, Side};

/// Plays `limit` requests at a share; `rates` of the old colour and the candidate by request. Requests until log M is
/// over the threshold.
fn play(share: f64, limit: u64, rng: &mut Rng, rates: impl Fn(u64) -> (f64, f64)) -> (Concurrent, Option<u64>) {
    let mut process = Concurrent::new(1.5, 1.0, MINUTES_5);
    process.step(share);
    for i in 0..limit {
        let (old, new) = rates(i);
        let (side, rate) = if rng.bad(share) { (Side::New, new) } else { (Side::Old, old) };
        process.observe(at_1000_rps(i), side, rng.bad(rate));
        if process.log_m() >= LOG_THRESHOLD {
            return (process, Some(i + 1));
        }
    }
    (process, None)
}

#[test]
fn a_candidate_that_fails_more_than_the_old_colour_is_found_out() {
    let check = |share: f64, rate: f64, most: u64| {
        let mut rng = Rng(21);
        let needed: Vec<u64> =
            (0..200).map(|_| play(share, 1_000_000, &mut rng, |_| (0.005, rate)).1.unwrap()).collect();
        let mean = needed.iter().sum::<u64>() / 200;
        println!("share {share}, {:5.1} % against 0.5 %: mean {mean} requests of both colours", rate * 100.0);
        assert!(mean <= most, "{mean} at {rate}");
    };
    check(0.1, 1.0, 130);
    check(0.1, 0.2, 800);
    check(0.1, 0.05, 8_000);
    check(0.5, 1.0, 100);
    check(0.5, 0.2, 500);
}

#[test]
fn what_both_colours_share_moves_nothing() {
    let check = |what: &str, rates: &dyn Fn(u64) -> (f64, f64)| {
        let mut highest = f64::NEG_INFINITY;
        for seed in 0..100 {
            let (process, found) = play(0.1, 20_000, &mut Rng(seed), rates);
            assert_eq!(found, None, "{what}, seed {seed}");
            highest = highest.max(process.log_m());
        }
        println!("{what}: highest log M at the end of 100 runs {highest:.1}");
        assert!(highest < 8.0, "{what}: {highest}");
    };
    check("one rate", &|_| (0.005, 0.005));
    check("an outage of all of it", &|i| if (5_000..7_000).contains(&i) { (1.0, 1.0) } else { (0.005, 0.005) });
    check("a rate that drifts to 10 %", &|i| (i as f64 / 200_000.0, i as f64 / 200_000.0));
    check("1.5 times as bad, which is tolerated", &|_| (0.01, 0.015));
}

#[test]
fn users_who_ask_more_than_others_do_not_look_like_a_bad_candidate() {
    // A tenth of the users, ordered, makes three tenths of the requests.
    let mut rng = Rng(5);
    let mut process = Concurrent::new(1.5, 1.0, MINUTES_5);
    process.step(0.1);
    for i in 0..200_000 {
        let side = if rng.bad(0.3) { Side::New } else { Side::Old };
        process.observe(at_1000_rps(i), side, rng.bad(0.005));
    }
    println!("three times the ordered share: log M {:.1}", process.log_m());
    assert!(process.log_m() < 8.0);
    let [old, new] = [Side::Old, Side::New].map(|side| process.counts(side));
    assert_eq!(old.n0 + new.n0, 200_000);
}

/// The mean of M over every way in which `left` errors can fall, the candidate being exactly `rho` times as bad.
fn mean_m(process: &Concurrent, share: f64, left: u32, at: Duration) -> f64 {
    if left == 0 {
        return process.log_m().exp();
    }
    let on_candidate = share * 1.5 / (share * 1.5 + 1.0 - share);
    [(Side::New, on_candidate), (Side::Old, 1.0 - on_candidate)]
        .map(|(side, probability)| {
            let mut next = process.clone();
            next.observe(at, side, true);
            probability * mean_m(&next, share, left - 1, at + Duration::from_secs(20))
        })
        .iter()
        .sum()
}

#[test]
fn at_the_tolerated_ratio_the_mean_of_m_stays_one_over_all_steps() {
    for share in [0.05, 0.1, 0.5] {
        for (dispersion, exact) in [(1.0, true), (2.0, false)] {
            let mut process = Concurrent::new(1.5, dispersion, MINUTES_5);
            process.step(share);
            // So many that the share that was seen is not above the one that was ordered.
            (0..1_000).for_each(|_| process.observe(Duration::ZERO, Side::Old, false));
            let mean = mean_m(&process, share, 12, Duration::ZERO);
            assert!(mean <= 1.0 + 1e-9 && (!exact || mean >= 1.0 - 1e-9), "{mean} at {share} with D {dispersion}");
        }
    }
}

#[test]
fn with_all_or_none_of_the_traffic_there_is_nothing_to_compare() {
    for share in [0.0, 1.0] {
        let mut process = Concurrent::new(1.5, 1.0, MINUTES_5);
        process.step(share);
        (0..100).for_each(|i| process.observe(at_1000_rps(i), Side::New, true));
        assert_eq!((process.log_m(), process.counts(Side::New).n0), (0.0, 0));
    }
}
