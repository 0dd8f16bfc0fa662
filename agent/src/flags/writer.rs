//! The task that alone writes: it makes changes one after the other and publishes what is so.

use std::path::PathBuf;
use std::sync::Arc;

use teal_flags::model::{Flag, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::edit::Edit;
use super::error::FlagsError;
use super::state::{Position, State};
use super::store::{Author, Served, Store};
use super::{now, seen};

/// What is asked of the writer. Who asked may have gone when it is done.
#[derive(Debug)]
pub(super) enum Order {
    Edit {
        edit: Edit,
        author: Author,
        reply: oneshot::Sender<Result<(Flag, u64), FlagsError>>,
    },
    /// Somebody knows this of the service.
    Heard {
        position: Position,
        reply: oneshot::Sender<()>,
    },
    Count {
        environment: String,
        at: Timestamp,
        served: Vec<Served>,
        reply: oneshot::Sender<Result<(), FlagsError>>,
    },
}

/// The task's own.
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) seen: PathBuf,
    pub(super) states: watch::Sender<Arc<State>>,
}

impl Writer {
    /// Works until told to stop; what was ordered before is still done.
    pub(super) async fn run(self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            let order = match stop.run_until_cancelled(orders.recv()).await {
                Some(Some(order)) => order,
                Some(None) => return,
                None => match orders.try_recv() {
                    Ok(order) => order,
                    Err(_) => return,
                },
            };
            match order {
                Order::Edit { edit, author, reply } => {
                    let _ = reply.send(self.edit(&edit, &author).await);
                }
                Order::Heard { position, reply } => {
                    self.heard(&position).await;
                    let _ = reply.send(());
                }
                Order::Count { environment, at, served, reply } => {
                    let _ = reply.send(self.store.count(&environment, at, now(), &served).await);
                }
            }
        }
    }

    async fn edit(&self, edit: &Edit, author: &Author) -> Result<(Flag, u64), FlagsError> {
        let edited = match self.store.edit(edit, author, now()).await {
            Err(FlagsError::Unknown(name)) if self.is_shown(edit) => {
                // Somebody took it out of the table by hand.
                self.renew("a flag is missing in the database").await?;
                return Err(FlagsError::Unknown(name));
            }
            other => other?,
        };
        let before = self.states.borrow().clone();
        let Some((position, changed)) = edited.change else { return Ok((edited.flag, before.position().revision)) };
        let follows = *before.position() == Position { revision: position.revision - 1, ..position.clone() };
        if follows {
            self.publish(before.after(position.revision, changed));
        } else {
            self.renew("the database was changed by somebody else").await?;
        }
        Ok((edited.flag, position.revision))
    }

    /// Whether the flag that is to be changed is one that is told of.
    fn is_shown(&self, edit: &Edit) -> bool {
        match edit {
            Edit::Create(_) => false,
            Edit::Patch { flag, .. } | Edit::Delete { flag, .. } => self.states.borrow().flag(flag).is_some(),
        }
    }

    /// Nobody can know more of this instance than there is: then the database is an older one than it was.
    async fn heard(&self, heard: &Position) {
        let here = self.states.borrow().position().clone();
        if heard.instance == here.instance && heard.revision > here.revision {
            // It is tried again with the next one who knows.
            if let Err(error) = self.renew("an application knows a later revision").await {
                tracing::error!(%error, "the flags cannot be made another instance");
            }
        }
    }

    /// Begins another life of the service, from what is in the database.
    pub(super) async fn renew(&self, why: &str) -> Result<(), FlagsError> {
        self.store.renew().await?;
        let (state, _) = self.store.load().await?;
        tracing::warn!(why, position = %state.position(), "the flags are another instance from now on: they were restored, emptied or changed by hand");
        self.publish(state);
        Ok(())
    }

    fn publish(&self, state: State) {
        self.states.send_replace(Arc::new(state));
        self.note();
    }

    /// Writes down how far the service is.
    pub(super) fn note(&self) {
        if let Err(error) = seen::write(&self.seen, self.states.borrow().position()) {
            tracing::warn!(%error, path = %self.seen.display(), "cannot be written: a restored database is noticed later");
        }
    }
}
