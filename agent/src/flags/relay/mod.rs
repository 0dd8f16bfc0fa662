//! A relay: follows a flag service and tells the applications of its node what that says, also while it is out of touch.
//!
//! ```text
//! service --stream, else polls--> Client (teal-flags) --each document--> follow --> State --> Reads: doors
//!    ^                               |                                     |
//!    |                       STATE/relay.snapshot <------- keep -----------'      read at the start
//!    '-- counts, in reports -- forward <-- count
//! ```
//! It changes nothing. What it has told it never takes back: documents of the same instance that are older are refused by the client,
//! and what another instance does not name stays known.

mod asking;
mod counts;
mod follow;
mod tasks;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use teal_flags::client::{Client, Limits, Link, SnapshotFile};
use teal_flags::model::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use counts::Forwarded;

use self::asking::Asking;
use self::counts::Counts;
use super::now;
use super::reads::Reads;
use super::served::servable;
use super::state::{Position, State};
use super::store::Served;

/// Few relays follow a service: they may come back sooner than applications do.
const BACKOFF_CAP: Duration = Duration::from_secs(5);
/// The service was never heard.
const NEVER: u64 = u64::MAX;

/// Whom to follow, and how.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The replicas of one service, at least one.
    pub addresses: Vec<String>,
    /// The file with the token.
    pub token_file: Option<PathBuf>,
    /// The only certificate authorities to trust, instead of the system's.
    pub authority: Option<PathBuf>,
    /// How often counts are sent.
    pub report_every: Duration,
    /// Where what is known is kept for the next start.
    pub snapshot: PathBuf,
}

/// How a relay fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// It is in touch with the service.
    pub is_connected: bool,
    /// How long ago the service said that this is the newest; `None`: never.
    pub age: Option<Duration>,
    /// The revision that it tells.
    pub revision: u64,
    /// Counts on their way.
    pub counts: Forwarded,
}

/// A relay. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Relay {
    reads: Reads,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    states: watch::Sender<Arc<State>>,
    /// What is told is newer than what is on the disk.
    dirty: Arc<Notify>,
    counts: Mutex<Counts>,
    upstream: Upstream,
    /// Whole seconds, looked at each second.
    age: AtomicU64,
    /// Instances that were followed before this one, the newest last.
    past: Arc<Mutex<Vec<Arc<str>>>>,
    /// Questions about what others know.
    asking: Asking,
}

impl Relay {
    /// Starts: with what is on the disk, whatever the service does. The task ends soon after `stop`, when counts that it has are sent.
    #[must_use]
    pub fn start(upstream: Upstream, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let addresses = upstream.addresses.iter().map(String::as_str);
        let file = SnapshotFile::of_replicas(&upstream.snapshot, addresses, None);
        let states = watch::Sender::new(Arc::new(State::nothing()));
        let (dirty, past) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Vec::new())));
        let client = tasks::client(&upstream, &file, states.clone(), dirty.clone(), past.clone());
        let reads = Reads::new(states.subscribe());
        let id = uuid::Uuid::new_v4().simple().to_string();
        let shared = Arc::new(Shared {
            client,
            states,
            dirty,
            counts: Mutex::new(Counts::new(id)),
            upstream,
            age: AtomicU64::new(NEVER),
            past,
            asking: Asking::default(),
        });
        shared.look();
        let task = tokio::spawn(tasks::run(shared.clone(), file, stop));
        (Self { reads, shared }, task)
    }

    /// For who only asks.
    #[must_use]
    pub const fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Where changes are made.
    #[must_use]
    pub fn upstream(&self) -> &str {
        self.shared.upstream.addresses.first().map(String::as_str).unwrap_or_default()
    }

    /// Whether there is anything to tell.
    #[must_use]
    pub fn knows_flags(&self) -> bool {
        self.reads.state().is_loaded()
    }

    /// How long ago the service said that what is told is the newest; `None`: never.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        match self.shared.age.load(Ordering::Relaxed) {
            // Perhaps a moment ago for the first time.
            NEVER => self.shared.client.status().staleness,
            seconds => Some(Duration::from_secs(seconds)),
        }
    }

    /// How it fares.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            is_connected: self.shared.is_connected(),
            age: self.age(),
            revision: self.reads.state().position().revision,
            counts: self.shared.counts().forwarded(),
        }
    }

    /// Whether who knows another instance may be told this one instead. Out of touch, a relay cannot know which of the two is the
    /// newer, unless it followed the other one before.
    #[must_use]
    pub fn supersedes(&self, instance: &str) -> bool {
        self.shared.is_connected() || lock(&self.shared.past).iter().any(|past| **past == *instance)
    }

    /// An application knows this of the service: more than is known here, or of another instance. The service is asked.
    pub async fn heard(&self, known: Position) {
        let here = || self.reads.state().position().clone();
        let is_past = lock(&self.shared.past).iter().any(|past| **past == *known.instance);
        if is_past {
            return;
        }
        self.shared.asking.about(&known, here, async |known| self.shared.client.ask_about(known).await).await;
    }

    /// Adds counts of what an application served, those that its flags can serve, to what is sent to the service. A report that was
    /// taken before is not taken again.
    pub fn count(&self, report: Option<&str>, environment: &str, at: Timestamp, served: Vec<Served>) {
        let served = servable(&self.reads.state(), served);
        self.shared.counts().add(report, environment, at, now(), &served);
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
    }

    fn is_connected(&self) -> bool {
        matches!(self.client.status().link, Link::Streaming | Link::Polling)
    }

    /// Looks how old what is told is.
    fn look(&self) {
        let age = self.client.status().staleness.map_or(NEVER, |age| age.as_secs());
        self.age.store(age, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn limits() -> Limits {
    Limits { backoff_cap: BACKOFF_CAP, ..Limits::default() }
}
