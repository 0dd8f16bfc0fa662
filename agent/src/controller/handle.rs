//! The way to an environment for everybody else: orders in, snapshots and history out.

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::machine::{Order, Refusal};
use tokio::sync::{mpsc, oneshot, watch};

use super::promises::Answer;
use super::{Journal, Snapshot, Timelines};
use crate::store::Sqlite;

/// How long an order waits for an agent that has just started: longer than that asks its edges, shorter than the client waits.
const STARTING: Duration = Duration::from_secs(4);
/// How long a person waits for the store to have an order.
const STORED: Duration = Duration::from_secs(3);

/// An order with the place for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) order: Order,
    pub(super) answer: Answer,
}

/// Why an order got no answer.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The machine says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was taken, and may be lost if the agent dies before the store answers.
    #[error(
        "the order was taken, but the store has not said within {0:?} that it has it: it goes on as soon as it does; \
         look at `status` before you order again"
    )]
    NotStored(Duration),
    /// The agent is on its way down.
    #[error("the agent is stopping")]
    Stopping,
}

/// The way to an environment for everybody else. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) orders: mpsc::Sender<Asked>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) journal: Arc<Journal>,
    pub(super) timelines: Arc<Timelines>,
    pub(super) store: Sqlite,
}

impl Handle {
    /// Gives an order and waits until the store has it: the release it is about. A rollback is answered before.
    ///
    /// # Errors
    /// [`OrderError`]; [`OrderError::NotStored`] after [`STORED`].
    pub async fn order(&self, order: Order) -> Result<u64, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.give(order, answer).await?;
        let late = |_| OrderError::NotStored(STORED);
        Ok(tokio::time::timeout(STORED, answered).await.map_err(late)?.map_err(|_| OrderError::Stopping)??)
    }

    /// Gives an order for somebody who cannot see whether it was carried out, and so waits as long as it takes.
    ///
    /// # Errors
    /// [`OrderError::Refused`] and [`OrderError::Stopping`].
    pub async fn order_patiently(&self, order: Order) -> Result<u64, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.give(order, answer).await?;
        Ok(answered.await.map_err(|_| OrderError::Stopping)??)
    }

    async fn give(&self, order: Order, answer: Answer) -> Result<(), OrderError> {
        // An agent that has just started is still asking edges and platform; whoever comes then waits instead of trying again.
        let started = async { self.snapshots.clone().wait_for(|snapshot| snapshot.view.oriented).await.is_ok() };
        let _ = tokio::time::timeout(STARTING, started).await;
        self.orders.send(Asked { order, answer }).await.map_err(|_| OrderError::Stopping)
    }

    /// The newest state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// Every state from here on.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The history.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The evidence of the newest release over time.
    #[must_use]
    pub fn timelines(&self) -> &Timelines {
        &self.timelines
    }

    /// The reading side of the store.
    #[must_use]
    pub fn store(&self) -> &Sqlite {
        &self.store
    }
}
