//! Who was served, as keyed hashes: opt-in, for the number of users who see a variant.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::ring::Ring;
use super::slots::{Key, Range};

/// How many hashes are kept at most until they are taken.
const MOST: usize = 1 << 16;

/// What a thread notes.
#[derive(Debug)]
pub(crate) struct Noted {
    /// Whoever does not have it learns nothing from a hash, not even by trying all ids.
    key: RandomState,
    ring: Ring,
}

impl Noted {
    pub(super) fn new(key: RandomState) -> Self {
        Self { key, ring: Ring::default() }
    }

    /// Notes whom an answer was given to. Nobody is not noted.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&self, count: u32, id: Option<&str>) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.ring.push(count, self.key.hash_one(id));
        }
    }
}

/// Users by what they were served, since they were last taken: one may be there several times.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    pub(crate) users: BTreeMap<Key, Vec<u64>>,
    /// Answers that are missing: there was no room for them.
    pub(crate) dropped: u64,
    kept: usize,
}

impl Sightings {
    /// Adds what a thread has noted. To be done before any of these numbers counts something else.
    pub(super) fn read(&mut self, ranges: &BTreeMap<u32, Range>, noted: Option<&Noted>) {
        let Some(Noted { ring, .. }) = noted else { return };
        let mut users: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        ring.empty(|count, user| users.entry(count).or_default().push(user));
        self.dropped += ring.take_dropped();
        for (count, users) in users {
            let range = ranges.range(..=count).next_back().filter(|(start, range)| count - **start < range.size());
            if let Some((start, range)) = range {
                self.add(range.key(count - start), &users);
            }
        }
    }

    /// Adds users who were served this.
    fn add(&mut self, key: Key, users: &[u64]) {
        let room = MOST.saturating_sub(self.kept).min(users.len());
        let (kept, dropped) = users.split_at(room);
        self.kept += kept.len();
        self.dropped += dropped.len() as u64;
        if !kept.is_empty() {
            self.users.entry(key).or_default().extend(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_nobody_takes_do_not_fill_the_memory() {
        let mut sightings = Sightings::default();
        for version in 0..100 {
            sightings.add(("a".into(), version, None, false), &[7; 1000]);
        }
        assert_eq!(sightings.users.values().map(Vec::len).sum::<usize>(), MOST);
        assert_eq!(sightings.dropped, 100_000 - MOST as u64);
    }

    #[test]
    fn a_hash_says_nothing_to_who_has_another_key() {
        let hashes = [RandomState::new(), RandomState::new()].map(|key| {
            let noted = Noted::new(key);
            noted.note(1, Some("user-7"));
            noted.note(2, Some("user-7"));
            noted.note(3, Some(""));
            noted.note(4, None);
            let mut all = Vec::new();
            noted.ring.empty(|count, user| all.push((count, user)));
            assert_eq!(all.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(all[0].1, all[1].1);
            all[0].1
        });
        assert_ne!(hashes[0], hashes[1]);
    }
}
