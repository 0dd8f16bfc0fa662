//! All flags at one moment, immutable: what evaluations read.
//!
//! ```text
//! name --Index--> number --entries--> Entry: plan | share | salt      the common answers end here
//!                                       |
//!                                       +--> Compiled: rules, variants, prerequisites
//! ```

pub(crate) mod compiled;
pub(crate) mod entry;
pub(crate) mod evaluate;
pub(crate) mod few;

use std::sync::Arc;

use crate::bucketing::bucket_behind;
use crate::context::{Scratch, Subject};
use crate::evaluations::{Access, Counting, evaluations};
use crate::index::Index;
use crate::model::Timestamp;
use crate::value::{ErrorCode, Evaluation};

use compiled::Compiled;
use entry::{Entry, Plan};
use evaluate::{Answer, Outcome, Who};

/// All flags at one moment, in one environment. Does not change; nothing is counted.
#[derive(Debug, Default)]
pub struct Snapshot {
    entries: Box<[Entry]>,
    index: Arc<Index>,
    names: Arc<[Arc<str>]>,
    now: Timestamp,
}

/// Where in a flag's counts those of a plain switch stand: see `Compiled::count_of`.
const COUNT_ON: u32 = 1;
const COUNT_OFF: u32 = 2;
const COUNT_ERROR: u32 = 3;

impl Snapshot {
    pub(crate) fn new(entries: Box<[Entry]>, index: Arc<Index>, names: Arc<[Arc<str>]>, now: Timestamp) -> Self {
        Self { entries, index, names, now }
    }

    /// The moment that schedules, ramps and the attribute `current_time` were compiled for.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The number of a name. It stays the same in all snapshots of one [`crate::Flags`].
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.index.find(name, |number| self.entry(number).is_some_and(|entry| entry.is_called(name)))
    }

    #[inline]
    pub(crate) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    /// Whether there is a flag of this name, usable or not.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.find(name).and_then(|number| self.entry(number)).is_some_and(|entry| entry.plan() != Plan::Unknown)
    }

    pub(crate) fn compiled(&self, number: u32) -> Option<&Compiled> {
        self.entry(number)?.compiled().map(Arc::as_ref)
    }

    /// Whether a flag is on for a user, and which of the flag's counts that adds to. `None`: the caller's default.
    #[inline(always)]
    pub(crate) fn decide<S: Subject>(&self, entry: &Entry, user: &S) -> (Option<bool>, u32) {
        match entry.plan() {
            Plan::On => (Some(true), COUNT_ON),
            Plan::Off => (Some(false), COUNT_OFF),
            Plan::Split => {
                let mut scratch = Scratch::default();
                let Some(id) = user.id(&mut scratch).filter(|id| !id.is_empty()) else { return (None, COUNT_ERROR) };
                let (text, length) = entry.prefix();
                let is_on = bucket_behind(text, length, id) < entry.share();
                (Some(is_on), if is_on { COUNT_ON } else { COUNT_OFF })
            }
            Plan::Full => {
                let mut scratch = Scratch::default();
                self.decide_fully(entry, Who { id: user.id(&mut scratch), subject: user })
            }
            Plan::Unknown | Plan::Broken => (None, COUNT_ERROR),
        }
    }

    fn decide_fully(&self, entry: &Entry, who: Who<'_>) -> (Option<bool>, u32) {
        entry.compiled().map_or((None, COUNT_ERROR), |flag| flag.decide(self, who))
    }

    /// The whole answer of a flag, and which of its counts that adds to.
    pub(crate) fn evaluate_entry(&self, entry: &Entry, user: &dyn Subject) -> (Evaluation, u32) {
        let Some(flag) = entry.compiled() else {
            let error = if entry.plan() == Plan::Broken { ErrorCode::ParseError } else { ErrorCode::FlagNotFound };
            return (Evaluation::error(error, 0), COUNT_ERROR);
        };
        let mut scratch = Scratch::default();
        let Answer { outcome, reason } = flag.answer(self, Who { id: user.id(&mut scratch), subject: user });
        let count = flag.count_of(outcome);
        let variant = match outcome {
            Outcome::On(variant) | Outcome::Off(Some(variant)) => flag.variants.get(variant as usize),
            Outcome::Off(None) => None,
            Outcome::Undrawn => {
                let error = Evaluation::error(ErrorCode::TargetingKeyMissing, flag.version);
                return (Evaluation { enabled: flag.is_enabled(outcome), ..error }, count);
            }
            Outcome::Error(error) => return (Evaluation::error(error, flag.version), count),
        };
        let evaluation = Evaluation {
            enabled: flag.is_enabled(outcome),
            value: variant.map(|variant| variant.value.clone()),
            variant: variant.map(|variant| variant.name.clone()),
            reason,
            error: None,
            version: flag.version,
        };
        (evaluation, count)
    }

    /// Every known flag's whole answer for a user, in no particular order; not counted. With `client_visible` only of those flags that
    /// browsers and mobile applications may be told of.
    pub fn evaluate_all<'a, S: Subject>(
        &'a self,
        user: &'a S,
        client_visible: bool,
    ) -> impl Iterator<Item = (&'a Arc<str>, Evaluation)> + 'a {
        self.names.iter().zip(&self.entries).filter_map(move |(name, entry)| {
            let told = entry.compiled().is_some_and(|flag| flag.client_visible || !client_visible);
            (entry.plan() == Plan::Broken || told).then(|| (name, self.evaluate_entry(entry, user).0))
        })
    }
}

impl Access for Snapshot {
    #[inline]
    fn with<T>(&self, then: impl Fn(&Self, Counting<'_>) -> T) -> T {
        then(self, Counting::none())
    }
}

evaluations!(Snapshot);
