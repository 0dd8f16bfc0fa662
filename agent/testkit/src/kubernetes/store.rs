//! The objects, one revision counter for all, and what happened since the last compaction.
//!
//! ```text
//! put, remove --> objects (now)
//!             \-> log: (revision, object, what it was before) --> watches, lists of an older revision
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;
use super::value::set_meta;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    /// `deployments.apps`.
    pub(super) resource: String,
    /// "" for what lives in no namespace.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        let namespace = if kind.is_namespaced() { namespace } else { "" };
        Self { resource: kind.resource(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One write. `object` is as it became, or as it was last when it was removed, at this revision.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) revision: u64,
    pub(super) key: Key,
    pub(super) before: Option<Arc<Value>>,
    pub(super) object: Arc<Value>,
    pub(super) removed: bool,
}

/// What a request for an older revision gets when it has been compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compacted;

#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    log: Vec<Change>,
    revision: u64,
    compacted: u64,
}

impl Store {
    /// That of the last write; every write has its own.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest revision that can still be asked for.
    pub(super) fn oldest(&self) -> u64 {
        self.compacted
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    /// All of a resource (`deployments.apps`), in the order of namespace and name; of one namespace where one is given.
    pub(super) fn all<'a>(
        &'a self,
        resource: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let is_wanted =
            move |key: &Key| key.resource == resource && namespace.is_none_or(|namespace| key.namespace == namespace);
        self.objects.iter().filter(move |(key, _)| is_wanted(key))
    }

    /// Everything that is in a namespace.
    pub(super) fn keys_in(&self, namespace: &str) -> Vec<Key> {
        self.objects.keys().filter(|key| key.namespace == namespace).cloned().collect()
    }

    /// As [`Self::all`], as it was at `revision`.
    pub(super) fn all_at(
        &self,
        resource: &str,
        namespace: Option<&str>,
        revision: u64,
    ) -> Result<BTreeMap<Key, Arc<Value>>, Compacted> {
        if revision < self.compacted {
            return Err(Compacted);
        }
        let mut then: BTreeMap<Key, Arc<Value>> =
            self.all(resource, namespace).map(|(key, object)| (key.clone(), object.clone())).collect();
        for change in self.log.iter().rev().take_while(|change| change.revision > revision) {
            let is_wanted =
                change.key.resource == resource && namespace.is_none_or(|namespace| change.key.namespace == namespace);
            if is_wanted {
                match &change.before {
                    Some(before) => then.insert(change.key.clone(), before.clone()),
                    None => then.remove(&change.key),
                };
            }
        }
        Ok(then)
    }

    /// What happened after `revision`, oldest first.
    pub(super) fn since(&self, revision: u64) -> Result<&[Change], Compacted> {
        if revision < self.compacted {
            return Err(Compacted);
        }
        let first = self.log.partition_point(|change| change.revision <= revision);
        Ok(&self.log[first..])
    }

    /// Keeps `object` under a new revision, which is stamped on it.
    pub(super) fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        set_meta(&mut object, "resourceVersion", json!(self.revision.to_string()));
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), object.clone());
        let change = Change { revision: self.revision, key, before, object: object.clone(), removed: false };
        self.log.push(change);
        object
    }

    /// Removes what is at `key`; the last word about it is `object`, under a new revision.
    pub(super) fn remove(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        set_meta(&mut object, "resourceVersion", json!(self.revision.to_string()));
        let object = Arc::new(object);
        let before = self.objects.remove(key);
        let change =
            Change { revision: self.revision, key: key.clone(), before, object: object.clone(), removed: true };
        self.log.push(change);
        object
    }

    /// Forgets what happened up to now, as etcd does every few minutes.
    pub(super) fn compact(&mut self) {
        self.compacted = self.revision;
        self.log.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { resource: "pods".to_owned(), namespace: "a".to_owned(), name: name.to_owned() }
    }

    fn names(store: &Store, revision: u64) -> Vec<String> {
        store.all_at("pods", None, revision).unwrap().into_keys().map(|key| key.name).collect()
    }

    #[test]
    fn every_revision_since_the_compaction_can_be_seen_again() {
        let mut store = Store::default();
        store.put(key("x"), json!({}));
        store.put(key("y"), json!({}));
        store.remove(&key("x"), json!({}));
        store.put(key("y"), json!({"metadata": {"labels": {"a": "b"}}}));
        assert_eq!(names(&store, 1), ["x"]);
        assert_eq!(names(&store, 2), ["x", "y"]);
        assert_eq!(names(&store, 3), ["y"]);
        assert_eq!(store.since(2).unwrap().len(), 2);
        assert!(store.since(2).unwrap()[0].removed);
        store.compact();
        assert_eq!(store.since(3).unwrap_err(), Compacted);
        assert_eq!(store.since(4).unwrap().len(), 0);
    }
}
