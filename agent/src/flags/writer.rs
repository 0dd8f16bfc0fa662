//! The task that alone writes: it makes changes one after the other and publishes what is so.
//!
//! ```text
//! orders (edits, counts) ----\
//! hints of other agents ------+--> one at a time --> database --> State --> whoever reads
//! its own clock --------------/         '-- away: refused at once, tried again by the clock
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use teal_flags::model::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::edit::{Edit, Thing};
use super::error::FlagsError;
use super::import::{Import, Imported};
use super::now;
use super::segments::SegmentEdit;
use super::state::{Position, State};
use super::store::{Author, Edited, Loaded, Outcome, Served, Store};

/// Between two looks at a database that others may write to, whether or not a hint came.
const LOOK: Duration = Duration::from_secs(3);
/// The same while it is away.
const TRY: Duration = Duration::from_millis(500);
/// Hints that may wait: each look sees all that was done before it.
const HINTS: usize = 16;

/// What is asked of the writer. Who asked may have gone when it is done.
#[derive(Debug)]
pub(super) enum Order {
    Edit {
        edit: Edit,
        author: Author,
        reply: oneshot::Sender<Result<(Thing, u64), FlagsError>>,
    },
    Import {
        import: Import,
        author: Author,
        reply: oneshot::Sender<Result<Imported, FlagsError>>,
    },
    /// Somebody knows this of the service.
    Heard {
        position: Position,
        reply: oneshot::Sender<()>,
    },
    Count {
        report: Option<String>,
        environment: String,
        at: Timestamp,
        served: Vec<Served>,
        reply: oneshot::Sender<Result<(), FlagsError>>,
    },
}

/// The task's own.
pub(super) struct Writer {
    pub(super) store: Store,
    /// The file that says how far the service is.
    pub(super) seen: PathBuf,
    pub(super) states: watch::Sender<Arc<State>>,
    /// What was read last, and changed since; `None`: nothing was read yet.
    pub(super) known: Option<Loaded>,
    /// Instances that were there before: one that comes again is a backup.
    pub(super) former: Vec<Arc<str>>,
    /// Why the database is away, while it is.
    pub(super) away: Option<String>,
    /// Why it is there and cannot be used, while that is so.
    pub(super) refused: Option<String>,
}

impl Writer {
    /// Works until told to stop; what was ordered before is still done. `first` is told what came of the first look: on a refusal
    /// the task ends, unless nobody waits for it any more.
    pub(super) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        first: oneshot::Sender<Result<(), FlagsError>>,
        stop: CancellationToken,
    ) {
        let Some(looked) = stop.run_until_cancelled(self.look()).await else { return };
        let refused = looked.err().filter(|error| !error.is_away() || !self.store.is_shared());
        let is_refused = refused.is_some();
        if first.send(refused.map_or(Ok(()), Err)).is_ok() && is_refused {
            return;
        }
        let (hints, mut hinted) = mpsc::channel(HINTS);
        let listener = tokio::spawn(self.store.clone().listen(hints));
        let mut next = self.next_look();
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                Some(hint) = hinted.recv() => {
                    self.hinted(hint).await;
                    continue;
                }
                () = sleep_until(next), if self.store.is_shared() => {
                    // Trouble was reported where it was met.
                    let _ = self.look().await;
                    next = self.next_look();
                    continue;
                }
                () = stop.cancelled() => orders.try_recv().ok(),
            };
            let Some(order) = order else { break };
            let was_away = self.away.is_some();
            self.obey(order).await;
            if self.away.is_some() && !was_away {
                next = self.next_look();
            }
        }
        listener.abort();
    }

    fn next_look(&self) -> Instant {
        Instant::now() + if self.away.is_some() { TRY } else { LOOK }
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Edit { edit, author, reply } => {
                let made = self.edit(&edit, &author).await;
                let _ = reply.send(self.noted(made));
            }
            Order::Import { import, author, reply } => {
                let made = self.import(&import, &author).await;
                let _ = reply.send(self.noted(made));
            }
            Order::Heard { position, reply } => {
                self.heard(&position).await;
                let _ = reply.send(());
            }
            Order::Count { report, environment, at, served, reply } => {
                let counted = match self.present() {
                    Ok(_) => self.store.count(report.as_deref(), &environment, at, now(), &served).await,
                    Err(error) => Err(error),
                };
                let _ = reply.send(self.noted(counted));
            }
        }
    }

    /// What is known, unless the database is away: then nobody waits to find out again.
    pub(super) fn present(&self) -> Result<&Loaded, FlagsError> {
        match (&self.known, &self.away) {
            (_, Some(why)) => Err(FlagsError::Away(why.clone())),
            (Some(known), None) => Ok(known),
            (None, None) => Err(FlagsError::Away("it was not read yet".to_owned())),
        }
    }

    async fn edit(&mut self, edit: &Edit, author: &Author) -> Result<(Thing, u64), FlagsError> {
        let mut outcome = self.attempt(edit, author).await;
        if matches!(outcome, Ok(Outcome::WentBack)) {
            self.look().await?;
            outcome = self.attempt(edit, author).await;
        }
        match outcome {
            Ok(Outcome::Edited(edited)) => self.follow(*edited).await,
            Ok(Outcome::WentBack) => Err(FlagsError::Away("it goes back in time".to_owned())),
            Err(unknown @ (FlagsError::Unknown(_) | FlagsError::UnknownSegment(_))) if self.is_shown(edit) => {
                // Another agent deleted it, or somebody took it out of the table by hand.
                self.look().await?;
                Err(unknown)
            }
            Err(other) => Err(other),
        }
    }

    async fn import(&mut self, import: &Import, author: &Author) -> Result<Imported, FlagsError> {
        let known = self.present()?.state.position().clone();
        let mut made = self.store.import(import, author, now(), &known).await?;
        if made.is_none() {
            self.look().await?;
            let known = self.present()?.state.position().clone();
            made = self.store.import(import, author, now(), &known).await?;
        }
        let imported = made.ok_or_else(|| FlagsError::Away("it goes back in time".to_owned()))?;
        if let Err(error) = self.catch_up().await {
            // It was made: the next look publishes it.
            tracing::warn!(%error, "flags were carried over and cannot be read back yet");
            self.noted::<()>(Err(error)).ok();
        }
        Ok(imported)
    }

    async fn attempt(&self, edit: &Edit, author: &Author) -> Result<Outcome, FlagsError> {
        self.store.edit(edit, author, now(), self.present()?.state.position()).await
    }

    /// Publishes what an edit did, and what others did before it.
    async fn follow(&mut self, edited: Edited) -> Result<(Thing, u64), FlagsError> {
        let Edited { thing, change } = edited;
        let known = self.present()?;
        let here = known.state.position();
        let Some((position, changed)) = change else { return Ok((thing, here.revision)) };
        if *here == (Position { revision: position.revision - 1, ..position.clone() }) {
            let next = known.after(position.revision, changed);
            self.publish(next);
        } else if let Err(error) = self.catch_up().await {
            // It was made: the next look publishes it.
            tracing::warn!(%error, "a change was made and cannot be read back yet");
            self.noted::<()>(Err(error)).ok();
        }
        Ok((thing, position.revision))
    }

    /// Whether the flag or segment that is to be changed is one that is told of.
    fn is_shown(&self, edit: &Edit) -> bool {
        match edit {
            Edit::Create(_) | Edit::Segment(SegmentEdit::Create(_)) => false,
            Edit::Segment(SegmentEdit::Patch { name, .. } | SegmentEdit::Delete { name, .. }) => {
                self.states.borrow().segment(name).is_some()
            }
            Edit::Patch { flag, .. } | Edit::Delete { flag, .. } => self.states.borrow().flag(flag).is_some(),
        }
    }

    /// Remembers whether the database is away.
    pub(super) fn noted<T>(&mut self, result: Result<T, FlagsError>) -> Result<T, FlagsError> {
        if let Err(error) = &result
            && error.is_away()
            && self.store.is_shared()
            && self.away.is_none()
        {
            tracing::error!(%error, "flags are read from memory, and edits are refused, until the database is back");
            self.away = Some(error.to_string());
        }
        result
    }
}
