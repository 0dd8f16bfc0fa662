//! Everything that is told of flags, at one revision: what all reads are answered from.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use teal_flags::model::{Document, Flag, Unreadable};

use super::edit::Reference;

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

/// All flags at one revision. Does not change.
#[derive(Clone, Debug)]
pub struct State {
    position: Position,
    flags: BTreeMap<i64, Kept>,
    ids: HashMap<String, i64>,
    /// Names, and at which revision they were deleted.
    deleted: BTreeMap<String, u64>,
    /// What a newer version may have written: handed on as it stands.
    unreadable: Vec<Unreadable>,
    /// What the last change was, as JSON, and what it was a change to.
    last: Option<(u64, Arc<str>)>,
    whole: OnceLock<Arc<str>>,
}

/// What one change did.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    Put(Box<Flag>),
    Deleted { id: i64, name: String },
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
        Self { position, flags, ids, deleted, unreadable, last: None, whole: OnceLock::new() }
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// One flag.
    #[must_use]
    pub fn flag(&self, flag: &Reference) -> Option<&Arc<Flag>> {
        let id = match flag {
            Reference::Id(id) => *id,
            Reference::Name(name) => *self.ids.get(name)?,
        };
        self.flags.get(&id).map(|kept| &kept.flag)
    }

    /// All flags, by id.
    pub fn flags(&self) -> impl ExactSizeIterator<Item = &Arc<Flag>> {
        self.flags.values().map(|kept| &kept.flag)
    }

    /// All that an SDK needs, what was deleted included: it may have missed that.
    #[must_use]
    pub fn document(&self) -> Document {
        Document { unreadable: self.unreadable.clone(), ..self.told(None) }
    }

    /// [`State::document`] as JSON.
    #[must_use]
    pub fn whole(&self) -> Arc<str> {
        self.whole.get_or_init(|| self.document().to_json().into()).clone()
    }

    /// What changed since an earlier revision of this instance, as JSON.
    #[must_use]
    pub fn delta(&self, since: u64) -> Arc<str> {
        match &self.last {
            Some((before, json)) if *before == since => json.clone(),
            _ => self.told(Some(since)).to_json().into(),
        }
    }

    fn told(&self, since: Option<u64>) -> Document {
        let after = since.unwrap_or(0);
        let is_new = |revision: u64| since.is_none() || revision > after;
        let flags = self.flags.values().filter(|kept| is_new(kept.revision));
        let deleted = self.deleted.iter().filter(|(_, revision)| is_new(**revision));
        Document {
            instance: Some(self.position.instance.to_string()),
            revision: self.position.revision,
            since,
            flags: flags.map(|kept| Flag::clone(&kept.flag)).collect(),
            deleted: deleted.map(|(name, _)| name.clone()).collect(),
            ..Document::default()
        }
    }

    /// The state after one more change.
    pub(super) fn after(&self, revision: u64, changed: Changed) -> Self {
        let since = self.position.revision;
        let mut next = Self { last: None, whole: OnceLock::new(), ..self.clone() };
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
        }
        // Everybody who listens is told the same: it is written once.
        next.last = Some((since, next.told(Some(since)).to_json().into()));
        next
    }
}
