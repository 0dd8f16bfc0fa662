//! The store: one document, written by compare-and-swap; what was not acknowledged may or may not survive.
//!
//! ```text
//!   machine --Persist--> Desk, what an agent has still to write --compare-and-swap--> Store --another's word--> machine
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::lease::Lease;
use super::random::Random;
use super::scenario::Sabotage;
use crate::document::{Checkpoint, Document};
use crate::machine::Saved;
use crate::policy::Epoch;
use crate::statistics::History;

/// How long the store adapter waits before it tries a failed write again.
pub(super) const RETRY: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub(super) document: Option<Document>,
    /// Counts writes, as the server does.
    pub(super) version: u64,
    pub(super) lease: Lease,
    pub(super) down: bool,
    pub(super) slow: bool,
    /// Answers get lost although the document is written.
    pub(super) forgetful: bool,
    /// Something else of the object changes all the time, so that writes conflict.
    pub(super) storm: bool,
    /// The greatest epoch that was ever durable, whatever was restored since.
    pub(super) highest: Epoch,
    backup: Option<Document>,
}

/// What one agent has to do with the store, and keeps on its own disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    checkpoint: Option<Checkpoint>,
    baselines: Vec<History>,
    /// Writes on their way, oldest first, each with how many documents of others the machine had taken before it; the first
    /// one is being written.
    pending: VecDeque<(Document, u64)>,
    /// The store's version that the machine knows of.
    pub(super) known: u64,
    /// How many documents of others the machine was told.
    told: u64,
    /// The last document this agent knows of, for a start without a store.
    copy: Option<Document>,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// Durable.
    Done(Document),
    /// The same, and nobody hears of it.
    Lost(Document),
    /// To be tried again.
    Failed(u64),
    /// The store holds something else.
    Conflict,
}

impl Desk {
    pub(super) fn seeded(baselines: Vec<History>) -> Self {
        Self { baselines, ..Self::default() }
    }

    /// Whether the write is the only one, and so begins at once.
    pub(super) fn push(&mut self, document: Document, heard: u64) -> bool {
        self.pending.push_back((document, heard));
        self.pending.len() == 1
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(super) fn save(&mut self, checkpoint: Checkpoint, baselines: &[History]) {
        self.checkpoint = Some(checkpoint);
        self.baselines = baselines.to_vec();
    }

    /// The machine is told of this one.
    pub(super) fn hears(&mut self, document: &Document, version: u64) {
        self.told += 1;
        if version >= self.known {
            self.known = version;
            self.copy = Some(document.clone());
        }
    }

    /// The machine was replaced by one that has heard nothing.
    pub(super) const fn begins_anew(&mut self) {
        self.told = 0;
    }

    fn drop_void(&mut self, sabotage: Option<Sabotage>) {
        if sabotage != Some(Sabotage::WritesWhatIsVoid) {
            let told = self.told;
            self.pending.retain(|(_, heard)| *heard >= told);
        }
    }
}

impl Store {
    pub(super) fn seeded(document: Option<Document>) -> Self {
        let highest = document.as_ref().map(|d| d.epoch).unwrap_or_default();
        Self { document, highest, ..Self::default() }
    }

    pub(super) fn latency(&self, random: &mut Random) -> Duration {
        if self.slow { random.millis(500, 3000) } else { random.millis(1, 10) }
    }

    /// The first write's time has come. `None` when there is none.
    pub(super) fn write(
        &mut self,
        desk: &mut Desk,
        cut: bool,
        random: &mut Random,
        sabotage: Option<Sabotage>,
    ) -> Option<Written> {
        desk.drop_void(sabotage);
        let revision = desk.pending.front()?.0.revision;
        if self.down || cut {
            return Some(Written::Failed(revision));
        }
        let compares = sabotage != Some(Sabotage::WritesWithoutComparing);
        if compares && desk.known != self.version || self.storm && random.chance(0.5) {
            return Some(Written::Conflict);
        }
        let document = desk.pending.front()?.0.clone();
        self.settle(document.clone());
        if self.forgetful && random.chance(0.3) {
            return Some(Written::Lost(document));
        }
        desk.pending.pop_front();
        desk.known = self.version;
        desk.copy = Some(document.clone());
        Some(Written::Done(document))
    }

    fn settle(&mut self, document: Document) {
        self.highest = self.highest.max(document.epoch);
        self.version += 1;
        self.document = Some(document);
    }

    /// The agent died: the write under way may have reached the disk, those behind it did not. Gives what did.
    pub(super) fn crash(&mut self, desk: &mut Desk, cut: bool, random: &mut Random) -> Option<Document> {
        desk.drop_void(None);
        let document = desk.pending.pop_front().map(|(document, _)| document);
        let document = document.filter(|_| !self.down && !cut && desk.known == self.version && random.chance(0.5));
        if let Some(document) = &document {
            self.settle(document.clone());
        }
        desk.pending.clear();
        document
    }

    pub(super) fn back_up(&mut self) {
        self.backup.clone_from(&self.document);
    }

    /// An operator restores the backup; only while no agent runs. False when there is none.
    pub(super) fn restore(&mut self, desk: &mut Desk) -> bool {
        let backup = self.backup.take();
        let restored = backup.is_some();
        if restored {
            self.document = backup;
            desk.checkpoint = None;
        }
        restored
    }

    /// What an agent begins with: what is stored, or what it knows itself where the store cannot be asked.
    pub(super) fn load(&self, desk: &mut Desk, asks: bool) -> Saved {
        if asks {
            (desk.known, desk.copy) = (self.version, self.document.clone());
        } else {
            desk.known = 0;
        }
        desk.told = 0;
        Saved { document: desk.copy.clone(), checkpoint: desk.checkpoint.clone(), baselines: desk.baselines.clone() }
    }
}
