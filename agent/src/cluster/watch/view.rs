//! What is known of the objects, and how fresh that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

/// Namespace and name; of an object without a namespace, "" and its name.
pub type Key = (String, String);

/// Whether the server would tell us of a change now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The watch runs, without a gap since then.
    Current {
        /// When the view became complete or caught up.
        since: Instant,
    },
    /// The server does not answer, or no watch runs: what is seen is what was.
    Old {
        /// When the server was last heard.
        since: Instant,
        /// Why, in a line.
        why: String,
    },
}

/// The objects at one moment.
#[derive(Clone, Debug)]
pub struct View<K> {
    objects: BTreeMap<Key, Arc<K>>,
    freshness: Freshness,
    is_complete: bool,
    was_current: bool,
}

impl<K> View<K> {
    pub(super) fn new() -> Self {
        let freshness = Freshness::Old { since: Instant::now(), why: "the server was not asked yet".to_owned() };
        Self { objects: BTreeMap::new(), freshness, is_complete: false, was_current: false }
    }

    /// All objects, by namespace and name.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = &Arc<K>> {
        self.objects.values()
    }

    /// The first object of this name: of all, in a watch of one namespace.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<K>> {
        self.objects.iter().find(|((_, known), _)| known == name).map(|(_, object)| object)
    }

    /// The object of this namespace and name.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<K>> {
        self.objects.get(key)
    }

    /// Whether the objects were ever listed: before that, an object that is not here may well be there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether this is how things are now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        matches!(self.freshness, Freshness::Current { .. })
    }

    /// Whether it ever was: a watch that has just begun is not one that was lost.
    #[must_use]
    pub fn was_current(&self) -> bool {
        self.was_current
    }

    /// Since when it is current, or not, and why not.
    #[must_use]
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// The watch runs. Says whether that is news.
    pub(super) fn caught_up(&mut self) -> bool {
        if self.is_current() {
            return false;
        }
        self.freshness = Freshness::Current { since: Instant::now() };
        self.was_current = true;
        true
    }

    /// The server was last heard at `heard`. Says whether that is news.
    pub(super) fn lost(&mut self, heard: Instant, why: &str) -> bool {
        match &mut self.freshness {
            Freshness::Old { why: known, .. } if known == why => return false,
            // Old since the first failure, whatever fails next.
            Freshness::Old { why: known, .. } => why.clone_into(known),
            Freshness::Current { .. } => self.freshness = Freshness::Old { since: heard, why: why.to_owned() },
        }
        true
    }
}

impl<K: Resource> View<K> {
    /// All objects at once. Says whether anything differs.
    pub(super) fn replace(&mut self, listed: Vec<K>) -> bool {
        let mut objects: BTreeMap<Key, Arc<K>> =
            listed.into_iter().map(|object| (key(&object), Arc::new(object))).collect();
        let same = |(key, object): (&Key, &mut Arc<K>)| {
            let known = self.objects.get(key).filter(|known| known.resource_version() == object.resource_version());
            // Who holds the old one need not tell it from a copy of itself.
            known.map(|known| object.clone_from(known)).is_some()
        };
        let kept = objects.iter_mut().map(same).filter(|same| *same).count();
        let differs = kept != objects.len() || kept != self.objects.len() || !self.is_complete;
        (self.objects, self.is_complete) = (objects, true);
        differs
    }

    pub(super) fn put(&mut self, object: K) {
        self.objects.insert(key(&object), Arc::new(object));
    }

    pub(super) fn remove(&mut self, object: &K) {
        self.objects.remove(&key(object));
    }
}

fn key<K: Resource>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}
