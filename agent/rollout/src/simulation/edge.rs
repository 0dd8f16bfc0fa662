//! One edge: a HAProxy with its map in memory and on disk, and the adapter that is part of the agent.
//!
//! ```text
//!   order --> adapter --forward--> file --> running --> report
//!                     \--back----> running, file (each by itself) --> report
//! ```

use std::time::Duration;

use crate::machine::Direction;
use crate::machine::event::{Backend, EdgeReport, Feed, Observation};
use crate::policy::{Epoch, Policy, Verdict};
use crate::time::Time;

/// How often the adapter looks at its proxy.
pub(super) const POLL: Duration = Duration::from_millis(100);
/// How long it waits before it tries a failed write again.
pub(super) const RETRY: Duration = Duration::from_millis(50);

#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) file: Policy,
    pub(super) running: Policy,
    /// The process; a new one starts from the file.
    pub(super) pid: u32,
    pub(super) up: bool,
    /// Whether the agent can talk to it.
    pub(super) reachable: bool,
    pub(super) disk_full: bool,
    pub(super) feed: Feed,
    /// Somebody changed the running map by hand and nobody has written it since.
    pub(super) edited: bool,
    /// Since when the running map is what it is.
    pub(super) since: Time,
    /// Since when the adapter could have written it: it lives, and the proxy is up and can be reached.
    pub(super) workable_since: Option<Time>,
    /// The same, while its agent also hears of the store and the platform.
    pub(super) informed_since: Option<Time>,
    pub(super) adapter: Option<Adapter>,
    /// The sequence of the last evidence block; it outlives the agent because it is taken from a clock.
    pub(super) sequence: u64,
    /// Requests that are held up, by when they end.
    pub(super) held: Vec<Held>,
}

/// A request that is held up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) began: Time,
    pub(super) ends: Time,
    pub(super) seen: Observation,
}

/// What dies with the agent.
#[derive(Clone, Debug)]
pub(super) struct Adapter {
    pub(super) greatest: Epoch,
    want: Option<(Policy, Direction)>,
    /// What the running proxy is to have: a forward order's policy only once its file is written.
    target: Option<Policy>,
    /// Counts orders, so that the retries of an older one end.
    pub(super) order: u64,
    pid: u32,
    /// Whether the proxy answered the last time.
    asked: bool,
    pub(super) manual: bool,
}

/// What is left to do after a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    File,
    Running,
    Both,
    RetryFile,
    RetryRunning,
    Report,
}

impl Edge {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            file: policy.clone(),
            running: policy,
            pid: 1,
            up: true,
            reachable: true,
            disk_full: false,
            feed: Feed::Live,
            edited: false,
            since: Time::ZERO,
            workable_since: None,
            informed_since: None,
            adapter: None,
            sequence: 0,
            held: Vec::new(),
        }
    }

    pub(super) const fn can_be_asked(&self) -> bool {
        self.up && self.reachable
    }

    /// A new agent finds the edge as it is and writes nothing before the first order.
    pub(super) fn attach(&mut self) {
        let running = if self.can_be_asked() { self.running.epoch } else { Epoch::default() };
        let greatest = running.max(self.file.epoch);
        self.adapter =
            Some(Adapter { greatest, want: None, target: None, order: 0, pid: self.pid, asked: true, manual: false });
    }

    /// Takes an order, unless it is below what was seen.
    pub(super) fn take(&mut self, policy: Policy, direction: Direction) -> Left {
        let Some(adapter) = &mut self.adapter else { return Left::Nothing };
        if policy.epoch < adapter.greatest {
            return Left::Report;
        }
        adapter.greatest = policy.epoch;
        if direction == Direction::Back {
            adapter.target = Some(policy.clone());
        }
        adapter.want = Some((policy, direction));
        adapter.order += 1;
        adapter.manual = false;
        match direction {
            Direction::Forward => Left::File,
            Direction::Back => Left::Both,
        }
    }

    pub(super) fn write_file(&mut self) -> Left {
        let Some((policy, direction)) = self.adapter.as_ref().and_then(|a| a.want.clone()) else {
            return Left::Nothing;
        };
        if self.file != policy {
            if self.disk_full {
                return Left::RetryFile;
            }
            if self.file.epoch > policy.epoch {
                return Left::Report;
            }
            self.file = policy.clone();
        }
        if let Some(adapter) = self.adapter.as_mut().filter(|_| direction == Direction::Forward) {
            adapter.target = Some(policy);
            return Left::Running;
        }
        Left::Report
    }

    pub(super) fn write_running(&mut self, now: Time) -> Left {
        let Some(policy) = self.adapter.as_ref().and_then(|a| a.target.clone()) else {
            return Left::Nothing;
        };
        if !self.can_be_asked() {
            return Left::RetryRunning;
        }
        // Somebody forced the edge meanwhile; the next look takes notice of it.
        if self.running.epoch > policy.epoch {
            return Left::Report;
        }
        if self.running != policy {
            self.running = policy;
            self.since = now;
        }
        self.edited = false;
        Left::Report
    }

    /// The adapter looks: a restarted proxy gets its policy again, a hand is noticed and left alone.
    pub(super) fn poll(&mut self) -> Left {
        let can_be_asked = self.can_be_asked();
        let Some(adapter) = &mut self.adapter else { return Left::Nothing };
        let changed = std::mem::replace(&mut adapter.asked, can_be_asked) != can_be_asked;
        if !can_be_asked {
            return if changed { Left::Report } else { Left::Nothing };
        }
        // Once there was an order, only a verdict on a known release counts, not any number somebody typed.
        let epoch = self.running.epoch;
        let verdict = epoch.verdict == Verdict::Bad && epoch.release <= adapter.greatest.release;
        if adapter.want.is_none() || verdict {
            adapter.greatest = adapter.greatest.max(epoch);
        }
        let restarted = std::mem::replace(&mut adapter.pid, self.pid) != self.pid;
        let Some(target) = &adapter.target else { return Left::Nothing };
        if restarted {
            adapter.manual = false;
            return if self.running == *target { Left::Report } else { Left::Running };
        }
        if self.edited && !adapter.manual {
            adapter.manual = true;
            return Left::Report;
        }
        if changed { Left::Report } else { Left::Nothing }
    }

    pub(super) fn report(&self, index: usize, backends: Vec<Backend>) -> Option<EdgeReport> {
        let adapter = self.adapter.as_ref()?;
        let asked = self.can_be_asked();
        Some(EdgeReport {
            edge: index,
            running: asked.then(|| self.running.clone()),
            saved: Some(self.file.clone()),
            manual: adapter.manual && asked,
            feed: if asked { self.feed } else { Feed::Lost },
            backends: if asked { backends } else { Vec::new() },
        })
    }

    /// The proxy starts again, or a new worker replaces the old one, and reads the file.
    pub(super) fn load(&mut self, now: Time) {
        self.pid += 1;
        self.up = true;
        self.running = self.file.clone();
        self.edited = false;
        self.since = now;
    }
}
