//! PostgreSQL: the schema `teal` of a database that several agents share.
//!
//! Everything has an end: a database that does not answer is one that is away, never a request that waits.

mod listen;
mod migrate;

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, Postgres};
use tokio::time::timeout;

pub(in crate::flags) use listen::Hint;
pub(super) use listen::{CHANNEL, listen};
pub(super) use migrate::migrate;

use crate::dsn;
use crate::flags::error::FlagsError;

/// How long connecting may take, and how long one may wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an answer may take, as the server sees it, and as we do.
const STATEMENT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(4);
/// How long a lock may be waited for: other agents hold theirs for milliseconds.
const LOCK: Duration = Duration::from_secs(2);
/// How long a transaction may stand still: an agent that froze in one must not hold up the others.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);
/// Connections of the only one who edits: a second one while the first is thrown away.
pub(super) const WRITERS: u32 = 2;
/// Connections of those who read the audit log.
pub(super) const READERS: u32 = 3;

/// How to reach the database that a file names.
pub(super) fn options(file: &Path) -> Result<PgConnectOptions, FlagsError> {
    let millis = |limit: Duration| limit.as_millis().to_string();
    Ok(dsn::read(file)?.application_name("teal flags").options([
        ("search_path", "teal".to_owned()),
        ("statement_timeout", millis(STATEMENT)),
        ("lock_timeout", millis(LOCK)),
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
    ]))
}

/// Connects when it is first used.
pub(super) fn pool(options: &PgConnectOptions, most: u32) -> PgPool {
    PgPoolOptions::new().max_connections(most).acquire_timeout(CONNECT).connect_lazy_with(options.clone())
}

/// What the database answers, unless it takes too long.
pub(super) async fn within<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, FlagsError> {
    match timeout(ANSWER, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(FlagsError::Away(format!("no answer within {ANSWER:?}"))),
    }
}

/// Says goodbye, to a server that may not hear it.
pub(super) async fn close(pools: [&PgPool; 2]) {
    for pool in pools {
        let _ = timeout(CONNECT, pool.close()).await;
    }
}

/// A transaction whose connection is thrown away when it did not end: whatever state it is in, nobody waits for it.
pub(super) struct Transaction {
    connection: PoolConnection<Postgres>,
    has_ended: bool,
}

impl Transaction {
    /// `begin` is the statement that begins it.
    pub(super) async fn begin(pool: &PgPool, begin: &'static str) -> Result<Self, FlagsError> {
        let connection = within(pool.acquire()).await?;
        let mut begun = Self { connection, has_ended: false };
        begun.say(begin).await?;
        Ok(begun)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn commit(mut self) -> Result<(), FlagsError> {
        match self.say("COMMIT").await {
            Ok(()) => self.has_ended = true,
            Err(FlagsError::Away(why)) => return Err(FlagsError::Unsure(why)),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    pub(super) async fn rollback(mut self) -> Result<(), FlagsError> {
        self.say("ROLLBACK").await?;
        self.has_ended = true;
        Ok(())
    }

    async fn say(&mut self, statement: &'static str) -> Result<(), FlagsError> {
        within(sqlx::raw_sql(statement).execute(&mut *self.connection)).await?;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}
