//! The history of an environment: at hand in memory for those who follow along, kept for good by the store.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::api::{Happening, Judgement, Record, Release, ReleaseId};
use crate::store::{Entry, ReleaseRow, Write, Writer};

/// Records and releases kept in memory; older ones are read from the store.
const RECENT: usize = 1_000;

/// A release with the evidence as it stood at its last decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judged {
    /// The release.
    pub release: Release,
    /// One a component that took part.
    pub judgements: Vec<Judgement>,
}

/// An environment's history.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
    last: watch::Sender<u64>,
    writer: Writer,
}

#[derive(Debug)]
struct Inner {
    records: VecDeque<Record>,
    releases: VecDeque<Judged>,
    next: u64,
}

impl Journal {
    /// A journal whose store holds records up to `last_seq`, and these releases, newest first.
    #[must_use]
    pub fn new(last_seq: u64, releases: impl IntoIterator<Item = ReleaseRow>, writer: Writer) -> Self {
        // A row that another version wrote differently still has its place, with what could be read of it.
        let releases = releases.into_iter().map(|row| serde_json::from_value(row.record).unwrap_or_default()).collect();
        let inner = Inner { records: VecDeque::new(), releases, next: last_seq + 1 };
        Self { inner: Mutex::new(inner), last: watch::Sender::new(last_seq), writer }
    }

    /// The time as records carry it.
    #[must_use]
    pub fn now() -> String {
        crate::api::timestamp(OffsetDateTime::now_utc())
    }

    /// Adds a record, wakes who waits for one, and has it kept.
    pub fn add(&self, release: u64, happening: &Happening) -> Record {
        // All of it under the lock: two who add at once must not tell their numbers in the wrong order.
        let mut inner = self.lock();
        let record = Record::new(inner.next, Self::now(), ReleaseId(release), happening);
        inner.next += 1;
        if inner.records.len() == RECENT {
            inner.records.pop_front();
        }
        inner.records.push_back(record.clone());
        self.writer.keep(Write::Entry(Entry {
            seq: record.seq,
            release,
            at: record.at.clone(),
            kind: record.kind.clone(),
            text: record.text.clone(),
            data: record.data.clone(),
        }));
        self.last.send_replace(record.seq);
        record
    }

    /// The number of the newest record; 0 for none.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        *self.last.borrow()
    }

    /// Records after `after` that are in memory, oldest first; `None` when memory does not reach back that far.
    #[must_use]
    pub fn after(&self, after: u64) -> Option<Vec<Record>> {
        let inner = self.lock();
        let first = inner.records.front().map_or(inner.next, |r| r.seq);
        (after.saturating_add(1) >= first).then(|| inner.records.iter().filter(|r| r.seq > after).cloned().collect())
    }

    /// Waits until there is a record after `after`, at most `limit`.
    pub async fn wait(&self, after: u64, limit: Duration) {
        let mut last = self.last.subscribe();
        // Out of time is an answer as well: nothing new.
        let _ = tokio::time::timeout(limit, last.wait_for(|seq| *seq > after)).await;
    }

    /// Puts a release in, in place of the one with the same number, and has it kept.
    pub fn put_release(&self, judged: Judged) {
        let id = judged.release.id.0;
        // Texts, numbers and lists of them: this cannot fail.
        let record = serde_json::to_value(&judged).unwrap_or_default();
        let mut inner = self.lock();
        match inner.releases.iter_mut().find(|r| r.release.id.0 == id) {
            Some(known) => *known = judged,
            None => {
                inner.releases.truncate(RECENT - 1);
                inner.releases.push_front(judged);
            }
        }
        drop(inner);
        self.writer.keep(Write::Release(ReleaseRow { id, record }));
    }

    /// The release with this number, if it is among the newest.
    #[must_use]
    pub fn release(&self, id: u64) -> Option<Judged> {
        self.lock().releases.iter().find(|r| r.release.id.0 == id).cloned()
    }

    /// The newest releases, newest first.
    #[must_use]
    pub fn releases(&self) -> Vec<Release> {
        self.lock().releases.iter().map(|r| r.release.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Every change is complete before the guard falls, so a poisoned lock still holds a whole state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_order_however_many_add_at_once() {
        let journal = Journal::new(0, [], Writer::nowhere());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let record = journal.add(1, &Happening::Extended);
                        assert!(journal.last_seq() >= record.seq, "who waits for {} would wait on", record.seq);
                    }
                });
            }
        });
        assert_eq!(journal.last_seq(), 800);
        assert_eq!(journal.after(u64::MAX), Some(Vec::new()));
    }

    #[tokio::test]
    async fn who_waits_for_the_next_record_is_woken_by_it() {
        let journal = std::sync::Arc::new(Journal::new(7, [], Writer::nowhere()));
        let waiting = tokio::spawn({
            let journal = journal.clone();
            async move {
                journal.wait(7, Duration::from_secs(30)).await;
                journal.after(7)
            }
        });
        journal.add(1, &Happening::Extended);
        let records = waiting.await.unwrap().unwrap();
        assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [8]);
        assert_eq!(journal.after(3), None, "records 4 to 7 are in the store alone");
    }
}
