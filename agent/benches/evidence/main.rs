//! What evidence costs: a log line read, a request judged, and 20,000 lines a second from HAProxy's ring to the machine.
//!
//! `cargo bench --bench evidence` measures; without `--bench`, as tests run it, everything is done once and only checked.
//! Bounds are printed and not asserted: a busy machine must not fail anything.

mod pipeline;
mod proxy;
mod watch;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use teal_agent::proxy::haproxy::evidence::{Line, Reader};
use teal_agent::proxy::haproxy::settings::{BadWhen, EdgeComponent, LatencyLimits};
use teal_rollout::machine::event::Observation;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if has("--list") {
        // As cargo-nextest asks.
        if !has("--ignored") {
            println!("everything_runs_once: test");
        }
        return Ok(());
    }
    let measures = has("--bench");
    let rounds = if measures { 200 } else { 1 };
    println!("| what | median | worst |");
    println!("|---|---|---|");
    lines(rounds);
    judged(rounds);
    pipeline::run(if measures { Duration::from_secs(10) } else { Duration::from_millis(300) })
}

/// The components that the benchmarks are about.
fn components() -> Vec<EdgeComponent> {
    let component =
        |name: &str| EdgeComponent { name: name.into(), limits: LatencyLimits::default(), bad: BadWhen::default() };
    vec![component("api"), component("web")]
}

/// Nanoseconds for each of `count` things that `work` does, over so many rounds.
fn measure(what: &str, rounds: usize, count: usize, mut work: impl FnMut()) {
    work();
    let mut nanos: Vec<f64> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64() * 1e9 / count as f64
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    println!("| {what} | {:.0} ns | {:.0} ns |", nanos[rounds / 2], nanos[rounds - 1]);
}

/// Lines as they come, one in a hundred bad.
fn lines(rounds: usize) {
    let reader = Reader::new(&components());
    let lines: Vec<String> = (0..1000).map(|n| proxy::line(1_795_413_742_000_000 + n * 50, n)).collect();
    measure("a log line read", rounds, lines.len(), || {
        for line in &lines {
            assert!(matches!(black_box(reader.read(black_box(line.as_bytes()))), Line::Request(_)), "{line}");
        }
    });
}

/// Requests of the candidate, in blocks as the edge sends them.
fn judged(rounds: usize) {
    let requests: Vec<Observation> = (0..1000).map(watch::request).collect();
    for size in [1, 20, 1000] {
        let mut watch = watch::Watch::new();
        let before = watch.judged();
        measure(&format!("a request judged, blocks of {size}"), rounds, requests.len(), || {
            for block in requests.chunks(size) {
                watch.take(Duration::from_micros(50) * u32::try_from(block.len()).unwrap_or(1), block.to_vec());
            }
        });
        assert_eq!(watch.judged() - before, 1000 * (rounds as u64 + 1));
    }
}
