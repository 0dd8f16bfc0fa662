//! `/metrics`, `/healthz`, `/readyz`: for people and their monitoring, never in the loop.

mod door;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::relay_metrics::RelayMetrics;
use super::{Shown, ShownEnvironment};
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Feed;

pub(super) fn router(shown: Arc<Shown>) -> Router {
    let mut registry = Registry::with_prefix("teal");
    registry.register_collector(Box::new(Environments(shown.clone())));
    if let Some(relay) = &shown.relay {
        registry.register_collector(Box::new(RelayMetrics(relay.clone())));
    }
    if let Some(counters) = &shown.flags {
        registry.register_collector(Box::new(door::Door(counters.clone())));
    }
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::new(registry))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(shown))
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, &registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("metrics cannot be written: {error}\n")).into_response()
        }
    }
}

/// Ready when every environment has asked its edges and platform, and takes orders, and a relay has flags to tell.
async fn ready(State(shown): State<Arc<Shown>>) -> Response {
    let waiting = shown.environments.iter().find(|e| !e.handle.snapshot().view.started);
    match waiting {
        None if shown.relay.as_ref().is_some_and(|relay| !relay.knows_flags()) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the relay has not heard the flag service\n").into_response()
        }
        None => "ready\n".into_response(),
        Some(e) => (StatusCode::SERVICE_UNAVAILABLE, format!("{} is still starting\n", e.name)).into_response(),
    }
}

/// Reads what the controllers and edges show at the moment of the scrape.
#[derive(Debug)]
struct Environments(Arc<Shown>);

impl Collector for Environments {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for table in [GAUGES, COUNTERS] {
            for (name, help, read) in table {
                let kind = if std::ptr::eq(table, GAUGES) { Kind::Gauge } else { Kind::Counter };
                let mut samples = Vec::new();
                for environment in &self.0.environments {
                    read(environment, &mut samples);
                }
                kind.write(&mut encoder, name, help, &samples)?;
            }
        }
        Ok(())
    }
}

/// Labels beside `environment`, and the value.
type Sample = (Vec<(&'static str, String)>, f64);
type Read = fn(&ShownEnvironment, &mut Vec<Sample>);

#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Counter,
}

impl Kind {
    fn write(
        self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        samples: &[Sample],
    ) -> Result<(), std::fmt::Error> {
        let metric_type = match self {
            Self::Gauge => ConstGauge::new(0.0f64).metric_type(),
            Self::Counter => ConstCounter::new(0.0f64).metric_type(),
        };
        let mut family = encoder.encode_descriptor(name, help, None, metric_type)?;
        for (labels, value) in samples {
            let sample = family.encode_family(labels)?;
            match self {
                Self::Gauge => ConstGauge::new(*value).encode(sample)?,
                Self::Counter => ConstCounter::new(*value).encode(sample)?,
            }
        }
        Ok(())
    }
}

fn of(e: &ShownEnvironment, labels: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let own = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("environment", e.name.clone())).chain(own).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

/// Name, help, how to read it.
const GAUGES: &[(&str, &str, Read)] = &[
    ("release", "The newest release's number", |e, out| {
        out.push((of(e, &[]), float(e.handle.snapshot().view.document.epoch.release)));
    }),
    ("phase", "1 for the phase the release is in", |e, out| {
        let phase = serde_json::to_value(e.handle.snapshot().view.document.phase).unwrap_or_default();
        out.push((of(e, &[("phase", phase.as_str().unwrap_or_default())]), 1.0));
    }),
    ("candidate_share_ratio", "The share of a component's traffic on the new colour", |e, out| {
        for c in e.handle.snapshot().view.document.components.iter().filter(|c| c.takes_part()) {
            out.push((of(e, &[("component", &c.name)]), c.share.fraction()));
        }
    }),
    ("evidence_log_m", "ln M of the new colour's error process; bad at 14.5", |e, out| {
        let snapshot = e.handle.snapshot();
        for j in snapshot.judgements() {
            out.push((of(e, &[("component", &j.component)]), j.evidence.log_m));
        }
    }),
    ("ready_instances", "Instances that answer their readiness check", |e, out| {
        let snapshot = e.handle.snapshot();
        for (c, numbers) in snapshot.view.document.components.iter().zip(&snapshot.view.components) {
            for (colour, capacity) in Colour::BOTH.iter().zip(&numbers.capacity) {
                if let Some(capacity) = capacity {
                    let labels = of(e, &[("component", &c.name), ("colour", colour.as_str())]);
                    out.push((labels, f64::from(capacity.ready)));
                }
            }
        }
    }),
    ("nodes", "Nodes whose agents tell of their Pods, by whether these are known now", |e, out| {
        let (known, unknown) = e.heard.counts();
        for (state, count) in [("known", known), ("unknown", unknown)] {
            out.push((of(e, &[("state", state)]), float(u64::try_from(count).unwrap_or(u64::MAX))));
        }
    }),
    ("rollback_safe", "Whether a rollback would be taken now", |e, out| {
        out.push((of(e, &[]), f64::from(u8::from(e.handle.snapshot().view.rollback_unsafe.is_none()))));
    }),
    ("reload_safe", "Whether a restart of the edge would route as it does now", |e, out| {
        out.push((of(e, &[]), f64::from(u8::from(e.handle.snapshot().view.reload_safe))));
    }),
    ("evidence_live", "Whether the edge's request log is being read", |e, out| {
        let live = e.edges.iter().all(|(_, edge)| edge.status().feed == Feed::Live);
        out.push((of(e, &[]), f64::from(u8::from(live))));
    }),
    ("shared_outage", "Whether both colours fail and nothing is switched", |e, out| {
        out.push((of(e, &[]), f64::from(u8::from(e.handle.snapshot().view.shared_outage.is_some()))));
    }),
    ("store_failing", "Whether the store cannot be written", |e, out| {
        out.push((of(e, &[]), f64::from(u8::from(e.handle.snapshot().view.store_failing))));
    }),
    ("edge_acknowledge_seconds", "How long the edge took to acknowledge the last change", |e, out| {
        for (_, edge) in &e.edges {
            out.push((of(e, &[]), float(edge.counters().ack_micros.get()) / 1e6));
        }
    }),
];

/// Name without `_total`, help, how to read it.
const COUNTERS: &[(&str, &str, Read)] = &[
    ("log_lines", "Request log lines read", |e, out| edge_counter(e, out, |c| c.lines.get())),
    ("log_lines_garbled", "Request log lines that could not be read", |e, out| {
        edge_counter(e, out, |c| c.garbled.get());
    }),
    (
        "evidence_lost",
        "Requests that count for no verdict: the agent was behind, or the edge's log lost them",
        |e, out| {
            for (_, edge) in &e.edges {
                let counters = edge.counters();
                out.push((of(e, &[("by", "agent")]), float(counters.lost.get())));
                out.push((of(e, &[("by", "edge")]), float(counters.missing.get())));
            }
        },
    ),
    ("requests_overdue", "Requests counted as bad while still in flight", |e, out| {
        edge_counter(e, out, |c| c.overdue.get());
    }),
    ("edge_drift", "Times the edge's policy differed from what was ordered", |e, out| {
        edge_counter(e, out, |c| c.drift.get());
    }),
    ("edge_reassertions", "Times the policy was put back", |e, out| edge_counter(e, out, |c| c.reassertions.get())),
    ("messages_delivered", "Messages delivered", |e, out| out.push((of(e, &[]), float(e.messages.delivered())))),
    ("messages_failed", "Messages that could not be delivered", |e, out| {
        out.push((of(e, &[]), float(e.messages.failed())));
    }),
    ("messages_dropped", "Messages dropped because a queue was full", |e, out| {
        out.push((of(e, &[]), float(e.messages.dropped())));
    }),
];

fn edge_counter(
    e: &ShownEnvironment,
    out: &mut Vec<Sample>,
    read: fn(&crate::proxy::haproxy::status::Counters) -> u64,
) {
    out.push((of(e, &[]), e.edges.iter().map(|(_, edge)| float(read(edge.counters()))).sum()));
}
