//! The state that a relay tells, made of what it is told: document upon document.
//!
//! ```text
//! state + whole document, same instance      what differs is new at its revision; what it does not name stays
//!       + delta                              likewise
//!       + whole document, another instance   its flags go before those known; changes are known since then
//! ```
//! INSTANCE:REVISION are the service's own, so that a client may go from the one to the other and is told what it missed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use teal_flags::model::{Document, Flag, Segment};

use super::super::state::{Kept, KeptSegment, Position, State};

/// Names of deleted flags that are kept; a service keeps 10,000.
const MOST_DELETED: usize = 20_000;

/// What is known after one more document; one that is older or does not fit is not to come here.
pub(super) fn after(before: &State, document: &Document) -> State {
    let instance = document.instance.as_deref().unwrap_or_default();
    let is_same = *before.position.instance == *instance;
    let mut next = before.changing();
    next.position = Position { instance: instance.into(), revision: document.revision };
    if !is_same {
        next.base = document.revision;
    }
    let named: HashSet<&str> = document.flags.iter().map(|flag| flag.name.as_str()).collect();
    for name in document.deleted.iter().filter(|name| !named.contains(name.as_str())) {
        delete(&mut next, name);
    }
    for flag in &document.flags {
        put(&mut next, flag);
    }
    let named: HashSet<&str> = document.segments.iter().map(|segment| segment.name.as_str()).collect();
    for name in document.deleted_segments.iter().filter(|name| !named.contains(name.as_str())) {
        next.segments.remove(name);
        let revision = next.position.revision;
        next.deleted_segments.entry(name.clone()).or_insert(revision);
    }
    for segment in &document.segments {
        put_segment(&mut next, segment);
    }
    forget_the_oldest(&mut next.deleted);
    forget_the_oldest(&mut next.deleted_segments);
    unreadable(&mut next, document);
    if is_same { next.since(before.position.revision) } else { next }
}

fn delete(state: &mut State, name: &str) {
    if let Some(id) = state.ids.remove(name) {
        state.flags.remove(&id);
        state.deleted.remove(name);
    }
    // A whole document names what was deleted long ago as well.
    let revision = state.position.revision;
    state.deleted.entry(name.to_owned()).or_insert(revision);
}

/// Names of what was deleted long ago: nobody is left who does not know.
fn forget_the_oldest(deleted: &mut BTreeMap<String, u64>) {
    if deleted.len() > MOST_DELETED {
        let mut revisions: Vec<u64> = deleted.values().copied().collect();
        revisions.sort_unstable();
        let oldest = revisions[deleted.len() - MOST_DELETED];
        deleted.retain(|_, revision| *revision >= oldest);
    }
}

fn put(state: &mut State, flag: &Flag) {
    let revision = state.position.revision;
    state.deleted.remove(&flag.name);
    if let Some(known) = state.ids.get(&flag.name).and_then(|id| state.flags.get(id)) {
        if *known.flag == *flag {
            return;
        }
        let id = state.ids.remove(&flag.name);
        id.and_then(|id| state.flags.remove(&id));
    }
    let displaced = state.flags.insert(flag.id, Kept { flag: Arc::new(flag.clone()), revision });
    state.ids.insert(flag.name.clone(), flag.id);
    if let Some(displaced) = displaced {
        // A flag that only the instance before had keeps its name and loses its number: nothing known becomes unknown.
        let free = state.flags.first_key_value().map_or(-1, |(first, _)| (*first).min(0) - 1);
        state.ids.insert(displaced.flag.name.clone(), free);
        state.flags.insert(free, displaced);
    }
}

fn put_segment(state: &mut State, segment: &Segment) {
    let revision = state.position.revision;
    state.deleted_segments.remove(&segment.name);
    if state.segments.get(&segment.name).is_some_and(|known| *known.segment == *segment) {
        return;
    }
    state.segments.insert(segment.name.clone(), KeptSegment { segment: Arc::new(segment.clone()), revision });
}

/// What cannot be read here may be for who is newer.
fn unreadable(state: &mut State, document: &Document) {
    let revision = state.position.revision;
    if document.since.is_none() {
        state.unreadable.clear();
    } else {
        let flags = document.flags.iter().map(|flag| &flag.name).chain(&document.deleted);
        let segments = document.segments.iter().map(|segment| &segment.name).chain(&document.deleted_segments);
        let again = document.unreadable.iter().filter_map(|entry| entry.name.as_ref());
        let told: HashSet<&String> = flags.chain(segments).chain(again).collect();
        state.unreadable.retain(|(_, entry)| entry.name.as_ref().is_none_or(|name| !told.contains(name)));
    }
    state.unreadable.extend(document.unreadable.iter().map(|entry| (revision, entry.clone())));
}

#[cfg(test)]
mod tests;
