//! How long to wait before something that failed is tried again: 50 ms, doubled up to a second.

use std::time::Duration;

use tokio::time::Instant;

/// When the next try is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    at: Instant,
    wait: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(1);

    /// Due at once.
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), wait: Self::FIRST }
    }

    /// Due after the wait, which then doubles.
    pub(super) fn failed(&mut self) {
        self.at = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(Self::LONGEST);
    }

    /// Due a little later; this was no failure.
    pub(super) fn delay(&mut self, wait: Duration) {
        self.at = Instant::now() + wait;
    }

    /// When it is due.
    pub(super) const fn at(&self) -> Instant {
        self.at
    }
}
