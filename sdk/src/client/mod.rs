//! Flags from a service, a file, or both, kept current by background tasks.
//!
//! ```text
//!   service --stream, else polls--> +----------+          +-------+
//!   snapshot on disk -- at start -> |  Client  | -apply-> | Flags | <- is_enabled(user, flag): no lock, no waiting
//!   file (ConfigMap) -- watched --> |          | <-counts-+-------+
//!                                   +----------+
//! ```
//!
//! [`Builder::start`] never waits and never fails. A flag's answer comes from the best source that knows it: the service, what the service
//! last said (the snapshot on disk), the file, the default that the caller compiled in, `false`. A service that is down, slow, restored,
//! emptied or talks nonsense never makes a known flag unknown: the last good state stays, and [`Client::status`] says since
//! when and why.
//!
//! ```no_run
//! use std::time::Duration;
//! use teal_flags::client::{Client, Readiness};
//!
//! # async fn example() {
//! let client = Client::builder("https://flags.internal")
//!     .environment("prod")
//!     .token_file("/run/secrets/flags-token")
//!     .snapshot_dir("/var/lib/app/flags")
//!     .file("/etc/app/flags.json")
//!     .start();
//! if client.ready(Duration::from_secs(2)).await < Readiness::Live {
//!     eprintln!("flags are not live: {:?}", client.status().troubles);
//! }
//! let telehealth = client.is_enabled("user-7", "telehealth");
//! client.close().await;
//! # }
//! ```
//!
//! What the caller sees when something is wrong; flags go on answering in every case:
//!
//! | what happens | flags | [`Status`] |
//! |---|---|---|
//! | service dead at the start | snapshot on disk, file, defaults | `Waiting`, trouble `not reachable`; retried within 30 s |
//! | service dies later, hangs, stops within an event | the last state | `Waiting`, staleness grows |
//! | garbage, half a document, too large | the last state | trouble names what and where |
//! | an older revision of the same instance | the last state | trouble `Older`; staleness grows |
//! | another instance: restored or emptied | its flags; those that it does not name stay | new instance |
//! | a change that does not fit | the last state until everything is fetched | trouble `Gap` for that time |
//! | 401, 403 | the last state | trouble `Refused`; a changed token file is tried within a second |
//! | 429, 503 with `Retry-After` | the last state | trouble `Busy`; retried then, after 5 minutes at most |
//! | no stream, or a proxy that holds it back | current to within `poll_every` | `Polling` |
//! | redirect | the last state | trouble `Redirected`: it is not followed, the token goes nowhere else |
//! | snapshot on disk corrupt, cut short, from a newer SDK | as without it | trouble; kept beside as `.corrupt` |
//! | file broken or gone | what it said before | trouble `File` |

mod address;
mod backoff;
mod builder;
mod core;
mod course;
mod disk;
mod error;
mod exposures;
mod fetch;
mod file;
mod http;
mod identity;
mod limits;
mod listeners;
mod live;
mod relay;
mod report;
mod retry_after;
mod runtime;
mod shared;
mod snapshot;
mod sse;
mod status;
mod stop;
mod stream;
mod ticker;
mod tls;
mod token;
mod unusable;
#[cfg(feature = "unique-users")]
mod users;
mod wait;

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::watch;

use self::core::Flags;
use crate::model::Timestamp;
pub use builder::Builder;
pub use error::ClientError;
pub use limits::Limits;
pub use listeners::{Change, Subscription};
use shared::Shared;
pub use snapshot::SnapshotFile;
pub use status::{Area, ExposureStatus, Link, Readiness, Status, Trouble};

/// Flags that are kept current. Asks like [`Flags`], to which it dereferences; clone those to hand them round. Stops when it is
/// dropped; the flags then stay as they are.
pub struct Client {
    shared: Arc<Shared>,
    service: Option<Arc<http::Service>>,
    stop: watch::Sender<bool>,
    /// `None` when there is no runtime: then nothing will ever come.
    runtime: Option<Handle>,
    close_limit: Duration,
}

impl Client {
    /// A client of the service at this address (`https://HOST[:PORT][/PREFIX]`), or of none (`None`).
    pub fn builder<'a>(service: impl Into<Option<&'a str>>) -> Builder {
        Builder::new(service.into())
    }

    fn new(
        shared: Arc<Shared>,
        service: Option<Arc<http::Service>>,
        stop: watch::Sender<bool>,
        runtime: Option<Handle>,
        close_limit: Duration,
    ) -> Self {
        Self { shared, service, stop, runtime, close_limit }
    }

    /// The flags: cheap to clone, valid for ever.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        &self.shared.flags
    }

    /// Waits until the service has been heard, or until there is nothing better to wait for, or for so long. Says what there is.
    /// Works within any runtime.
    pub async fn ready(&self, limit: Duration) -> Readiness {
        if let Some(runtime) = &self.runtime {
            let late = {
                let _within = runtime.enter();
                tokio::time::sleep(limit)
            };
            tokio::select! {
                // In this order: the timer of a runtime that has ended must not be looked at.
                biased;
                () = wait::until_settled(&self.shared) => {}
                () = late => {}
            }
        }
        self.shared.readiness()
    }

    /// The same for code without a runtime: blocks this thread. Not for asynchronous code.
    pub fn ready_blocking(&self, limit: Duration) -> Readiness {
        if self.runtime.is_some() {
            wait::block_on(wait::until_settled(&self.shared), limit);
        }
        self.shared.readiness()
    }

    /// How the client fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Calls back after each change of flags, until the subscription is dropped. It is called on the task that keeps flags
    /// current: be quick there, and send elsewhere what takes long.
    pub fn on_change(&self, listener: impl Fn(&Change) + Send + Sync + 'static) -> Subscription {
        self.shared.listeners.add(listener)
    }

    /// Sends what was counted, writes what is unwritten, and stops; takes [`Limits::close`] at most, give or take a write to disk.
    /// The flags stay as they are.
    pub async fn close(self) {
        let _ = self.stop.send(true);
        wait::until_stopped(&self.shared).await;
    }

    /// The same for code without a runtime: blocks this thread. Not for asynchronous code.
    pub fn close_blocking(self) {
        let _ = self.stop.send(true);
        wait::block_on(wait::until_stopped(&self.shared), self.close_limit + Duration::from_secs(1));
    }
}

impl Deref for Client {
    type Target = Flags;

    fn deref(&self) -> &Flags {
        &self.shared.flags
    }
}

impl AsRef<Flags> for Client {
    fn as_ref(&self) -> &Flags {
        &self.shared.flags
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// The moment, as the machine's clock has it.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Does work that may block away from the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ClientError::Stopped(format!("a background task did not end: {error}")))
}
