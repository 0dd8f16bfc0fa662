//! What the client's tasks and its owner share: the flags, how they fare, and who listens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::core::{Flags, Layer, Outcome};
use super::error::ClientError;
use super::exposures::Pending;
use super::listeners::{Change, Listeners};
use super::relay::Tap;
use super::status::{Area, Link, Readiness, Status, Trouble};
use super::unusable::{Outline, Unusable};
use super::{blocking, now};
use crate::model::Document;

/// Up to this size a document is read where it arrives: it takes less time than to hand it to another thread.
const SMALL: usize = 64 * 1024;

/// Why a document comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The client follows the service.
    ByItself,
    /// Somebody wanted to know something else, perhaps from another replica than the one that is followed.
    Aside,
}

/// What is shared.
pub(super) struct Shared {
    pub(super) flags: Flags,
    pub(super) listeners: Listeners,
    /// The service's flags changed: the snapshot on disk is old.
    pub(super) dirty: Notify,
    /// Flags changed: what depends on time may be another.
    pub(super) ticker: Notify,
    pub(super) pending: Mutex<Pending>,
    tap: Option<Tap>,
    started: Instant,
    state: watch::Sender<State>,
}

/// How things stand.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    source: Readiness,
    link: Link,
    /// When the service last confirmed what is here, or how old that was when.
    confirmed: Option<(Instant, Duration)>,
    /// The service last offered something older: its heartbeats confirm nothing.
    behind: bool,
    troubles: BTreeMap<Area, (ClientError, Instant)>,
    last: Option<(Area, ClientError, Instant)>,
    unusable: Unusable,
    /// Sources that have not yet been looked at.
    pub(super) awaited: Awaited,
    pub(super) stopped: bool,
}

/// What is still worth waiting for at the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Awaited {
    pub(super) service: bool,
    pub(super) snapshot: bool,
    pub(super) file: bool,
}

impl State {
    /// Nothing better is to come.
    pub(super) fn is_settled(&self) -> bool {
        let Awaited { service, snapshot, file } = self.awaited;
        self.stopped || self.source == Readiness::Live || !(service || snapshot || file)
    }
}

impl Shared {
    pub(super) fn new(flags: Flags, awaited: Awaited, tap: Option<Tap>) -> Arc<Self> {
        Arc::new(Self {
            flags,
            listeners: Listeners::default(),
            dirty: Notify::new(),
            ticker: Notify::new(),
            pending: Mutex::default(),
            tap,
            started: Instant::now(),
            state: watch::Sender::new(State { awaited, ..State::default() }),
        })
    }

    /// Time since the client started.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Takes over who was served.
    #[cfg(feature = "unique-users")]
    pub(super) fn see_users(&self) {
        let sightings = self.flags.take_sightings();
        self.pending().see(sightings);
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and takes over what the service sent, as it was so long ago.
    ///
    /// # Errors
    /// When it is unreadable or does not fit. Something older is no error unless it was asked for aside: it is refused, said, and
    /// may be followed by better.
    pub(super) async fn take(self: &Arc<Self>, json: Vec<u8>, age: Duration, asked: Asked) -> Result<(), ClientError> {
        if json.len() <= SMALL {
            return self.take_now(&json, age, asked);
        }
        let shared = self.clone();
        blocking(move || shared.take_now(&json, age, asked)).await?
    }

    fn take_now(&self, json: &[u8], age: Duration, asked: Asked) -> Result<(), ClientError> {
        let document = Document::from_json(json).map_err(|error| ClientError::Unreadable(error.to_string()))?;
        if document.instance.is_none() {
            // Any JSON object is a document, also a proxy's `{"error": ...}`; this is not.
            return Err(ClientError::Unreadable("it names no instance, as a flag service does".into()));
        }
        let (instance, offered, since) = (document.instance.clone(), document.revision, document.since);
        let here = self.flags.revision().revision;
        // An answer given aside says nothing of who is followed, whose heartbeats go on.
        let is_behind = |behind| {
            if asked == Asked::ByItself {
                self.state.send_modify(|state| state.behind = behind);
            }
        };
        let outcome = self.apply_and(Readiness::Live, document, || {
            is_behind(false);
            self.heartbeat(age);
        });
        match outcome {
            Outcome::Gap => {
                is_behind(false);
                return Err(ClientError::Gap { here, since });
            }
            Outcome::Older => {
                is_behind(true);
                let older = ClientError::Older { instance, here, offered };
                if asked == Asked::Aside {
                    return Err(older);
                }
                self.trouble(Area::Service, older);
            }
            Outcome::NewInstance => {
                tracing::warn!(
                    revision = offered,
                    "the flag service is another instance now: new, emptied or restored; known flags stay known"
                );
                self.dirty.notify_one();
            }
            Outcome::Changed => self.dirty.notify_one(),
            Outcome::Unchanged => {}
        }
        Ok(())
    }

    /// Takes over a document; tells who listens.
    pub(super) fn apply(&self, source: Readiness, document: Document) -> Outcome {
        self.apply_and(source, document, || {})
    }

    /// The same. `taken` comes before anybody hears of it: who keeps it wants to know how old it is.
    fn apply_and(&self, source: Readiness, document: Document, taken: impl FnOnce()) -> Outcome {
        let layer = match source {
            Readiness::Live | Readiness::Snapshot => Layer::Live,
            Readiness::File | Readiness::DefaultsOnly => Layer::File,
        };
        let outline = Outline::of(layer, &document);
        // Held meanwhile, so that documents are heard in the order in which they are taken.
        let tap = self.tap.as_ref().filter(|_| layer == Layer::Live).map(|tap| (tap.lock(), document.clone()));
        let applied = self.flags.apply(layer, document, now());
        let outcome = applied.outcome;
        if matches!(outcome, Outcome::Older | Outcome::Gap) {
            return outcome;
        }
        taken();
        if let Some((mut listener, document)) = tap {
            listener(&document, outcome);
        }
        self.state.send_modify(|state| {
            state.source = state.source.max(source);
            state.unusable.update(&outline, &applied);
        });
        self.ticker.notify_one();
        if !applied.changed.is_empty() {
            tracing::debug!(?source, flags = applied.changed.len(), "flags changed");
            self.listeners.tell(&Change { source, flags: applied.changed, revision: self.flags.revision() });
        }
        outcome
    }

    /// The service says that what is here is the newest; a relay, that it was so long ago. Says nothing while it has said nothing yet, or something older.
    pub(super) fn heartbeat(&self, age: Duration) {
        let known = self.flags.revision().instance.is_some();
        let confirms = self.state.send_if_modified(|state| {
            let confirms = known && !state.behind;
            if confirms {
                state.source = Readiness::Live;
                state.confirmed = Some((Instant::now(), age));
            }
            confirms
        });
        if confirms {
            self.well(Area::Service);
        }
    }

    /// What is here is this old.
    pub(super) fn aged(&self, age: Duration) {
        self.state.send_modify(|state| {
            state.confirmed.get_or_insert((Instant::now(), age));
        });
    }

    /// The service last offered something older.
    pub(super) fn is_behind(&self) -> bool {
        self.state.borrow().behind
    }

    /// How the client is joined to the service.
    pub(super) fn link(&self, link: Link) {
        self.state.send_if_modified(|state| std::mem::replace(&mut state.link, link) != link);
    }

    /// Something is no longer to be waited for.
    pub(super) fn looked(&self, at: impl FnOnce(&mut Awaited)) {
        self.state.send_modify(|state| at(&mut state.awaited));
    }

    /// Something is wrong. Logged when it is new.
    pub(super) fn trouble(&self, area: Area, error: ClientError) {
        let now = Instant::now();
        self.state.send_modify(|state| {
            if state.troubles.get(&area).is_none_or(|(known, _)| *known != error) {
                tracing::warn!(?area, %error, "flags");
            }
            state.troubles.insert(area, (error.clone(), now));
            state.last = Some((area, error, now));
        });
    }

    /// Nothing is wrong there any more.
    pub(super) fn well(&self, area: Area) {
        let over = |state: &mut State| state.troubles.remove(&area).is_some();
        if self.state.send_if_modified(over) {
            tracing::info!(?area, "flags: well again");
        }
    }

    /// The tasks have ended.
    pub(super) fn stopped(&self) {
        self.state.send_modify(|state| (state.stopped, state.link) = (true, Link::Off));
    }

    /// The best source so far.
    pub(super) fn readiness(&self) -> Readiness {
        self.state.borrow().source
    }

    pub(super) fn status(&self) -> Status {
        let state = self.state.borrow().clone();
        let revision = self.flags.revision();
        let trouble = |area, error, at: Instant| Trouble { area, error, ago: at.elapsed() };
        Status {
            source: state.source,
            link: state.link,
            instance: revision.instance,
            revision: revision.revision,
            staleness: state.confirmed.map(|(at, age)| at.elapsed() + age),
            troubles: state.troubles.into_iter().map(|(area, (error, at))| trouble(area, error, at)).collect(),
            last_error: state.last.map(|(area, error, at)| trouble(area, error, at)),
            unusable: state.unusable.list(),
            exposures: self.pending().status(),
            stopped: state.stopped,
        }
    }
}
