//! The writer task: takes what is to be kept, writes it in order, and goes on trying when the store is down.
//!
//! ```text
//!  Document --> SQLite | the resource --ok--> Stored, copy    --another wrote--> Document: what was asked before is void
//!  the rest --> SQLite                   '--away--> StoreFailed, again and again; the rest goes on
//! ```

use std::time::Duration;

use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::machine::Event;
use teal_rollout::statistics::History;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::pending::Pending;
use super::{Documents, Entry, Put, ReleaseRow, Sqlite, StoreError, TimelineRow};
use crate::crash::{self, Place};

/// The pause between two tries of a store that does not answer.
const RETRY: Duration = Duration::from_millis(250);
/// The pause before a document that was refused for what is in it is tried again.
const REFUSED: Duration = Duration::from_secs(30);
/// A write that takes longer is a failure; the store may still finish it, which a later try finds out.
const PATIENCE: Duration = Duration::from_secs(6);
/// A failure that lasts is logged again after so many tries, about once a minute.
const REMIND_EVERY: u32 = 240;

/// Something to keep.
#[derive(Clone, Debug)]
pub enum Write {
    /// The desired state; answered with [`Event::Stored`] or, for each failed try, [`Event::StoreFailed`], or with what
    /// another wrote instead ([`Event::Document`]).
    Document {
        /// The newest one.
        document: Box<Document>,
        /// How many [`Event::Document`]s whoever asks had taken: a write that was decided without knowing the last is void.
        heard: u64,
    },
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

/// Starts the writer of one environment. After `stop` it writes what was handed over before, and ends; a store that fails
/// then is not tried again.
pub fn spawn<D: Documents>(
    store: Sqlite,
    environment: String,
    documents: D,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> (Writer, tokio::task::JoinHandle<()>) {
    let (sender, writes) = mpsc::unbounded_channel();
    let (rest, copy) = (Lane::new("the store"), documents.has_copy());
    let truth = Lane::new(if copy { "the resource" } else { "the store" });
    let task = Task {
        store,
        environment,
        documents,
        document: None,
        told: 0,
        pending: Pending::default(),
        events,
        truth,
        rest,
    };
    (Writer { writes: sender }, tokio::spawn(task.run(writes, stop)))
}

struct Task<D> {
    store: Sqlite,
    environment: String,
    documents: D,
    /// The document that is to be written.
    document: Option<Box<Document>>,
    /// How many [`Event::Document`]s were sent.
    told: u64,
    pending: Pending,
    events: mpsc::Sender<Event>,
    truth: Lane,
    rest: Lane,
}

impl<D: Documents> Task<D> {
    async fn run(mut self, mut writes: mpsc::UnboundedReceiver<Write>, stop: CancellationToken) {
        loop {
            while let Ok(write) = writes.try_recv() {
                self.take(write);
            }
            let now = Instant::now();
            // After the end each is tried once more, at once.
            let due = |lane: &Lane| lane.retry.is_none_or(|at| at <= now || stop.is_cancelled());
            // The document before all else: forward actions wait for it.
            if self.document.is_some() && due(&self.truth) {
                if !self.write_document().await && stop.is_cancelled() {
                    return self.unfinished();
                }
            } else if !self.pending.is_empty() && due(&self.rest) {
                if !self.write_rest().await && stop.is_cancelled() {
                    return self.unfinished();
                }
            } else if stop.is_cancelled() && writes.is_empty() && self.document.is_none() && self.pending.is_empty() {
                return;
            } else {
                let waiting = (
                    self.document.as_ref().and(self.truth.retry),
                    self.rest.retry.filter(|_| !self.pending.is_empty()),
                );
                tokio::select! {
                    // What was handed over before the end is still taken.
                    biased;
                    () = stop.cancelled(), if !stop.is_cancelled() => {}
                    write = writes.recv() => match write {
                        Some(write) => self.take(write),
                        None if self.document.is_none() && self.pending.is_empty() => return,
                        None => sleep_until(waiting.0.into_iter().chain(waiting.1).min().unwrap_or(now)).await,
                    },
                    document = self.documents.news() => self.tell(document).await,
                    () = sleep_until(waiting.0.unwrap_or(now)), if waiting.0.is_some() => {}
                    () = sleep_until(waiting.1.unwrap_or(now)), if waiting.1.is_some() => {}
                }
            }
        }
    }

    fn take(&mut self, write: Write) {
        match write {
            Write::Document { heard, .. } if heard < self.told => {}
            Write::Document { document, .. } => {
                // BAD is not forgotten by an agent that dies before the resource can be reached. Anything else that the
                // resource does not have must not be found at the next start: nobody may have heard of it.
                if self.documents.has_copy() && document.is_bad() {
                    self.pending.copy = Some(document.clone());
                }
                if self.truth.is_refused {
                    self.truth.retry = None;
                }
                self.document = Some(document);
            }
            other => self.pending.take(other),
        }
    }

    /// Tries it once. Says whether it went well.
    async fn write_document(&mut self) -> bool {
        let Some(document) = self.document.take() else { return true };
        let (revision, phase) = (document.revision, document.phase);
        crash::at(Place::Storing, phase);
        let put = timeout(PATIENCE, self.documents.put(&document)).await;
        match put.unwrap_or(Err(StoreError::TimedOut { limit: PATIENCE })) {
            Ok(Put::Stored) => {
                crash::at(Place::Stored, phase);
                self.truth.recovered(&self.environment);
                if self.documents.has_copy() {
                    self.pending.copy = Some(document);
                }
                // The controller must hear of it, however busy it is.
                let _ = self.events.send(Event::Stored { revision }).await;
                true
            }
            Ok(Put::Met(found)) => {
                self.truth.recovered(&self.environment);
                self.tell(*found).await;
                true
            }
            Err(error) => {
                self.document = Some(document);
                self.truth.failed(&self.environment, &error);
                let _ = self.events.send(Event::StoreFailed { revision }).await;
                false
            }
        }
    }

    /// Another wrote: all that was asked for without knowing is void.
    async fn tell(&mut self, document: Document) {
        self.told += 1;
        let void = self.document.take();
        if self.documents.has_copy() && !void.is_some_and(|void| void.is_bad() && void.epoch > document.epoch) {
            self.pending.copy = Some(Box::new(document.clone()));
        }
        let _ = self.events.send(Event::Document(Box::new(document))).await;
    }

    async fn write_rest(&mut self) -> bool {
        let written = timeout(PATIENCE, self.pending.write_next(&self.store, &self.environment)).await;
        match written.unwrap_or(Err(StoreError::TimedOut { limit: PATIENCE })) {
            Ok(()) => {
                self.rest.recovered(&self.environment);
                true
            }
            Err(error) => {
                self.rest.failed(&self.environment, &error);
                false
            }
        }
    }

    fn unfinished(&self) {
        tracing::error!(environment = self.environment, "the agent ends and not all was written");
    }
}

/// How one of two places fares.
struct Lane {
    name: &'static str,
    /// Not before then is it tried again.
    retry: Option<Instant>,
    /// What is there will be refused again.
    is_refused: bool,
    /// What it said last, and how often it has been tried since, while it fails.
    trouble: Option<(String, u32)>,
}

impl Lane {
    const fn new(name: &'static str) -> Self {
        Self { name, retry: None, is_refused: false, trouble: None }
    }

    /// Says so where it is news and now and then after that: a disk that is full all night must not fill the log too.
    fn failed(&mut self, environment: &str, error: &StoreError) {
        self.is_refused = matches!(error, StoreError::Refused { .. });
        self.retry = Some(Instant::now() + if self.is_refused { REFUSED } else { RETRY });
        let text = error.to_string();
        let tries = match &self.trouble {
            Some((before, tries)) if *before == text => tries + 1,
            _ => 0,
        };
        if self.is_refused {
            tracing::error!(environment, error = text, "{} takes nothing more until this is mended", self.name);
        } else if tries.is_multiple_of(REMIND_EVERY) {
            tracing::warn!(environment, error = text, "{} failed; it is tried again and again", self.name);
        }
        self.trouble = Some((text, tries));
    }

    fn recovered(&mut self, environment: &str) {
        (self.retry, self.is_refused) = (None, false);
        if self.trouble.take().is_some() {
            tracing::info!(environment, "{} is written again", self.name);
        }
    }
}

#[cfg(test)]
mod tests;
