//! What is not written yet; what replaces itself is kept once.

use std::collections::{BTreeMap, VecDeque};

use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::statistics::History;

use super::writer::Write;
use super::{Entry, ReleaseRow, Sqlite, StoreError, TimelineRow};

/// Journal entries kept while the store is down; older ones are dropped first.
const MAX_PENDING: usize = 10_000;

/// By kind.
#[derive(Default)]
pub(super) struct Pending {
    /// The document in SQLite, where that is a copy.
    pub(super) copy: Option<Box<Document>>,
    checkpoint: Option<Box<Checkpoint>>,
    baselines: BTreeMap<String, Box<History>>,
    entries: VecDeque<Entry>,
    releases: BTreeMap<u64, ReleaseRow>,
    timelines: BTreeMap<u64, TimelineRow>,
}

impl Pending {
    /// All but the document.
    pub(super) fn take(&mut self, write: Write) {
        match write {
            Write::Document { .. } => {}
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

    pub(super) fn is_empty(&self) -> bool {
        self.copy.is_none()
            && self.checkpoint.is_none()
            && self.baselines.is_empty()
            && self.entries.is_empty()
            && self.releases.is_empty()
            && self.timelines.is_empty()
    }

    /// Writes one thing, the copy of the document before all else.
    pub(super) async fn write_next(&mut self, store: &Sqlite, environment: &str) -> Result<(), StoreError> {
        if let Some(copy) = &self.copy {
            store.copy_document(environment, copy).await?;
            self.copy = None;
        } else if let Some(release) = self.releases.first_entry() {
            store.put_release(environment, release.get()).await?;
            release.remove();
        } else if let Some(entry) = self.entries.front() {
            store.add_entry(environment, entry).await?;
            self.entries.pop_front();
        } else if let Some(checkpoint) = &self.checkpoint {
            store.put_checkpoint(environment, checkpoint).await?;
            self.checkpoint = None;
        } else if let Some(baseline) = self.baselines.first_entry() {
            store.put_baseline(environment, baseline.key(), baseline.get()).await?;
            baseline.remove();
        } else if let Some(timeline) = self.timelines.first_entry() {
            store.put_timeline(environment, timeline.get()).await?;
            timeline.remove();
        }
        Ok(())
    }
}
