//! From a change to the last of many streams.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::exchange::Connection;
use super::process::{Agent, Database, FLAGS};
use super::streams::{self, Told};
use super::{Settings, sdks};

/// What a change goes through.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    is_postgres: bool,
    is_relayed: bool,
}

pub(crate) const SERIES: [Series; 4] = [
    Series { name: "sqlite", is_postgres: false, is_relayed: false },
    Series { name: "sqlite-relay", is_postgres: false, is_relayed: true },
    Series { name: "postgres", is_postgres: true, is_relayed: false },
    Series { name: "postgres-relay", is_postgres: true, is_relayed: true },
];

/// A change that is not everywhere by then never will be.
const LIMIT: Duration = Duration::from_secs(30);

/// When a change was made, and when it was where.
struct Change {
    sent: Instant,
    answered: Instant,
    told: Vec<Instant>,
}

pub(crate) fn play(settings: &Settings, series: &Series) -> anyhow::Result<Value> {
    let database = series.is_postgres.then(Database::start).transpose()?;
    let lines = database.as_ref().map(Database::lines).unwrap_or_default();
    let service = Agent::start(&settings.program, &lines)?;
    let mut connection = Connection::open(service.address)?;
    service.fill(settings.flags)?;
    let relay = series
        .is_relayed
        .then(|| Agent::start(&settings.program, &format!("upstream = \"http://{}\"", service.address)))
        .transpose()?;
    let server = relay.as_ref().unwrap_or(&service);
    let before = server.resident()?;

    let (sender, told) = channel();
    let clients = sdks::follow(server.address, settings.sdks, &sender)?;
    streams::follow(server.address, settings.streams - settings.sdks, sender)?;
    let start = revision(&mut connection)?;
    let mut first = Vec::new();
    wait(&told, start, settings.streams - settings.sdks, &mut BTreeMap::new(), &mut first)?;
    let with_streams = server.resident()?;

    let mut early = BTreeMap::new();
    let mut changes = Vec::new();
    for number in 0..settings.changes {
        std::thread::sleep(settings.pause);
        let body = json!({"rollout_percentage": number % 100, "enabled": true, "reason": "a benchmark"}).to_string();
        let request = connection.request("PATCH", &format!("{FLAGS}/telehealth"), &body);
        let sent = Instant::now();
        let (status, _) = connection.ask(&request)?;
        let answered = Instant::now();
        anyhow::ensure!(status == 200, "a change was answered with {status}");
        let mut change = Change { sent, answered, told: Vec::with_capacity(settings.streams) };
        wait(&told, start + 1 + number as u64, settings.streams, &mut early, &mut change.told)?;
        changes.push(change);
    }
    let after = server.resident()?;
    drop(clients);
    let per_stream = |kib: u64| (kib.saturating_sub(before)) as f64 / settings.streams as f64;
    let last = |since: fn(&Change) -> Instant| {
        let last = changes
            .iter()
            .filter_map(|change| Some(change.told.iter().max()?.saturating_duration_since(since(change))));
        figures(last)
    };
    let each = changes
        .iter()
        .flat_map(|change| change.told.iter().map(|told| told.saturating_duration_since(change.answered)));
    Ok(json!({
        "what": "propagation", "series": series.name, "streams": settings.streams, "sdks": settings.sdks,
        "changes": changes.len(), "flags": settings.flags + 10, "pause_ms": settings.pause.as_millis(),
        "last_after_answer_ms": last(|change| change.answered)?,
        "last_after_request_ms": last(|change| change.sent)?,
        "each_after_answer_ms": figures(each)?,
        "resident_kib": {"without_streams": before, "with_streams": with_streams, "after_changes": after},
        "kib_per_stream": {"with_streams": per_stream(with_streams), "after_changes": per_stream(after)},
    }))
}

fn revision(connection: &mut Connection) -> anyhow::Result<u64> {
    let list = connection.json("GET", &format!("{FLAGS}?limit=1"), "")?;
    list["revision"].as_u64().context("a list without its revision")
}

/// Waits until so many were told a revision; what is told of later ones is kept.
pub(crate) fn wait(
    told: &Receiver<Told>,
    revision: u64,
    count: usize,
    early: &mut BTreeMap<u64, Vec<Instant>>,
    into: &mut Vec<Instant>,
) -> anyhow::Result<()> {
    into.append(&mut early.remove(&revision).unwrap_or_default());
    let end = Instant::now() + LIMIT;
    while into.len() < count {
        let left = end.saturating_duration_since(Instant::now());
        match told.recv_timeout(left) {
            Ok(Some((at, mut moments))) if at == revision => into.append(&mut moments),
            Ok(Some((at, mut moments))) if at > revision => early.entry(at).or_default().append(&mut moments),
            Ok(Some(_)) => {}
            Ok(None) => bail!("a stream ended before it should"),
            Err(_) => bail!("{} of {count} streams were told revision {revision} within {LIMIT:?}", into.len()),
        }
    }
    Ok(())
}

/// p50, p99 and worst, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds stay far below 2^53")]
pub(crate) fn figures(all: impl Iterator<Item = Duration>) -> anyhow::Result<Value> {
    let mut histogram = Histogram::<u64>::new(3)?;
    for one in all {
        histogram.record(u64::try_from(one.as_micros())?)?;
    }
    let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
    Ok(json!({"p50": at(0.5), "p99": at(0.99), "worst": histogram.max() as f64 / 1e3}))
}
