//! What an edge shows of itself: counters for metrics and one snapshot for `status`.

use std::sync::atomic::{AtomicU64, Ordering};

use teal_rollout::machine::event::{Backend, Feed};
use teal_rollout::policy::Policy;

/// A number that many tasks add to.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    pub(super) fn set(&self, n: u64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counted since the adapter started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Times the running proxy or the file was found to differ from what was ordered, by nobody's manual move.
    pub drift: Counter,
    /// Times the ordered policy was put back into the running proxy.
    pub reassertions: Counter,
    /// Orders refused: below the greatest epoch seen, or for another number of components.
    pub refused: Counter,
    /// Log lines read, ours or not.
    pub lines: Counter,
    /// Lines of ours that could not be read.
    pub garbled: Counter,
    /// Requests read and then dropped because the controller was behind.
    pub lost: Counter,
    /// Requests that ended by HAProxy's counters and have left no line within two seconds; counted only while its lines
    /// carry the times of their requests.
    pub missing: Counter,
    /// Requests counted as overdue while still in flight.
    pub overdue: Counter,
    /// How long HAProxy took to acknowledge the last change, in microseconds; 0 before the first.
    pub ack_micros: Counter,
}

/// How an edge stands at one moment.
#[derive(Clone, Debug)]
pub struct EdgeStatus {
    /// The process that serves new requests; `None` while it cannot be reached.
    pub pid: Option<u32>,
    /// HAProxy's version, the last one seen.
    pub version: Option<String>,
    /// What requests are routed by.
    pub running: Option<Policy>,
    /// What a restart would route by.
    pub saved: Option<Policy>,
    /// Whether both are the same, so that a restart or a reload changes nothing.
    pub reload_safe: bool,
    /// Whether somebody moved the running policy by hand.
    pub manual: bool,
    /// Whether evidence flows.
    pub feed: Feed,
    /// Servers up and requests in flight, for each colour of each component.
    pub backends: Vec<Backend>,
    /// Processes that a reload left behind and that still finish requests, with whether they took the policy.
    pub old_workers: Vec<OldWorker>,
    /// Why HAProxy cannot be asked, with the way out.
    pub runtime_error: Option<String>,
    /// Why the file cannot be read or written, with the way out.
    pub file_error: Option<String>,
    /// Why the log cannot be read, with the way out.
    pub feed_error: Option<String>,
}

/// A HAProxy process that a reload replaced and that still finishes its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldWorker {
    /// Its pid.
    pub pid: u32,
    /// Whether it routes by the policy of the new process; only a master socket can tell it to.
    pub told: bool,
}
