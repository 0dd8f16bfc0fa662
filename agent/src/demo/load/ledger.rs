//! What became of each request: pushed in the order they were sent, closed in whatever order they end.

use std::collections::VecDeque;
use std::time::Duration;

use super::counts::Counts;
use super::cut::Stretch;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Not yet.
    InFlight,
    /// With a complete response of this status.
    Answered(u16),
    /// No connection: lost.
    Refused,
    /// The connection broke before the response was complete: lost.
    Broken,
    /// The client gave up waiting: lost.
    GaveUp,
    /// Never sent, because this machine had no descriptor or port left for it. Says nothing about the target, so
    /// it counts nowhere, but the run is invalid.
    Unsent,
}

impl Ending {
    /// No complete response came.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Refused | Self::Broken | Self::GaveUp)
    }

    /// A user would call it failed: lost, or answered with 500 or above.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        self.is_lost() || matches!(self, Self::Answered(500..))
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// When it left, since the start of the load.
    pub(super) sent: Duration,
    /// How much later than intended that was.
    pub(super) late: Duration,
    /// From the intended start to the end.
    pub(super) took: Duration,
    pub(super) ending: Ending,
    /// Index in [`Counts`] of the version that answered.
    pub(super) version: Option<u16>,
}

/// The requests sent so far. The oldest are forgotten beyond [`Ledger::ROOM`], so that `--stay` can run for ever.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    records: VecDeque<Record>,
    /// How many were forgotten: the id of the first record.
    forgotten: u64,
    /// No request before this id is in flight.
    settled: u64,
    /// Of all, the forgotten ones too.
    counts: Counts,
}

impl Ledger {
    /// Forty minutes at 500 requests a second, or a soak of a million.
    pub(super) const ROOM: usize = 1_200_000;

    /// A request leaves; the id closes it.
    pub(super) fn begin(&mut self, sent: Duration, intended: Duration) -> u64 {
        if self.records.len() == Self::ROOM {
            self.records.pop_front();
            self.forgotten += 1;
        }
        let late = sent.saturating_sub(intended);
        self.records.push_back(Record { sent, late, took: Duration::ZERO, ending: Ending::InFlight, version: None });
        self.counts.in_flight += 1;
        self.forgotten + self.records.len() as u64 - 1
    }

    /// The request `id` ended at `now`, answered by `version` if by any.
    pub(super) fn end(&mut self, id: u64, now: Duration, ending: Ending, version: Option<&str>) {
        let version = version.and_then(|name| self.counts.intern(name));
        self.counts.in_flight -= 1;
        self.counts.add(ending, version);
        if let Some(record) = self.index(id).and_then(|at| self.records.get_mut(at)) {
            record.took = (now + record.late).saturating_sub(record.sent);
            record.ending = ending;
            record.version = version;
        }
    }

    /// Of all requests so far.
    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// A copy of the requests sent in `from..to`, to compute figures from without holding up the load.
    pub(super) fn stretch(&mut self, from: Duration, to: Duration) -> Stretch {
        let first = self.records.partition_point(|record| record.sent < from);
        let last = self.records.partition_point(|record| record.sent < to).max(first);
        let records = self.records.make_contiguous()[first..last].to_vec();
        Stretch { records, versions: Counts::of(self.counts.names()) }
    }

    /// Whether a request sent before `mark` has not ended. Each request is passed over once, whatever the calls.
    pub(super) fn in_flight_before(&mut self, mark: Duration) -> bool {
        self.settled = self.settled.max(self.forgotten);
        loop {
            match self.index(self.settled).and_then(|at| self.records.get(at)) {
                Some(record) if record.ending != Ending::InFlight => self.settled += 1,
                oldest => return oldest.is_some_and(|record| record.sent < mark),
            }
        }
    }

    fn index(&self, id: u64) -> Option<usize> {
        id.checked_sub(self.forgotten).and_then(|at| usize::try_from(at).ok())
    }
}
