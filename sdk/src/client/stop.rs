//! The end: told to all tasks at once.

use std::time::Duration;

use tokio::sync::watch;

/// Hears when to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop(pub(super) watch::Receiver<bool>);

impl Stop {
    /// Waits for the end; the owner who is gone has ended too.
    pub(super) async fn wait(&self) {
        // An error says that nobody holds the other end any more.
        let _ = self.0.clone().wait_for(|ended| *ended).await;
    }

    /// Sleeps, but not beyond the end.
    pub(super) async fn sleep(&self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.wait()).await;
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.0.has_changed().is_err() || *self.0.borrow()
    }
}
