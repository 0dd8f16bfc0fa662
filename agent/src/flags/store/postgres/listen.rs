//! Hears of the other agents' edits: one connection that listens, connected anew whenever it is lost.
//!
//! ```text
//! edit, in its transaction: NOTIFY teal_flags, INSTANCE:REVISION --> every agent: is that news? then what changed is read
//! ```
//! What is said while nobody listens is not said again: after each connect the agent looks for itself.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{ANSWER, CONNECT};
use crate::flags::error::FlagsError;
use crate::flags::state::Position;

/// Where it is said.
pub(in crate::flags::store) const CHANNEL: &str = "teal_flags";
/// After this long without a word the connection is tried.
const SILENCE: Duration = Duration::from_secs(20);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// Something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::flags) enum Hint {
    /// Somebody says so.
    Said(Position),
    /// Something may have been missed.
    Missed,
}

/// Listens for ever. Hints may be lost when there are many: the ones before them are not looked at yet.
pub(in crate::flags::store) async fn listen(options: PgConnectOptions, hints: mpsc::Sender<Hint>) {
    while !hints.is_closed() {
        if let Err(error) = once(&options, &hints).await {
            tracing::debug!(%error, "the flags' database is not listened to");
        }
        sleep(PAUSE).await;
    }
}

/// Until the connection is lost.
async fn once(options: &PgConnectOptions, hints: &mpsc::Sender<Hint>) -> Result<(), FlagsError> {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).acquire_timeout(CONNECT);
    let pool = pool.connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.ignore_pool_close_event(true);
    super::within(listener.listen(CHANNEL)).await?;
    let _ = hints.try_send(Hint::Missed);
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(said))) => {
                let hint = said.payload().parse().map_or(Hint::Missed, Hint::Said);
                let _ = hints.try_send(hint);
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error.into()),
            // A network that swallows everything looks like silence.
            Err(_) => {
                let alive = timeout(ANSWER, sqlx::query("SELECT 1").execute(&mut listener)).await;
                alive.map_err(|_| FlagsError::Away(format!("no answer within {ANSWER:?}")))??;
            }
        }
    }
}
