use super::model::{Colour, Log, Request};
use super::*;
use crate::proxy::haproxy::stall::Stall;
use fastrand::Rng;
use proptest::prelude::*;
use teal_rollout::statistics::ErrorProcess;

const LIMIT: Duration = Duration::from_secs(1);
const SECOND: u64 = 1_000_000;
const RUNS: u64 = 40;
const LIVE: Log = Log { lost: 0.0, delay: 500, stale: 500 };

fn micros(seconds: f64) -> u64 {
    u64::try_from(Duration::from_secs_f64(seconds).as_micros()).unwrap()
}

/// Requests from `from` to `to`, so many a second at random, each made by `request` from its arrival.
fn arrivals(
    rng: &mut Rng,
    rate: f64,
    from: u64,
    to: u64,
    mut request: impl FnMut(&mut Rng, u64) -> Request,
) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut at = from;
    loop {
        at += micros(-rng.f64().max(1e-12).ln() / rate);
        if at >= to {
            return requests;
        }
        requests.push(request(rng, at));
    }
}

/// Answered after `wait` and at an end `open` later, in microseconds.
const fn answered(arrived: u64, wait: u64, open: u64) -> Request {
    Request { arrived, answered: Some(arrived + wait), ended: arrived + wait + open }
}

/// Never answered; HAProxy's time-out ends it.
const fn hangs(arrived: u64) -> Request {
    Request { arrived, answered: None, ended: arrived + 30 * SECOND }
}

/// Looks each 25 ms from 0 to `to` and gives the greatest number found.
fn greatest(colour: &mut Colour, to: u64) -> u64 {
    let mut overdue = Overdue::new(LIMIT);
    (0..to).step_by(25_000).map(|asked| colour.follow(&mut overdue, asked, LIMIT).0).max().unwrap_or(0)
}

#[test]
fn requests_that_hang_among_others_are_counted_to_the_last_one() {
    let mut rng = Rng::with_seed(1);
    let requests = arrivals(&mut rng, 1_000.0, SECOND, 4 * SECOND, |rng, at| {
        if rng.f64() < 0.02 { hangs(at) } else { answered(at, rng.u64(1_000..50_000), 0) }
    });
    let mut colour = Colour::new(requests, LIVE, Vec::new(), rng);
    let mut overdue = Overdue::new(LIMIT);
    let mut most = 0;
    for asked in (0..4 * SECOND).step_by(25_000) {
        let (found, truth) = colour.follow(&mut overdue, asked, LIMIT);
        most = most.max(found);
        // 25 ms until the look that dates them, 25 ms until it is believed, and some in doubt at each look.
        let sure = colour.truly_overdue(asked.saturating_sub(52_000), LIMIT);
        assert!(found <= truth && most + 8 >= sure, "{asked}: {found}, {most} so far, not {sure} to {truth}");
    }
    assert!(colour.truly_overdue(4 * SECOND, LIMIT) > 30);
}

#[test]
fn web_sockets_are_not_overdue_and_hide_nothing() {
    let mut rng = Rng::with_seed(2);
    let mut requests = arrivals(&mut rng, 300.0, SECOND, 2 * SECOND, |_, at| answered(at, 5_000, 60 * SECOND));
    requests.extend(arrivals(&mut rng, 200.0, SECOND, 6 * SECOND, |_, at| answered(at, 5_000, 1_000)));
    let mut colour = Colour::new(requests.clone(), LIVE, Vec::new(), rng.clone());
    assert_eq!(greatest(&mut colour, 6 * SECOND), 0);
    requests.extend((0..10).map(|i| hangs(4 * SECOND + i * 1_000)));
    let mut colour = Colour::new(requests, LIVE, Vec::new(), rng);
    let found = greatest(&mut colour, 6 * SECOND);
    assert!((9..=10).contains(&found), "{found}");
}

#[test]
fn downloads_that_began_within_the_limit_hide_as_many() {
    let mut rng = Rng::with_seed(2);
    let mut requests =
        arrivals(&mut rng, 20.0, SECOND, 6 * SECOND, |rng, at| answered(at, 5_000, rng.u64(0..4 * SECOND)));
    let mut colour = Colour::new(requests.clone(), LIVE, Vec::new(), rng.clone());
    assert_eq!(greatest(&mut colour, 6 * SECOND), 0);
    requests.extend((0..50).map(|i| hangs(3 * SECOND + i * 1_000)));
    let mut colour = Colour::new(requests, LIVE, Vec::new(), rng);
    let found = greatest(&mut colour, 6 * SECOND);
    assert!((30..=50).contains(&found), "{found}");
}

#[test]
fn what_was_in_flight_at_the_first_look_may_be_a_download() {
    let requests = (0..50).map(|i| hangs(i * 100)).collect();
    let mut colour = Colour::new(requests, LIVE, Vec::new(), Rng::with_seed(3));
    let mut overdue = Overdue::new(LIMIT);
    for asked in (10_000..5 * SECOND).step_by(25_000) {
        assert_eq!(colour.follow(&mut overdue, asked, LIMIT).0, 0);
    }
}

#[test]
fn without_lines_nothing_is_said() {
    let mut rng = Rng::with_seed(4);
    let requests = arrivals(&mut rng, 500.0, SECOND, 5 * SECOND, |rng, at| answered(at, rng.u64(1_000..900_000), 0));
    let mut colour = Colour::new(requests, Log { lost: 1.0, ..LIVE }, Vec::new(), rng);
    assert_eq!(greatest(&mut colour, 5 * SECOND), 0);
}

prop_compose! {
    /// Quick, slow, hanging and endless requests, some clients gone, in any mixture.
    fn traffic()(
        seed in any::<u64>(),
        rate in 5.0..2_000.0_f64,
        hang in 0.0..0.5_f64,
        endless in 0.0..0.3_f64,
        slowest in 1_000..1_500_000_u64,
    ) -> (Vec<Request>, Rng) {
        let mut rng = Rng::with_seed(seed);
        let requests = arrivals(&mut rng, rate, 0, 3 * SECOND, |rng, at| {
            let wait = rng.u64(500..slowest);
            match rng.f64() {
                x if x < hang / 2.0 => hangs(at),
                x if x < hang => Request { arrived: at, answered: None, ended: at + wait },
                x if x < hang + endless => answered(at, wait, rng.u64(0..10 * SECOND)),
                _ => answered(at, wait, rng.u64(0..20_000)),
            }
        });
        (requests, rng)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn never_are_more_overdue_than_have_waited_for_the_limit(
        (requests, rng) in traffic(),
        first in 0..SECOND,
        lost in prop_oneof![Just(0.0), 0.0..1.0_f64],
        delay in prop_oneof![Just(500_u64), 0..2 * SECOND],
        stale in prop_oneof![Just(500_u64), 0..100_000_u64],
        mut steps in prop::collection::vec(
            (0..4 * SECOND, prop_oneof![-900_i64..900, -50_000_i64..50_000, -5_000_000_i64..5_000_000]), 0..4),
        pauses in prop::collection::vec(prop_oneof![20_000..30_000_u64, 5_000..500_000_u64], 160),
    ) {
        let looks = pauses.iter().scan(first, |asked, pause| Some(std::mem::replace(asked, *asked + pause)));
        let looks: Vec<u64> = looks.collect();
        // A step right before the first look cannot be seen, and lines from before it are read after it.
        steps.retain(|(at, _)| *at >= first || *at + delay + stale < first);
        steps.sort_unstable();
        // Of two steps between two looks only the sum can be seen.
        steps.dedup_by(|(at, _), (before, _)| !looks.iter().any(|look| *before < *look && *look + 1_000 < *at));
        let mut ahead = 0;
        for (_, step) in &mut steps {
            ahead += *step;
            *step = ahead;
        }
        let limit = Duration::from_millis(400);
        let mut colour = Colour::new(requests, Log { lost, delay, stale }, steps, rng);
        let mut overdue = Overdue::new(limit);
        for asked in looks {
            let (found, truth) = colour.follow(&mut overdue, asked, limit);
            prop_assert!(found <= truth, "at {} us {} were found, {} are true", asked, found, truth);
        }
    }
}

/// What one run came to, from the first request of the candidate: all of them hang with this chance.
struct Run {
    /// Milliseconds from the first that hangs to when it was told, and to when five were.
    told: [f64; 2],
    /// Requests judged until the verdict, and its time in milliseconds after the limit.
    requests: f64,
    millis: f64,
}

fn run(rate: f64, share: f64, seed: u64) -> Run {
    let mut rng = Rng::with_seed(seed);
    // Long enough for a verdict.
    let end = 2 * SECOND + micros(200.0 / share / rate);
    let requests = arrivals(&mut rng, rate, 100_000, end, |rng, at| {
        if rng.f64() < share { hangs(at) } else { answered(at, rng.u64(1_000..20_000), 0) }
    });
    let first = requests.iter().find(|r| r.answered.is_none()).unwrap().arrived;
    let mut colour = Colour::new(requests, LIVE, Vec::new(), rng);
    let (mut overdue, mut stall) = (Overdue::new(LIMIT), Stall::new(LIMIT));
    let mut process = ErrorProcess::new(0.0075, 1.0, Duration::from_secs(300));
    let (mut told, mut told_at) = (0, [f64::NAN; 2]);
    for asked in (0..end).step_by(25_000) {
        for (end, request) in colour.lines(asked) {
            overdue.ended(&end);
            // The others were told before.
            if request.answered.is_some() {
                process.observe(Duration::from_micros(end.ended % SECOND), false);
            } else {
                told -= 1;
            }
        }
        let (look, _) = colour.look(asked);
        let found = overdue.look(&look).max(stall.overdue(look.asked, look.seen, look.counts));
        for _ in told..found {
            process.observe(Duration::from_micros(asked), true);
        }
        told = told.max(found);
        for (at, least) in told_at.iter_mut().zip([1, 5]) {
            if at.is_nan() && told >= least {
                *at = (asked - first) as f64 / 1e3;
            }
        }
        if process.is_bad() && !told_at[1].is_nan() {
            let requests = process.requests() as f64;
            return Run { told: told_at, requests, millis: asked as f64 / 1e3 - 100.0 - LIMIT.as_millis() as f64 };
        }
    }
    unreachable!("a verdict")
}

#[test]
fn hanging_requests_are_told_soon_and_found_as_fast_as_failing_ones() {
    /// Mean and greatest.
    fn of(runs: &[Run], value: impl Fn(&Run) -> f64) -> [f64; 2] {
        let mut values: Vec<f64> = runs.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        [values.iter().sum::<f64>() / values.len() as f64, values[values.len() - 1]]
    }
    println!("limit 1 s, looks each 25 ms, p0 0.75 %, {RUNS} runs; mean (worst)");
    println!("| requests/s | hang | first told, ms | five told, ms | requests to the verdict | ms after the limit |");
    println!("|---|---|---|---|---|---|");
    // The mean number of requests, from the simulation of requests that fail at once, and those of the first second.
    for (share, most) in [(1.0, 20.0), (0.2, 120.0), (0.05, 600.0), (0.02, 3_500.0)] {
        for rate in [1_000.0, 100.0] {
            let runs: Vec<Run> = (0..RUNS).map(|seed| run(rate, share, seed)).collect();
            let told = [0, 1].map(|k| of(&runs, |run| run.told[k]));
            let (requests, millis) = (of(&runs, |run| run.requests), of(&runs, |run| run.millis));
            let cells = [told[0], told[1], requests, millis].map(|[mean, worst]| format!("{mean:.0} ({worst:.0})"));
            println!("| {rate} | {:.0} % | {} |", share * 100.0, cells.join(" | "));
            // What was answered within the first limit came before the first that hangs could be told.
            let head_start = rate * (1.0 - share);
            assert!(requests[0] <= most + head_start + 0.1 * rate, "{share} {rate} {requests:?}");
            if share == 1.0 {
                assert!(told[0][1] <= 1_060.0, "{told:?}");
            }
        }
    }
}
