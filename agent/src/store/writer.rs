//! The writer task: takes what is to be kept, writes it in order, and goes on trying when the store is down.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::machine::Event;
use teal_rollout::statistics::History;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Entry, ReleaseRow, Sqlite, StoreError, TimelineRow};
use crate::crash::{self, Place};

/// The pause between two tries of a store that does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// A write that takes longer is a failure; SQLite may still finish it, which a later try finds out.
const PATIENCE: Duration = Duration::from_secs(6);
/// A failure that lasts is logged again after so many tries, about once a minute.
const REMIND_EVERY: u32 = 240;
/// Journal entries kept while the store is down; older ones are dropped first.
const MAX_PENDING: usize = 10_000;

/// Something to keep.
#[derive(Clone, Debug)]
pub enum Write {
    /// The desired state; answered with [`Event::Stored`] or, for each failed try, [`Event::StoreFailed`].
    Document(Box<Document>),
    /// The evidence so far; only the newest matters.
    Checkpoint(Box<Checkpoint>),
    /// A component's history; only the newest matters.
    Baseline(String, Box<History>),
    /// A line of the journal.
    Entry(Entry),
    /// The row of a release.
    Release(ReleaseRow),
    /// The evidence of a release over time; only the newest matters.
    Timeline(TimelineRow),
}

/// The sending end. Never blocks.
#[derive(Clone, Debug)]
pub struct Writer {
    writes: mpsc::UnboundedSender<Write>,
}

impl Writer {
    /// Hands something over to be kept. Nothing is lost while the process lives.
    pub fn keep(&self, write: Write) {
        // The task ends only after every sender is gone.
        let _ = self.writes.send(write);
    }
}

#[cfg(test)]
impl Writer {
    /// A writer that keeps nothing.
    pub(crate) fn nowhere() -> Self {
        Self::into_channel().0
    }

    /// A writer and what it was given.
    pub(crate) fn into_channel() -> (Self, mpsc::UnboundedReceiver<Write>) {
        let (writes, written) = mpsc::unbounded_channel();
        (Self { writes }, written)
    }
}

/// Starts the writer of one environment, whose stored document has revision `stored`. After `stop` it writes what was
/// handed over before, and ends; a store that fails then is not tried again.
pub fn spawn(
    store: Sqlite,
    environment: String,
    stored: u64,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> (Writer, tokio::task::JoinHandle<()>) {
    let (sender, writes) = mpsc::unbounded_channel();
    let task = Task { store, environment, stored, pending: Pending::default(), events, trouble: None };
    (Writer { writes: sender }, tokio::spawn(task.run(writes, stop)))
}

/// What is not written yet; what replaces itself is kept once.
#[derive(Default)]
struct Pending {
    document: Option<Box<Document>>,
    checkpoint: Option<Box<Checkpoint>>,
    baselines: BTreeMap<String, Box<History>>,
    entries: VecDeque<Entry>,
    releases: BTreeMap<u64, ReleaseRow>,
    timelines: BTreeMap<u64, TimelineRow>,
}

impl Pending {
    fn take(&mut self, write: Write) {
        match write {
            Write::Document(document) => self.document = Some(document),
            Write::Checkpoint(checkpoint) => self.checkpoint = Some(checkpoint),
            Write::Baseline(component, baseline) => {
                self.baselines.insert(component, baseline);
            }
            Write::Entry(entry) => {
                if self.entries.len() == MAX_PENDING {
                    self.entries.pop_front();
                }
                self.entries.push_back(entry);
            }
            Write::Release(release) => {
                self.releases.insert(release.id, release);
            }
            Write::Timeline(timeline) => {
                self.timelines.insert(timeline.release, timeline);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.document.is_none()
            && self.checkpoint.is_none()
            && self.baselines.is_empty()
            && self.entries.is_empty()
            && self.releases.is_empty()
            && self.timelines.is_empty()
    }
}

struct Task {
    store: Sqlite,
    environment: String,
    stored: u64,
    pending: Pending,
    events: mpsc::Sender<Event>,
    /// What the store said last, and how often it has been tried since, while it fails.
    trouble: Option<(String, u32)>,
}

impl Task {
    async fn run(mut self, mut writes: mpsc::UnboundedReceiver<Write>, stop: CancellationToken) {
        loop {
            while let Ok(write) = writes.try_recv() {
                self.pending.take(write);
            }
            if self.pending.is_empty() {
                match stop.run_until_cancelled(writes.recv()).await {
                    Some(Some(write)) => self.pending.take(write),
                    Some(None) => return,
                    // What was handed over before the end is still taken.
                    None if writes.is_empty() => return,
                    None => {}
                }
                continue;
            }
            match self.write_next().await {
                Ok(()) => self.recovered(),
                Err(error) => {
                    self.failed(&error).await;
                    if stop.is_cancelled() {
                        tracing::error!(environment = self.environment, "the agent ends and not all was written");
                        return;
                    }
                    // A stop cuts the pause short, for one last try.
                    let _ = timeout(RETRY, stop.cancelled()).await;
                }
            }
        }
    }

    /// Writes one thing, the document before all else: forward actions wait for it.
    async fn write_next(&mut self) -> Result<(), StoreError> {
        let in_time = |_| StoreError::TimedOut { limit: PATIENCE };
        if let Some(document) = &self.pending.document {
            let (revision, phase) = (document.revision, document.phase);
            crash::at(Place::Storing, phase);
            timeout(PATIENCE, put_document(&self.store, &self.environment, &mut self.stored, document))
                .await
                .map_err(in_time)??;
            crash::at(Place::Stored, phase);
            self.pending.document = None;
            // Outside the limit: the controller must hear of it, however busy it is.
            let _ = self.events.send(Event::Stored { revision }).await;
            return Ok(());
        }
        timeout(PATIENCE, self.write_rest()).await.map_err(in_time)?
    }

    async fn write_rest(&mut self) -> Result<(), StoreError> {
        let Self { store, environment, pending, .. } = self;
        if let Some(release) = pending.releases.first_entry() {
            store.put_release(environment, release.get()).await?;
            release.remove();
        } else if let Some(entry) = pending.entries.front() {
            store.add_entry(environment, entry).await?;
            pending.entries.pop_front();
        } else if let Some(checkpoint) = &pending.checkpoint {
            store.put_checkpoint(environment, checkpoint).await?;
            pending.checkpoint = None;
        } else if let Some(baseline) = pending.baselines.first_entry() {
            store.put_baseline(environment, baseline.key(), baseline.get()).await?;
            baseline.remove();
        } else if let Some(timeline) = pending.timelines.first_entry() {
            store.put_timeline(environment, timeline.get()).await?;
            timeline.remove();
        }
        Ok(())
    }

    /// Says so where it is news and now and then after that: a disk that is full all night must not fill the log too.
    async fn failed(&mut self, error: &StoreError) {
        let text = error.to_string();
        let tries = match &self.trouble {
            Some((before, tries)) if *before == text => tries + 1,
            _ => 0,
        };
        if tries.is_multiple_of(REMIND_EVERY) {
            tracing::warn!(
                environment = self.environment,
                error = text,
                "the store failed; it is tried again and again"
            );
        }
        self.trouble = Some((text, tries));
        if let Some(document) = &self.pending.document {
            let _ = self.events.send(Event::StoreFailed { revision: document.revision }).await;
        }
    }

    fn recovered(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!(environment = self.environment, "the store is written again");
        }
    }
}

/// Writes a document over the one of revision `stored`, which is then its own.
async fn put_document(
    store: &Sqlite,
    environment: &str,
    stored: &mut u64,
    document: &Document,
) -> Result<(), StoreError> {
    let revision = document.revision;
    let conflict = match store.put_document(environment, *stored, document).await {
        Err(conflict @ StoreError::Conflict { .. }) => conflict,
        other => {
            other?;
            *stored = revision;
            return Ok(());
        }
    };
    // A try that timed out may have been written after all: then the conflict is with ourselves.
    let found = store.document(environment).await?.map_or(0, |d| d.revision);
    if found > *stored && found <= revision {
        *stored = found;
    }
    // Anything above what we want to write is not ours.
    if found == revision { Ok(()) } else { Err(conflict) }
}

#[cfg(test)]
mod tests;
