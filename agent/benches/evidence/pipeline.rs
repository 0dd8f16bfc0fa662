//! The real adapter and a machine on one thread, beside a HAProxy that logs as fast as the agent must follow.
//!
//! ```text
//! proxy.rs --log, counters--> ring reader, looks, hangs --blocks--> Machine        the right side is measured
//! ```

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use teal_agent::proxy::haproxy::edge;
use teal_agent::proxy::haproxy::map_file;
use teal_agent::proxy::haproxy::settings::{EdgeSettings, LogSource};
use teal_rollout::machine::event::Event;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{components, proxy, watch};

/// Lines a second.
const RATE: u64 = 20_000;
/// As in the agent.
const EVENTS: usize = 4_096;

pub(crate) fn run(length: Duration) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(follow(length))
}

async fn follow(length: Duration) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let settings = EdgeSettings {
        environment: "bench".into(),
        components: components(),
        map: folder.path().join("bench.map"),
        socket: folder.path().join("haproxy.sock"),
        ports: Vec::new(),
        master_socket: None,
        log: LogSource::Ring,
        timeout: Duration::from_secs(5),
    };
    map_file::write(&settings.map, &proxy::policy().parse()?)?;
    let written = proxy::start(&settings.socket, RATE, length)?;
    let (_orders, taken) = mpsc::channel(1);
    let (events, mut said) = mpsc::channel(EVENTS);
    let stop = CancellationToken::new();
    let mut watch = watch::Watch::new();
    let total = proxy::due(RATE, length);
    let handle = edge::spawn(&settings, 0, taken, events, stop.clone())?;
    let (began, cpu) = (Instant::now(), cpu());
    let (mut first, mut got, mut blocks) = (None, 0, 0_u64);
    let mut last = Instant::now();
    while written.lines.load(Ordering::Acquire) < total || got + written.overwritten.load(Ordering::Relaxed) < total {
        let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(2), said.recv()).await else { break };
        match event {
            Event::Requests(block) => {
                first.get_or_insert_with(Instant::now);
                got += block.requests.len() as u64;
                blocks += 1;
                watch.take(last.elapsed(), block.requests);
                last = Instant::now();
            }
            other => watch.hear(other),
        }
    }
    let took = first.unwrap_or(began).elapsed().as_secs_f64();
    let used = self::cpu().zip(cpu).map(|(now, before)| now - before);
    let counters = handle.monitor().counters();
    let lost = counters.lost.get() + written.overwritten.load(Ordering::Relaxed);
    assert_eq!((counters.garbled.get(), counters.overdue.get()), (0, 0), "nothing hangs and no line is broken");
    assert_eq!(got + lost, total, "each line was taken or is known as lost");
    assert!(got > 0 && watch.judged() > 0, "requests were judged");
    let latest = written.latest.load(Ordering::Relaxed);
    println!();
    println!(
        "{total} lines at {RATE}/s in {took:.1} s: {lost} lost, {blocks} blocks, the writer at most {latest} us behind."
    );
    match used {
        Some(used) => println!(
            "One thread with reader, looks and machine: {:.1} % of a core, {:.2} us a request.",
            100.0 * used / took,
            used * 1e6 / total as f64
        ),
        None => println!("The kernel does not say how much of a core that took."),
    }
    stop.cancel();
    handle.ended().await;
    Ok(())
}

/// Seconds that this thread has had a processor.
fn cpu() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|nanos| nanos / 1e9)
}
