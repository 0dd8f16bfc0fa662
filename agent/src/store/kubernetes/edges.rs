//! What other agents' edges route by, as reports to this one's machine.

use std::collections::BTreeMap;
use std::time::Duration;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::Document;
use teal_rollout::machine::Event;
use teal_rollout::machine::event::{Backend, EdgeReport, Feed};
use teal_rollout::policy::{Epoch, Policy, Verdict};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::cluster::resource::{BlueGreen, SeenByEdge, colour_name};
use crate::cluster::watch::Watched;

/// How often the machine is told what has not changed: it takes an edge that is not heard of for 5 s for lost.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// While a release is under way an agent that gives no sign of life for so long does not watch its edge.
const SILENT_AFTER: Duration = Duration::from_secs(6);

/// Whose edges are told of.
#[derive(Clone, Debug)]
pub struct Others {
    /// The edges of this agent, by name: these report themselves.
    pub own: Vec<String>,
}

/// An entry, and since when it is as it is by this machine's clock.
struct Heard {
    entry: SeenByEdge,
    since: Instant,
}

/// Tells of others' edges until `stop`.
pub fn spawn(
    settings: Settings,
    others: Others,
    watched: Watched<BlueGreen>,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let task = Task { settings, others, watched, events, heard: BTreeMap::new(), busy: None };
    tokio::spawn(async move {
        let _ = stop.run_until_cancelled(task.run()).await;
    })
}

struct Task {
    settings: Settings,
    others: Others,
    watched: Watched<BlueGreen>,
    events: mpsc::Sender<Event>,
    heard: BTreeMap<String, Heard>,
    /// Since when a release is under way.
    busy: Option<Instant>,
}

impl Task {
    async fn run(mut self) {
        let mut ticks = interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                is_there = self.watched.changed() => if !is_there { return },
            }
            for report in self.reports(Instant::now()) {
                if self.events.send(Event::Edge(report)).await.is_err() {
                    return;
                }
            }
        }
    }

    /// One for each edge of another agent that is heard of. Of what cannot be seen nothing is said.
    fn reports(&mut self, now: Instant) -> Vec<EdgeReport> {
        let seen = self.watched.look_and_note(|view| {
            let object = view.named(&self.settings.name).filter(|_| view.is_current())?;
            let entries = object.status.as_ref().map(|status| status.edges.clone()).unwrap_or_default();
            Some((Document::from(object.spec.state.clone()?), entries))
        });
        let Some((document, entries)) = seen else { return Vec::new() };
        self.busy = if document.phase.is_busy() { self.busy.or(Some(now)) } else { None };
        let mut reports = Vec::new();
        for entry in entries.into_iter().filter(|entry| !self.others.own.contains(&entry.name)) {
            let Some(edge) = document.edges.iter().position(|name| *name == entry.name) else { continue };
            let heard =
                self.heard.entry(entry.name.clone()).or_insert_with(|| Heard { entry: entry.clone(), since: now });
            if heard.entry != entry {
                *heard = Heard { entry, since: now };
            }
            // Signs of life begin with the release.
            let since = self.busy.map(|busy| busy.max(heard.since));
            let is_alive = since.is_none_or(|since| now.duration_since(since) < SILENT_AFTER);
            reports.push(report(edge, &heard.entry, &document, is_alive));
        }
        reports
    }
}

fn report(edge: usize, entry: &SeenByEdge, document: &Document, is_alive: bool) -> EdgeReport {
    let epoch = Epoch { release: entry.release, verdict: entry.verdict, step: entry.step };
    let mut policy = Policy { epoch, ..document.policy() };
    if entry.verdict == Verdict::Bad && !document.is_bad() {
        for route in &mut policy.routes {
            route.share = Share::NONE;
        }
    }
    EdgeReport {
        edge,
        saved: entry.saved.then(|| policy.clone()),
        running: Some(policy),
        manual: false,
        feed: if is_alive && entry.watched { Feed::Live } else { Feed::Lost },
        backends: backends(entry, document),
    }
}

/// As far as anybody asks: whether there is one, and none at all.
fn backends(entry: &SeenByEdge, document: &Document) -> Vec<Backend> {
    let of = |(component, name): (usize, &str)| {
        Colour::BOTH.map(|colour| {
            let is_in = |list: &[String]| u32::from(list.contains(&colour_name(name, colour)));
            Backend { component, colour, up: is_in(&entry.up), in_flight: is_in(&entry.draining) }
        })
    };
    document.components.iter().map(|component| component.name.as_str()).enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests;
