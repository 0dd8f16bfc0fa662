//! How many requests a slow candidate takes to be found out.

use super::*;
use crate::statistics::latency::WARM_UP_REQUESTS;

/// The most requests a run is given.
const LIMIT: u64 = 100_000;

/// A candidate that becomes slow after its warm-up and so many good requests.
struct Candidate {
    usual: LogNormal,
    factor: f64,
    /// The share of its requests that become slower.
    share: f64,
    onset: u64,
}

impl Candidate {
    /// Requests from the onset on until it is found out, `None` within [`LIMIT`].
    fn found_after(&self, mut process: LatencyProcess, rng: &mut Rng) -> Option<u64> {
        let onset = WARM_UP_REQUESTS + self.onset;
        (WARM_UP_REQUESTS..onset).for_each(|i| process.observe(at_1000_rps(i), 0, self.usual.wait(rng)));
        assert!(!process.is_bad());
        let slower = self.usual.slower(self.factor);
        let found = (0..LIMIT).find(|i| {
            let waits = if rng.bad(self.share) { slower } else { self.usual };
            process.observe(at_1000_rps(onset + i), 0, waits.wait(rng));
            process.is_bad()
        });
        Some(found? + 1)
    }

    /// Mean and 99th percentile over `runs`, and how many of them missed it.
    fn detection(&self, runs: usize) -> (f64, u64, usize) {
        let warm = warm(&log_normal_history(200_000, self.usual));
        let mut rng = Rng(21);
        let mut found: Vec<u64> = (0..runs).filter_map(|_| self.found_after(warm.clone(), &mut rng)).collect();
        found.sort_unstable();
        let mean = found.iter().sum::<u64>() as f64 / found.len().max(1) as f64;
        (mean, found.get(runs * 99 / 100 - 1).copied().unwrap_or(u64::MAX), runs - found.len())
    }
}

fn check(share: f64, factor: f64, onset: u64, mean: f64, p99: u64) {
    let found = Candidate { usual: MEDIAN_40, factor, share, onset }.detection(400);
    println!(
        "{:3.0} % slower x{factor} after {onset} good ones: mean {:.1} requests, p99 {}, missed {}",
        share * 100.0,
        found.0,
        found.1,
        found.2
    );
    assert_eq!(found.2, 0, "missed at x{factor}");
    assert!((found.0 / mean - 1.0).abs() < 0.1, "mean {} instead of {mean} at x{factor}", found.0);
    assert!((found.1 as f64 / p99 as f64 - 1.0).abs() < 0.2, "p99 {} instead of {p99} at x{factor}", found.1);
}

#[test]
fn a_slow_candidate_is_found_out_as_fast_as_promised() {
    check(1.0, 1.5, 0, 3_080.0, 6_000);
    check(1.0, 2.0, 0, 110.0, 220);
    check(1.0, 10.0, 0, 5.2, 8);
}

#[test]
fn a_candidate_that_becomes_slow_late_is_found_out_too() {
    check(1.0, 1.5, 5_000, 4_200.0, 7_600);
    check(1.0, 2.0, 5_000, 166.0, 290);
    check(1.0, 10.0, 5_000, 8.2, 11);
}

#[test]
fn a_candidate_of_which_a_part_is_slow_is_found_out_too() {
    // One of three replicas; one route in twenty.
    check(1.0 / 3.0, 3.0, 0, 149.0, 320);
    check(0.05, 10.0, 0, 520.0, 1_110);
}

#[test]
fn below_the_guard_of_20_ms_a_fast_service_may_become_slower() {
    let usual = LogNormal { median: 5.0, sigma: 0.5 };
    for (factor, runs, missed) in [(1.5, 10, 10), (2.0, 10, 10), (5.0, 100, 0), (10.0, 100, 0)] {
        let found = Candidate { usual, factor, share: 1.0, onset: 0 }.detection(runs);
        println!("median 5 ms, x{factor}: mean {:.1} requests, missed {} of {runs}", found.0, found.2);
        assert_eq!(found.2, missed, "x{factor}");
        assert!(missed > 0 || found.0 < 60.0, "mean {} at x{factor}", found.0);
    }
}
