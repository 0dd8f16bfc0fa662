//! What is counted of who comes through the flags' door. No name, token or address is in it.

use std::sync::atomic::{AtomicU64, Ordering};

/// One count.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(in crate::http) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less, of what goes as well.
    pub(in crate::http) fn remove(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted since the agent started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests without a token, or with a wrong one.
    pub unauthenticated: Count,
    /// Requests whose role or environment was not enough.
    pub forbidden: Count,
    /// Requests that came too often.
    pub limited: Count,
    /// Requests of web pages from elsewhere, or for another host.
    pub strangers: Count,
    /// Requests without a token that `legacy_anonymous` let in.
    pub legacy: Count,
    /// Streams that were refused because there were too many.
    pub full: Count,
    /// Streams that stand.
    pub streams: Count,
}
