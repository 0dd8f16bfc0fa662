//! Everything that is told of flags, at one revision: what all reads are answered from.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use teal_flags::model::{Document, Extra, Flag, Segment, Unreadable};

use super::edit::Reference;
use super::event::Events;
use super::segments::stands_on_segment;

/// Which state of which life of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Random; another one once the database was restored or made anew.
    pub instance: Arc<str>,
    /// Counts the changes of the instance.
    pub revision: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.instance, self.revision)
    }
}

impl FromStr for Position {
    type Err = ();

    /// `INSTANCE:REVISION`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (instance, revision) = text.rsplit_once(':').ok_or(())?;
        Ok(Self { instance: instance.into(), revision: revision.parse().map_err(|_| ())? })
    }
}

/// A flag, and at which revision it last changed.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) flag: Arc<Flag>,
    pub(super) revision: u64,
}

/// A segment, likewise.
#[derive(Clone, Debug)]
pub(super) struct KeptSegment {
    pub(super) segment: Arc<Segment>,
    pub(super) revision: u64,
}

/// All flags at one revision. Does not change.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) position: Position,
    /// The first revision since which all changes are known here.
    pub(super) base: u64,
    pub(super) flags: BTreeMap<i64, Kept>,
    pub(super) ids: HashMap<String, i64>,
    /// Names, and at which revision they were deleted.
    pub(super) deleted: BTreeMap<String, u64>,
    pub(super) segments: BTreeMap<String, KeptSegment>,
    pub(super) deleted_segments: BTreeMap<String, u64>,
    /// What a newer version may have written, and at which revision it came: handed on as it stands.
    pub(super) unreadable: Vec<(u64, Unreadable)>,
    whole: OnceLock<Bytes>,
    pub(super) events: Events,
}

/// What one change did.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    Put(Box<Flag>),
    Deleted { id: i64, name: String },
    PutSegment(Box<Segment>),
    DeletedSegment { name: String },
}

/// Names of what was deleted that are remembered, the newest: an SDK that was away for more deletions keeps those flags.
pub(super) const TOMBSTONES: usize = 10_000;

/// Names of what was deleted long ago: nobody is left who does not know.
pub(super) fn forget_the_oldest(deleted: &mut BTreeMap<String, u64>, most: usize) {
    if deleted.len() > most {
        let mut revisions: Vec<u64> = deleted.values().copied().collect();
        revisions.sort_unstable();
        let newest_to_go = revisions[deleted.len() - most - 1];
        deleted.retain(|_, revision| *revision > newest_to_go);
    }
}

impl State {
    pub(super) fn new(
        position: Position,
        flags: Vec<Kept>,
        deleted: BTreeMap<String, u64>,
        unreadable: Vec<Unreadable>,
    ) -> Self {
        let ids = flags.iter().map(|kept| (kept.flag.name.clone(), kept.flag.id)).collect();
        let flags = flags.into_iter().map(|kept| (kept.flag.id, kept)).collect();
        let unreadable = unreadable.into_iter().map(|entry| (position.revision, entry)).collect();
        Self {
            position,
            base: 0,
            flags,
            ids,
            deleted,
            segments: BTreeMap::new(),
            deleted_segments: BTreeMap::new(),
            unreadable,
            whole: OnceLock::new(),
            events: Events::default(),
        }
    }

    /// It, with segments.
    pub(super) fn with_segments(self, segments: Vec<KeptSegment>, deleted_segments: BTreeMap<String, u64>) -> Self {
        let segments = segments.into_iter().map(|kept| (kept.segment.name.clone(), kept)).collect();
        Self { segments, deleted_segments, ..self }
    }

    /// What there is before anything was read.
    pub(super) fn nothing() -> Self {
        Self::new(Position { instance: "".into(), revision: 0 }, Vec::new(), BTreeMap::new(), Vec::new())
    }

    /// Whether the flags were ever read: what is asked before then has no answer.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        !self.position.instance.is_empty()
    }

    /// Whether every row is a flag.
    pub(super) const fn is_readable(&self) -> bool {
        self.unreadable.is_empty()
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// One flag.
    #[must_use]
    pub fn flag(&self, flag: &Reference) -> Option<&Arc<Flag>> {
        match flag {
            Reference::Id(id) => self.flags.get(id).map(|kept| &kept.flag),
            Reference::Name(name) => self.named(name),
        }
    }

    /// One flag, by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Flag>> {
        self.flags.get(self.ids.get(name)?).map(|kept| &kept.flag)
    }

    /// A flag, and when it changed.
    pub(super) fn kept(&self, id: i64) -> Option<&Kept> {
        self.flags.get(&id)
    }

    /// Names of deleted flags, and when they were.
    pub(super) fn deleted(&self) -> &BTreeMap<String, u64> {
        &self.deleted
    }

    /// All flags, by id.
    pub fn flags(&self) -> impl ExactSizeIterator<Item = &Arc<Flag>> {
        self.flags.values().map(|kept| &kept.flag)
    }

    /// One segment.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<&Arc<Segment>> {
        self.segments.get(name).map(|kept| &kept.segment)
    }

    /// All segments, by name.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &Arc<Segment>> {
        self.segments.values().map(|kept| &kept.segment)
    }

    /// Names of flags with a rule on a segment.
    #[must_use]
    pub fn flags_on_segment(&self, name: &str) -> Vec<&str> {
        let on_it = self.flags().filter(|flag| stands_on_segment(flag, name));
        on_it.map(|flag| flag.name.as_str()).collect()
    }

    /// All that an SDK needs, what was deleted included: it may have missed that.
    #[must_use]
    pub fn document(&self) -> Document {
        self.told(None)
    }

    /// [`State::document`] as JSON, written once and shared by all who are told it.
    #[must_use]
    pub fn whole(&self) -> Bytes {
        self.whole.get_or_init(|| self.document().to_json().into()).clone()
    }

    /// Whether [`State::delta`] can tell what changed since then, for who knows this instance.
    #[must_use]
    pub const fn reaches_back_to(&self, since: u64) -> bool {
        since >= self.base && since <= self.position.revision
    }

    /// What changed since an earlier revision of this instance, as JSON.
    #[must_use]
    pub fn delta(&self, since: u64) -> Bytes {
        self.told(Some(since)).to_json().into()
    }

    fn told(&self, since: Option<u64>) -> Document {
        let after = since.unwrap_or(0);
        let is_new = |revision: u64| since.is_none() || revision > after;
        let names = |deleted: &BTreeMap<String, u64>| {
            deleted.iter().filter(|(_, revision)| is_new(**revision)).map(|(name, _)| name.clone()).collect()
        };
        // Of what cannot be read in its newest form, that form is told, and not the one before.
        let newer: HashSet<&str> = self.unreadable.iter().filter_map(|(_, entry)| entry.name.as_deref()).collect();
        let flags = self.flags.values().filter(|kept| is_new(kept.revision));
        let segments = self.segments.values().filter(|kept| is_new(kept.revision));
        let unreadable = self.unreadable.iter().filter(|(revision, _)| is_new(*revision));
        Document {
            instance: Some(self.position.instance.to_string()),
            revision: self.position.revision,
            since,
            flags: flags
                .filter(|kept| !newer.contains(kept.flag.name.as_str()))
                .map(|kept| Flag::clone(&kept.flag))
                .collect(),
            segments: segments
                .filter(|kept| !newer.contains(kept.segment.name.as_str()))
                .map(|kept| Segment::clone(&kept.segment))
                .collect(),
            deleted: names(&self.deleted),
            deleted_segments: names(&self.deleted_segments),
            unreadable: unreadable.map(|(_, entry)| entry.clone()).collect(),
            extra: Extra::default(),
        }
    }

    /// The state after one more change.
    pub(super) fn after(&self, revision: u64, changed: Changed) -> Self {
        let since = self.position.revision;
        let mut next = self.changing();
        next.position.revision = revision;
        match changed {
            Changed::Put(flag) => {
                next.deleted.remove(&flag.name);
                next.ids.insert(flag.name.clone(), flag.id);
                next.flags.insert(flag.id, Kept { flag: Arc::new(*flag), revision });
            }
            Changed::Deleted { id, name } => {
                next.flags.remove(&id);
                next.ids.remove(&name);
                next.deleted.insert(name, revision);
            }
            Changed::PutSegment(segment) => {
                next.deleted_segments.remove(&segment.name);
                let kept = KeptSegment { segment: Arc::new(*segment), revision };
                next.segments.insert(kept.segment.name.clone(), kept);
            }
            Changed::DeletedSegment { name } => {
                next.segments.remove(&name);
                next.deleted_segments.insert(name, revision);
            }
        }
        forget_the_oldest(&mut next.deleted, TOMBSTONES);
        forget_the_oldest(&mut next.deleted_segments, TOMBSTONES);
        next.since(since)
    }

    /// This, with what it tells those who were at `since`: everybody who listens is told the same, and it is written once.
    pub(super) fn since(mut self, since: u64) -> Self {
        self.events = Events::after(since, &self);
        self
    }

    /// A copy to be changed.
    pub(super) fn changing(&self) -> Self {
        Self { whole: OnceLock::new(), events: Events::default(), ..self.clone() }
    }
}
