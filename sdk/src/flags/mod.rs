//! The flags of an application: shared by all its threads, updated while they ask.
//!
//! ```text
//!  update --> Control (a lock): Catalog -> Snapshot --swap--> current, version
//!                |                                              |
//!                +-- keeps the old one until no thread has it   +--> seat of each thread (local.rs) --> answer
//!                +-- adds up the counts of all threads <------------ counts (counters.rs)
//! ```
//! A snapshot is always freed by an update, never by a question: threads only give back their share of it.

pub(crate) mod counters;
mod handle;
mod local;
mod pinned;
#[cfg(feature = "unique-users")]
mod ring;
pub(crate) mod slots;
#[cfg(feature = "unique-users")]
pub(crate) mod users;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::catalog::{Applied, Catalog, Known, Layer, Revision};
use crate::evaluations::{Access, Counting, evaluations};
use crate::model::{Document, Timestamp};
use crate::name::{Declared, Name};
use crate::snapshot::Snapshot;
use counters::Counters;
pub use handle::Handle;
pub use pinned::Pinned;
pub use slots::Exposure;
use slots::Slots;

/// Feature flags. Cheap to clone; all clones are the same flags.
///
/// A question takes no lock and does not allocate, but for the first one of a thread. Without a [`crate::model::Document`] no flag is
/// known, and every answer is the caller's default.
///
/// ```
/// use teal_flags::{Flags, Layer, model::{Document, Timestamp}};
///
/// let flags = Flags::new(Some("prod"));
/// let document = Document::from_json(br#"{"flags": [{"name": "telehealth", "enabled": true, "rollout_percentage": 25}]}"#)?;
/// flags.apply(Layer::File, document, Timestamp::from_millis(0));
/// let on = (0..1000_u32).filter(|user| flags.is_enabled(*user, "telehealth")).count();
/// assert!((200..300).contains(&on));
/// # Ok::<(), teal_flags::model::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flags {
    shared: Arc<Shared>,
}

/// What all clones share.
#[derive(Debug)]
struct Shared {
    /// Tells one set of flags from another; never 0.
    identity: u32,
    /// Counts the snapshots that were published.
    version: Apart<AtomicU64>,
    current: ArcSwap<Snapshot>,
    control: Mutex<Control>,
    threads: Mutex<Threads>,
    /// Users are noted, hashed with this key.
    #[cfg(feature = "unique-users")]
    noting: Option<std::hash::RandomState>,
}

/// On cache lines of its own: every question reads it and only updates write it, so that it must not lie beside what is written
/// more often, such as the count of clones.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// What updates work on.
#[derive(Debug)]
struct Control {
    catalog: Catalog,
    slots: Slots,
    /// The number of the newest snapshot.
    sequence: u64,
    /// Earlier ones with their numbers, as long as somebody may have them.
    earlier: Vec<(u64, Arc<Snapshot>)>,
}

/// The threads that have asked.
#[derive(Debug, Default)]
struct Threads {
    counters: Vec<Arc<Counters>>,
    /// How many counts each has room for.
    capacity: u32,
}

impl Shared {
    /// A thread asks for the first time.
    fn new_thread(&self) -> Arc<Counters> {
        #[cfg(feature = "unique-users")]
        let counters = Counters::noting(self.noting.clone());
        #[cfg(not(feature = "unique-users"))]
        let counters = Counters::default();
        let counters = Arc::new(counters);
        let mut threads = lock(&self.threads);
        counters.reserve(threads.capacity);
        threads.counters.push(counters.clone());
        counters
    }
}

/// A lock whose holder panicked is taken all the same: what it guards is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flags {
    /// No flags yet, of this environment. `None`: flags that are meant for some environments only are off.
    #[must_use]
    pub fn new(environment: Option<&str>) -> Self {
        static IDENTITIES: AtomicU32 = AtomicU32::new(1);
        let control =
            Control { catalog: Catalog::new(environment), slots: Slots::default(), sequence: 0, earlier: Vec::new() };
        let shared = Shared {
            identity: IDENTITIES.fetch_add(1, Ordering::Relaxed),
            version: Apart::default(),
            current: ArcSwap::default(),
            control: Mutex::new(control),
            threads: Mutex::default(),
            #[cfg(feature = "unique-users")]
            noting: None,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The same, which also notes who is served, hashed with this key: see [`Flags::take_sightings`].
    #[cfg(feature = "unique-users")]
    pub(crate) fn noting_users(environment: Option<&str>, key: std::hash::RandomState) -> Self {
        let mut flags = Self::new(environment);
        if let Some(shared) = Arc::get_mut(&mut flags.shared) {
            shared.noting = Some(key);
        }
        flags
    }

    /// Who was served what since the last call. To be called often: threads keep little.
    #[cfg(feature = "unique-users")]
    pub(crate) fn take_sightings(&self) -> users::Sightings {
        let mut control = lock(&self.shared.control);
        control.slots.take_sightings(&lock(&self.shared.threads).counters)
    }

    /// Takes over a whole document, or what changed, for this moment. Flags that cannot be used keep their last usable
    /// version; one that is missing stays known until a document names it as deleted (but for [`Layer::File`], where a document
    /// is all there is).
    pub fn apply(&self, layer: Layer, document: Document, now: Timestamp) -> Applied {
        let mut control = lock(&self.shared.control);
        let Control { catalog, slots, sequence, .. } = &mut *control;
        let (applied, is_new) = catalog.apply(layer, document, now, slots, *sequence + 1);
        if is_new {
            self.publish(&mut control, now);
        }
        applied
    }

    /// Recompiles what depends on time. Returns when to call next; `None`: nothing depends on time.
    pub fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let mut control = lock(&self.shared.control);
        let Control { catalog, slots, sequence, .. } = &mut *control;
        if catalog.tick(now, slots, *sequence + 1) {
            self.publish(&mut control, now);
        }
        control.catalog.next_tick(now)
    }

    /// All that the service has told so far: what is kept for the next start.
    #[must_use]
    pub fn document(&self) -> Document {
        lock(&self.shared.control).catalog.document()
    }

    /// Up to which revision of which service.
    #[must_use]
    pub fn revision(&self) -> Revision {
        lock(&self.shared.control).catalog.revision().clone()
    }

    /// Every flag that is known, by name: for status pages.
    #[must_use]
    pub fn known(&self) -> Vec<Known> {
        lock(&self.shared.control).catalog.known()
    }

    /// Those of the declared flags (`flag::ALL` of [`flags!`](crate::flags)) that are not known: they are answered by their defaults.
    #[must_use]
    pub fn missing<'a>(&self, declared: &[&'a Declared]) -> Vec<&'a Declared> {
        let snapshot = self.snapshot();
        declared.iter().copied().filter(|flag| !snapshot.knows(flag.text())).collect()
    }

    /// How often each variant was served since the last call.
    #[must_use]
    pub fn take_exposures(&self) -> Vec<Exposure> {
        let mut control = lock(&self.shared.control);
        control.slots.take(&mut lock(&self.shared.threads).counters)
    }

    /// A flag, looked up once. It may be a flag that is not known yet.
    #[must_use]
    pub fn handle(&self, flag: impl Name) -> Handle {
        let mut control = lock(&self.shared.control);
        let (number, is_new) = control.catalog.number(flag.text());
        if is_new {
            let now = self.shared.current.load().now();
            self.publish(&mut control, now);
        }
        Handle::new(self.clone(), number, flag.default())
    }

    /// The newest snapshot, for several questions that must not see an update between them. They are counted.
    #[must_use]
    pub fn pin(&self) -> Pinned {
        Pinned::new(self.clone(), self.shared.current.load_full())
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.current.load_full()
    }

    /// Lets everybody see what the catalog has now.
    fn publish(&self, control: &mut Control, now: Timestamp) {
        let Shared { current, version, threads, .. } = &*self.shared;
        let snapshot = Arc::new(control.catalog.snapshot(now));
        let mut threads = lock(threads);
        threads.capacity = control.slots.capacity();
        threads.counters.iter().for_each(|counters| counters.reserve(control.slots.capacity()));
        let earlier = current.swap(snapshot);
        control.earlier.push((control.sequence, earlier));
        control.sequence += 1;
        version.0.store(control.sequence, Ordering::Release);
        // Nobody can take an earlier one any more; who has one gives it back at its next question.
        control.earlier.retain_mut(|(_, snapshot)| Arc::get_mut(snapshot).is_none());
        let held: Vec<u64> = control.earlier.iter().map(|(sequence, _)| *sequence).collect();
        control.slots.reclaim(&mut threads.counters, &held);
    }
}

impl Access for Flags {
    #[inline]
    fn identity(&self) -> u32 {
        self.shared.identity
    }

    #[inline]
    fn with<T>(&self, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T {
        local::with(&self.shared, then)
    }
}

evaluations!(Flags);

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
