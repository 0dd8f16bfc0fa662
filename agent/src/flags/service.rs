//! The flag service as its doors see it. Cheap to clone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use teal_flags::model::{Flag, Segment, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::access::FirstToken;

use super::edit::{Edit, Thing};
use super::error::FlagsError;
use super::import::{Import, Imported};
use super::now;
use super::reads::Reads;
use super::segments::SegmentEdit;
use super::served::servable;
use super::stale::{self, Stale};
use super::state::{Position, State};
use super::store::{Audit, Author, Place, Served, Store, Wanted};
use super::tokens::Tokens;
use super::writer::{Order, Writer};

/// Orders that may wait for the writer; more wait at the door.
const WAITING: usize = 64;
/// How long the start waits for PostgreSQL: what is wrong with the configuration is said by then.
const FIRST: Duration = Duration::from_secs(5);

/// How a service is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its database.
    pub place: Place,
    /// Whether the schema may be brought up to date.
    pub may_migrate: bool,
    /// The file of this agent's that says how far the service was.
    pub seen: PathBuf,
}

/// The flag service.
#[derive(Clone, Debug)]
pub struct Service {
    store: Store,
    orders: mpsc::Sender<Order>,
    reads: Reads,
}

impl Service {
    /// Opens the database, and starts the task that writes; it ends with `stop`. PostgreSQL that does not answer is waited for by that
    /// task: until it was read, [`State::is_loaded`] is false.
    ///
    /// # Errors
    /// [`FlagsError::Open`], [`FlagsError::Dsn`], [`FlagsError::Schema`] and [`FlagsError::Sql`].
    pub async fn open(settings: Settings, stop: CancellationToken) -> Result<(Self, JoinHandle<()>), FlagsError> {
        let store = Store::open(&settings.place, settings.may_migrate).await?;
        let (states, reads) = watch::channel(Arc::new(State::nothing()));
        let seen = settings.seen;
        let writer =
            Writer { store: store.clone(), seen, states, known: None, former: Vec::new(), away: None, refused: None };
        let (orders, ordered) = mpsc::channel(WAITING);
        let (first, looked) = oneshot::channel();
        let task = tokio::spawn(writer.run(ordered, first, stop));
        let looked = if store.is_shared() { timeout(FIRST, looked).await } else { Ok(looked.await) };
        if let Ok(Ok(Err(refused))) = looked {
            return Err(refused);
        }
        Ok((Self { store, orders, reads: Reads::new(reads) }, task))
    }

    /// For who only asks.
    #[must_use]
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Everything, as it is now.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.reads.state()
    }

    /// Makes a change. Returns the flag as it is now, or was last, and the revision. It is made also when the caller goes away.
    ///
    /// # Errors
    /// Whatever keeps it from being made; then nothing of it is.
    pub async fn edit(&self, edit: Edit, author: Author) -> Result<(Flag, u64), FlagsError> {
        match self.order(|reply| Order::Edit { edit, author, reply }).await?? {
            (Thing::Flag(flag), revision) => Ok((*flag, revision)),
            // A segment's edit is not made here.
            (Thing::Segment(segment), _) => Err(FlagsError::Unknown(segment.name)),
        }
    }

    /// Makes a change of a segment. Returns it as it is now, or was last.
    ///
    /// # Errors
    /// As [`Service::edit`].
    pub async fn edit_segment(&self, edit: SegmentEdit, author: Author) -> Result<Segment, FlagsError> {
        let edit = Edit::Segment(edit);
        match self.order(|reply| Order::Edit { edit, author, reply }).await?? {
            (Thing::Segment(segment), _) => Ok(*segment),
            (Thing::Flag(flag), _) => Err(FlagsError::UnknownSegment(flag.name)),
        }
    }

    /// Carries over what another application kept of its flags, all of it or nothing.
    ///
    /// # Errors
    /// [`FlagsError::Taken`] when a flag would have to be overwritten, and whatever keeps an edit from being made.
    pub async fn import(&self, import: Import, author: Author) -> Result<Imported, FlagsError> {
        self.order(|reply| Order::Import { import, author, reply }).await?
    }

    /// An application knows this of the service. A later revision than there is means that the database was restored: then
    /// the service is another instance when this returns.
    pub async fn heard(&self, position: Position) {
        let here = self.state().position().clone();
        if position.instance == here.instance && position.revision > here.revision {
            // When the agent ends, the next one hears it.
            let _ = self.order(|reply| Order::Heard { position, reply }).await;
        }
    }

    /// Adds counts of what an application served, those of flags that there are; not again when a report of this id was counted.
    ///
    /// # Errors
    /// [`FlagsError::Away`], [`FlagsError::Sql`] and [`FlagsError::Stopping`].
    pub async fn count(
        &self,
        report: Option<String>,
        environment: String,
        at: Timestamp,
        served: Vec<Served>,
    ) -> Result<(), FlagsError> {
        let served = servable(&self.state(), served);
        if served.is_empty() {
            return Ok(());
        }
        self.order(|reply| Order::Count { report, environment, at, served, reply }).await?
    }

    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// [`FlagsError::Unknown`] when there never was such a flag or segment, [`FlagsError::Away`] and [`FlagsError::Sql`].
    pub async fn audit(&self, wanted: &Wanted) -> Result<Vec<Audit>, FlagsError> {
        let found = self.store.audit(wanted).await?;
        match (found, &wanted.flag) {
            (Some(found), _) => Ok(found),
            (None, Some(flag)) if self.state().flag(flag).is_none() => Err(FlagsError::Unknown(flag.to_string())),
            (None, _) => Ok(Vec::new()),
        }
    }

    /// Flags that were not asked for, or served the same to everybody, for so many days.
    ///
    /// # Errors
    /// [`FlagsError::Away`] and [`FlagsError::Sql`].
    pub async fn stale(&self, days: u32) -> Result<Stale, FlagsError> {
        Ok(stale::report(&self.state(), &self.store.asked().await?, days, now()))
    }

    /// Reads the service's tokens and starts the task that keeps them; it ends with `stop`. The first token is taken up unless it was
    /// ever there.
    pub async fn keep_tokens(&self, first: Option<FirstToken>, stop: CancellationToken) -> (Tokens, JoinHandle<()>) {
        Tokens::start(self.store.clone(), first, stop).await
    }

    /// Waits until the file is let go, after the writer has ended.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, FlagsError> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| FlagsError::Stopping)?;
        answer.await.map_err(|_| FlagsError::Stopping)
    }
}
