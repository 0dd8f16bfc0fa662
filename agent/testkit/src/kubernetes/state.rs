//! All that the server knows, behind one lock, and the signal by which watches wake.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::access::Users;
use super::faults::Faults;
use super::objects::Objects;
use super::record::Used;
use super::watch::Cut;

/// What can happen to a running watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Signal {
    pub(super) revision: u64,
    /// How often bookmarks were asked for.
    pub(super) bookmarks: u64,
    /// How often watches were cut, and how the last time.
    pub(super) cuts: u64,
    pub(super) cut: Cut,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) objects: Objects,
    pub(super) users: Users,
    pub(super) faults: Faults,
    pub(super) used: Vec<Used>,
    /// By `namespace/pod/container`, and by the same with `previous` before it.
    pub(super) logs: BTreeMap<String, String>,
}

/// The state and who waits for it.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) signal: watch::Sender<Signal>,
}

impl Shared {
    pub(super) fn new() -> Self {
        let objects = Objects::new();
        let state = State {
            objects,
            users: Users::default(),
            faults: Faults::default(),
            used: Vec::new(),
            logs: BTreeMap::new(),
        };
        Self { state: Mutex::new(state), signal: watch::Sender::new(Signal::default()) }
    }

    /// Never held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the watches if anything was written.
    pub(super) fn announce(&self, revision: u64) {
        self.signal.send_if_modified(|signal| {
            let is_new = signal.revision < revision;
            signal.revision = signal.revision.max(revision);
            is_new
        });
    }
}
