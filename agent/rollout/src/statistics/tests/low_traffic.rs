//! What a watch of five minutes sees at one request a second or less, and what it does not.

use std::time::Duration;

use super::{MINUTES_5, Rng};
use crate::colour::Colour;
use crate::criteria::{Criteria, Probes};
use crate::observation::Observation;
use crate::statistics::{Evidence, History, Samples};

const SECONDS: u64 = 300;
const RUNS: u64 = 300;

/// What the candidate is compared with.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    history: (u64, u64),
    acceptable_error_rate: f64,
}

const HISTORY: Known = Known { name: "history of 30,000, 0.5 %", history: (30_000, 150), acceptable_error_rate: 0.05 };
const POLICY_5: Known = Known { name: "policy 5 %", history: (0, 0), acceptable_error_rate: 0.05 };
const POLICY_1: Known = Known { name: "policy 1 %", history: (0, 0), acceptable_error_rate: 0.01 };

/// One watch: when it ended as bad, after how many requests and probes, and what was left of it otherwise.
struct Watched {
    bad: Option<(u64, u64)>,
    evidence: Evidence,
    samples: Samples,
}

/// Requests come by chance, `often` a second on average; a probe each second in which fewer than ten came in the last ten.
fn watch(known: Known, often: f64, rate: f64, probed: bool, rng: &mut Rng) -> Watched {
    let probes = probed.then_some(Probes { below: 1.0, every: Duration::from_secs(1) });
    let criteria = Criteria { acceptable_error_rate: known.acceptable_error_rate, probes, ..Criteria::default() };
    let (n, k) = known.history;
    let history = History::seeded(n, k, 0);
    let mut evidence = Evidence::new(&history, &criteria, false, MINUTES_5);
    let mut samples = Samples::new(&criteria, MINUTES_5);
    let mut recent = [0_u32; 10];
    for second in 0..SECONDS {
        let elapsed = Duration::from_secs(second);
        let slot = &mut recent[usize::try_from(second % 10).unwrap()];
        *slot = (0..10).map(|_| u32::from(rng.bad(often / 10.0))).sum();
        for _ in 0..*slot {
            evidence.observe(elapsed, &Observation::new(0, Colour::Green, 1, rng.bad(rate)));
        }
        if probed && recent.iter().sum::<u32>() < 10 {
            samples.observe(elapsed, rng.bad(rate), Duration::ZERO);
        }
        if evidence.is_bad() || samples.is_bad() {
            let bad = Some((evidence.requests(), samples.counts().n0));
            return Watched { bad, evidence, samples };
        }
    }
    Watched { bad: None, evidence, samples }
}

/// The share of watches that end as bad, printed with what it took.
fn caught(known: Known, often: f64, rate: f64, probed: bool) -> f64 {
    let mut rng = Rng(42);
    let all: Vec<(u64, u64)> = (0..RUNS).filter_map(|_| watch(known, often, rate, probed, &mut rng).bad).collect();
    let mean = |of: fn(&(u64, u64)) -> u64| all.iter().map(of).sum::<u64>() as f64 / all.len().max(1) as f64;
    let share = all.len() as f64 / RUNS as f64;
    let took = format!("{:5.1} requests, {:5.1} probes", mean(|bad| bad.0), mean(|bad| bad.1));
    println!(
        "{:26} {often} a second, {:9} {:5.0} %: caught {:5.1} %   {}",
        known.name,
        if probed { "probes" } else { "no probes" },
        rate * 100.0,
        share * 100.0,
        if all.is_empty() { String::new() } else { took },
    );
    share
}

/// What a watch without a failure excludes, by requests and by probes.
fn clean(known: Known, requests: (f64, f64), probes: (f64, f64)) {
    let mut rng = Rng(7);
    let clean = watch(known, 1.0, 0.0, true, &mut rng);
    let (by_requests, by_probes) = (clean.evidence.excludable().unwrap(), clean.samples.excludable().unwrap());
    println!(
        "{:26} a clean watch excludes > {:.1} % by {} requests, > {:.1} % of what is probed by {} probes",
        known.name,
        by_requests * 100.0,
        clean.evidence.requests(),
        by_probes * 100.0,
        clean.samples.counts().n0,
    );
    assert!((requests.0..requests.1).contains(&by_requests), "{by_requests}");
    assert!((probes.0..probes.1).contains(&by_probes), "{by_probes}");
}

#[test]
fn five_minutes_at_one_request_a_second_see_what_fails_often_and_not_what_fails_seldom() {
    let check = |known, rate, without: (f64, f64), with: (f64, f64)| {
        let found = [caught(known, 1.0, rate, false), caught(known, 1.0, rate, true)];
        assert!((without.0..=without.1).contains(&found[0]), "{rate}: {found:?}");
        assert!((with.0..=with.1).contains(&found[1]), "{rate}: {found:?}");
    };
    let (always, never, sometimes) = ((1.0, 1.0), (0.0, 0.0), (0.0, 1.0));
    for known in [HISTORY, POLICY_5, POLICY_1] {
        check(known, 1.0, always, always);
        check(known, 0.5, always, always);
    }
    check(HISTORY, 0.2, always, always);
    check(HISTORY, 0.1, (0.99, 1.0), (0.99, 1.0));
    check(HISTORY, 0.05, sometimes, sometimes);
    check(HISTORY, 0.02, (0.0, 0.2), (0.0, 0.2));
    check(POLICY_5, 0.2, (0.9, 1.0), (0.9, 1.0));
    check(POLICY_5, 0.1, (0.0, 0.2), (0.0, 0.2));
    check(POLICY_5, 0.05, never, never);
    check(POLICY_5, 0.02, never, never);
    check(POLICY_1, 0.2, always, always);
    check(POLICY_1, 0.1, (0.9, 1.0), (0.9, 1.0));
    check(POLICY_1, 0.05, sometimes, sometimes);
    check(POLICY_1, 0.02, (0.0, 0.2), (0.0, 0.2));
    clean(HISTORY, (0.05, 0.1), (0.2, 0.3));
    clean(POLICY_5, (0.1, 0.25), (0.2, 0.3));
    clean(POLICY_1, (0.03, 0.12), (0.05, 0.2));
}

#[test]
fn at_a_request_in_ten_seconds_probes_see_what_requests_cannot() {
    let check = |known, rate, without: (f64, f64), with: (f64, f64)| {
        let found = [caught(known, 0.1, rate, false), caught(known, 0.1, rate, true)];
        assert!((without.0..=without.1).contains(&found[0]), "{rate}: {found:?}");
        assert!((with.0..=with.1).contains(&found[1]), "{rate}: {found:?}");
    };
    for known in [HISTORY, POLICY_5, POLICY_1] {
        check(known, 1.0, (0.99, 1.0), (1.0, 1.0));
        check(known, 0.5, (0.5, 1.0), (1.0, 1.0));
        check(known, 0.2, (0.0, 0.5), (0.99, 1.0));
        check(known, 0.1, (0.0, 0.1), (0.0, 1.0));
        check(known, 0.05, (0.0, 0.05), (0.0, 0.5));
        check(known, 0.02, (0.0, 0.01), (0.0, 0.05));
    }
}

/// Without a single request only probes can see anything.
#[test]
fn with_no_request_at_all_only_probes_see_a_failure() {
    let mut samples = Samples::new(&Criteria::default(), MINUTES_5);
    for second in 0..SECONDS {
        samples.observe(Duration::from_secs(second), second >= 120, Duration::ZERO);
        if samples.is_bad() {
            println!("a candidate that fails from second 120 on is bad at second {second}, by probes alone");
            return assert!(second < 135, "{second}");
        }
    }
    panic!("{samples:?}");
}
