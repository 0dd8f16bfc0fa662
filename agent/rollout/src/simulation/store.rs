//! The store: one document, written by compare-and-swap; what was not acknowledged may or may not survive.

use std::collections::VecDeque;
use std::time::Duration;

use super::random::Random;
use crate::document::{Checkpoint, Document};
use crate::machine::Saved;
use crate::policy::Epoch;
use crate::statistics::History;

/// How long the store adapter waits before it tries a failed write again.
pub(super) const RETRY: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub(super) document: Option<Document>,
    checkpoint: Option<Checkpoint>,
    baselines: Vec<History>,
    /// Writes on their way, oldest first; the first one is being written.
    pending: VecDeque<Document>,
    pub(super) down: bool,
    pub(super) slow: bool,
    /// The greatest epoch that was ever durable, whatever was restored since.
    pub(super) highest: Epoch,
    backup: Option<Document>,
}

impl Store {
    pub(super) fn seeded(document: Option<Document>, baselines: Vec<History>) -> Self {
        let highest = document.as_ref().map(|d| d.epoch).unwrap_or_default();
        Self { document, baselines, highest, ..Self::default() }
    }

    /// Whether the write is the only one, and so begins at once.
    pub(super) fn push(&mut self, document: Document) -> bool {
        self.pending.push_back(document);
        self.pending.len() == 1
    }

    pub(super) fn latency(&self, random: &mut Random) -> Duration {
        if self.slow { random.millis(500, 3000) } else { random.millis(1, 10) }
    }

    /// The first write's time has come: its revision, durable or not. `None` when there is none.
    pub(super) fn write(&mut self) -> Option<Result<u64, u64>> {
        let revision = self.pending.front()?.revision;
        if self.down {
            return Some(Err(revision));
        }
        let document = self.pending.pop_front()?;
        self.settle(document);
        Some(Ok(revision))
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    fn settle(&mut self, document: Document) {
        self.highest = self.highest.max(document.epoch);
        self.document = Some(document);
    }

    pub(super) fn save(&mut self, checkpoint: Checkpoint, baselines: &[History]) {
        if !self.down {
            self.checkpoint = Some(checkpoint);
            self.baselines = baselines.to_vec();
        }
    }

    /// The agent died: the write under way may have reached the disk, those behind it did not.
    pub(super) fn crash(&mut self, random: &mut Random) {
        if let Some(document) = self.pending.pop_front()
            && !self.down
            && random.chance(0.5)
        {
            self.settle(document);
        }
        self.pending.clear();
    }

    pub(super) fn back_up(&mut self) {
        self.backup.clone_from(&self.document);
    }

    /// An operator restores the backup; only while no agent runs. False when there is none.
    pub(super) fn restore(&mut self) -> bool {
        let backup = self.backup.take();
        let restored = backup.is_some();
        if restored {
            self.document = backup;
            self.checkpoint = None;
        }
        restored
    }

    pub(super) fn load(&self) -> Saved {
        Saved {
            document: self.document.clone(),
            checkpoint: self.checkpoint.clone(),
            baselines: self.baselines.clone(),
        }
    }
}
