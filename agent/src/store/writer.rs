//! The writer task: takes what is to be kept, writes it in order, and goes on trying when the store is down.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::machine::Event;
use teal_rollout::statistics::Baseline;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Entry, ReleaseRow, Sqlite, StoreError};

/// The pause between two tries of a store that does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// A write that takes longer is a failure; SQLite may still finish it, which the next try finds out.
const PATIENCE: Duration = Duration::from_secs(6);
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
    Baseline(String, Box<Baseline>),
    /// A line of the journal.
    Entry(Entry),
    /// The row of a release.
    Release(ReleaseRow),
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
        Self { writes: mpsc::unbounded_channel().0 }
    }
}

/// Starts the writer of one environment, whose stored document has revision `stored`. It ends, all written or one
/// last try made, when every [`Writer`] is dropped.
pub fn spawn(
    store: Sqlite,
    environment: String,
    stored: u64,
    events: mpsc::Sender<Event>,
) -> (Writer, tokio::task::JoinHandle<()>) {
    let (sender, writes) = mpsc::unbounded_channel();
    let task = Task { store, environment, stored, pending: Pending::default(), events };
    (Writer { writes: sender }, tokio::spawn(task.run(writes)))
}

/// What is not written yet; what replaces itself is kept once.
#[derive(Default)]
struct Pending {
    document: Option<Box<Document>>,
    checkpoint: Option<Box<Checkpoint>>,
    baselines: BTreeMap<String, Box<Baseline>>,
    entries: VecDeque<Entry>,
    releases: BTreeMap<u64, ReleaseRow>,
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
        }
    }

    fn is_empty(&self) -> bool {
        self.document.is_none()
            && self.checkpoint.is_none()
            && self.baselines.is_empty()
            && self.entries.is_empty()
            && self.releases.is_empty()
    }
}

struct Task {
    store: Sqlite,
    environment: String,
    stored: u64,
    pending: Pending,
    events: mpsc::Sender<Event>,
}

impl Task {
    async fn run(mut self, mut writes: mpsc::UnboundedReceiver<Write>) {
        let mut open = true;
        while open {
            match writes.recv().await {
                Some(write) => self.pending.take(write),
                None => open = false,
            }
            loop {
                while let Ok(write) = writes.try_recv() {
                    self.pending.take(write);
                }
                match timeout(PATIENCE, self.flush()).await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => tracing::warn!(environment = self.environment, %error, "the store failed"),
                    Err(_) => tracing::warn!(environment = self.environment, "the store did not answer in time"),
                }
                if let Some(document) = &self.pending.document {
                    let _ = self.events.send(Event::StoreFailed { revision: document.revision }).await;
                }
                if !open {
                    break;
                }
                tokio::time::sleep(RETRY).await;
                open = !writes.is_closed() || !writes.is_empty();
            }
            debug_assert!(!open || self.pending.is_empty());
        }
    }

    /// Writes all that is pending, the document first: forward actions wait for it.
    async fn flush(&mut self) -> Result<(), StoreError> {
        if let Some(document) = &self.pending.document {
            let revision = document.revision;
            match self.store.put_document(&self.environment, self.stored, document).await {
                Err(StoreError::Conflict { .. }) if self.was_ours(revision).await? => {}
                other => other?,
            }
            self.stored = revision;
            self.pending.document = None;
            let _ = self.events.send(Event::Stored { revision }).await;
        }
        while let Some(entry) = self.pending.entries.front() {
            self.store.add_entry(&self.environment, entry).await?;
            self.pending.entries.pop_front();
        }
        while let Some((id, release)) = self.pending.releases.first_key_value() {
            self.store.put_release(&self.environment, release).await?;
            let id = *id;
            self.pending.releases.remove(&id);
        }
        if let Some(checkpoint) = &self.pending.checkpoint {
            self.store.put_checkpoint(&self.environment, checkpoint).await?;
            self.pending.checkpoint = None;
        }
        while let Some((component, baseline)) = self.pending.baselines.first_key_value() {
            self.store.put_baseline(&self.environment, component, baseline).await?;
            let component = component.clone();
            self.pending.baselines.remove(&component);
        }
        Ok(())
    }

    /// A try that timed out may have been written after all: then the conflict is with ourselves.
    async fn was_ours(&mut self, revision: u64) -> Result<bool, StoreError> {
        let found = self.store.document(&self.environment).await?.map_or(0, |d| d.revision);
        if found == revision {
            return Ok(true);
        }
        // An earlier try of ours may have landed too; anything above what we want to write is not ours.
        if found > self.stored && found < revision {
            self.stored = found;
        }
        Ok(false)
    }
}
