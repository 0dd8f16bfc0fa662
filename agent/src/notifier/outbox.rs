//! The sender's side: a bounded channel that drops rather than waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::message::Message;

/// What became of the messages so far, one count a channel and message.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Counters {
    /// Deliveries that succeeded.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.0.delivered.load(Ordering::Relaxed)
    }

    /// Deliveries that failed for good.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Messages dropped because a queue was full, or nobody reads it any more.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn count_delivery(&self) {
        self.0.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failure(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_drop(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Where messages are put; cheap to clone, never blocks.
#[derive(Clone, Debug)]
pub struct Outbox {
    queue: Sender<Message>,
    counters: Counters,
}

impl Outbox {
    /// Puts the message in the queue, or drops and counts it when there is no room.
    pub fn send(&self, message: Message) {
        if self.queue.try_send(message).is_err() {
            self.counters.count_drop();
        }
    }

    /// What became of the messages; give a clone to [`super::spawn`] so that both count together.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// An outbox for `capacity` waiting messages (at least 1) and the end that [`super::spawn`] takes.
#[must_use]
pub fn channel(capacity: usize) -> (Outbox, Receiver<Message>) {
    let (queue, messages) = mpsc::channel(capacity.max(1));
    (Outbox { queue, counters: Counters::default() }, messages)
}
