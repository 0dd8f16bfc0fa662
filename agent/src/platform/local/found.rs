//! What others started on a colour's ports: found by its readiness check, named by its command line, never ended.
//!
//! ```text
//! a port --GET ready, again and again--> who listens (/proc) --command line, by `run`--> version, or "unknown"
//! ```
//! So a colour that was started by hand is a way back as good as one of Teal's own, and status says what it is.

use std::time::Duration;

use teal_rollout::colour::Colour;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ready::Readiness;
use super::settings::LocalComponent;
use super::template::{self, Pattern, Values};
use super::{named, port};

/// The version of what serves and does not say which it is, and that of instances that are not of one version.
pub(super) const UNKNOWN: &str = "unknown";

/// An instance's number from 0, and the version that serves there.
type Report = (usize, Option<String>);

/// One task for each of a colour's ports, and what they found. They end with it.
pub(super) struct Finders {
    _tasks: JoinSet<()>,
    pub(super) reports: mpsc::Receiver<Report>,
    /// One for each instance; `None` until its port was looked at.
    found: Vec<Option<Option<String>>>,
}

impl Finders {
    /// None, who find nothing.
    pub(super) fn none() -> Self {
        Self { _tasks: JoinSet::new(), reports: mpsc::channel(1).1, found: Vec::new() }
    }

    pub(super) fn of(environment: &str, component: &LocalComponent, colour: Colour) -> Self {
        let (sender, reports) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        for (index, (port, slot)) in component.ports_of(colour).zip(1..).enumerate() {
            let name = &component.name;
            let values = Values { environment, component: name, colour, slot, version: "", port };
            let patterns = template::patterns(&component.run, values);
            let readiness = Readiness::new(port, &component.ready, component.ready_interval);
            let finder = Finder { index, port, patterns, readiness, interval: component.ready_interval, owner: None };
            tasks.spawn(finder.run(sender.clone()));
        }
        Self { _tasks: tasks, reports, found: vec![None; usize::from(component.replicas)] }
    }

    pub(super) fn note(&mut self, (index, found): Report) {
        if let Some(known) = self.found.get_mut(index) {
            *known = Some(found);
        }
    }

    /// Whether every port has been looked at.
    pub(super) fn all_looked(&self) -> bool {
        self.found.iter().all(Option::is_some)
    }

    /// Waits until it has: no longer than a readiness check takes.
    pub(super) async fn look_once(&mut self) {
        while !self.all_looked() {
            let Some(report) = self.reports.recv().await else { return };
            self.note(report);
        }
    }

    /// The version that serves and by how many instances.
    pub(super) fn serving(&self) -> Option<(&str, u32)> {
        let mut versions = self.found.iter().flatten().flatten();
        let first = versions.next()?;
        let others = versions.clone().count();
        let version = if versions.all(|version| version == first) { first } else { UNKNOWN };
        Some((version, u32::try_from(others + 1).unwrap_or(u32::MAX)))
    }
}

/// Looks at one port.
struct Finder {
    index: usize,
    port: u16,
    /// What of `run` names the version.
    patterns: Vec<Pattern>,
    readiness: Readiness,
    interval: Duration,
    /// The process and its version; both may stay unknown while it serves.
    owner: Option<(Option<i32>, String)>,
}

impl Finder {
    async fn run(mut self, reports: mpsc::Sender<Report>) {
        let mut told = None;
        loop {
            self.readiness.ask().await;
            let is_gone = matches!(&self.owner, Some((Some(pid), _)) if !named::is_alive(*pid));
            if is_gone {
                self.owner = None;
                // Another may listen there already; what was known is not of it.
                self.readiness.reset();
                self.readiness.ask().await;
            }
            if !self.readiness.is_ready() {
                self.owner = None;
            } else if self.owner.is_none() {
                self.owner = Some(self.name().await);
            }
            let found = self.owner.as_ref().map(|(_, version)| version.clone());
            if told.as_ref() != Some(&found) {
                if reports.send((self.index, found.clone())).await.is_err() {
                    return;
                }
                told = Some(found);
            }
            sleep(self.interval).await;
        }
    }

    /// Looks through the machine's processes, which takes too long for a task.
    async fn name(&self) -> (Option<i32>, String) {
        let (port, patterns) = (self.port, self.patterns.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let pid = port::owner(port).map(|(pid, _)| pid);
            let version = pid.and_then(|pid| named::version(pid, &patterns));
            (pid, version.unwrap_or_else(|| UNKNOWN.to_owned()))
        });
        looked.await.unwrap_or_else(|_ended| (None, UNKNOWN.to_owned()))
    }
}
