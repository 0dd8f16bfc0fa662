//! Which count is whose: numbers are given to each version of a flag, and taken back when nobody counts there any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counters::Counters;

/// How often a variant of a version of a flag was served since the counts were last taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The flag's name.
    pub flag: Arc<str>,
    /// The flag's version.
    pub version: u64,
    /// The variant's name; `None` when it was off without a variant, or the caller's default was used.
    pub variant: Option<Arc<str>>,
    /// The caller's default was used, because nobody was known.
    pub defaulted: bool,
    /// How often.
    pub count: u64,
}

/// The counts of one version of a flag: of no variant, of each variant, of callers' defaults.
#[derive(Debug)]
pub(super) struct Range {
    flag: Arc<str>,
    version: u64,
    variants: Box<[Arc<str>]>,
    /// The sequence number of the first snapshot that counts here.
    since: u64,
    /// That of the first one that does not count here any more.
    retired_at: Option<u64>,
}

impl Range {
    /// Whether none of these snapshots, in ascending order, nor any later one counts here.
    fn is_over(&self, held: &[u64]) -> bool {
        let first = held.get(held.partition_point(|sequence| *sequence < self.since));
        self.retired_at.is_some_and(|retired_at| first.is_none_or(|first| *first >= retired_at))
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 100 variants")]
    pub(super) fn size(&self) -> u32 {
        self.variants.len() as u32 + 2
    }

    /// What the count of this number within the range counts.
    pub(super) fn key(&self, which: u32) -> Key {
        let variant = which.checked_sub(1).and_then(|which| self.variants.get(which as usize)).cloned();
        (self.flag.clone(), self.version, variant, which + 1 == self.size())
    }
}

/// (flag, version, variant, defaulted)
pub(crate) type Key = (Arc<str>, u64, Option<Arc<str>>, bool);

/// All ranges, and what was read of them.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    ranges: BTreeMap<u32, Range>,
    /// Starts of free ranges by size.
    free: BTreeMap<u32, Vec<u32>>,
    next: u32,
    /// What each count stood at over all threads when it was last read.
    read: Vec<u64>,
    /// What threads that have ended had counted.
    ended: Vec<u64>,
    /// Read and not yet taken.
    pending: BTreeMap<Key, u64>,
    /// Users, likewise.
    #[cfg(feature = "unique-users")]
    sightings: super::users::Sightings,
}

impl Slots {
    /// Numbers for a version of a flag, for snapshots from this sequence number on: the first of them.
    pub(crate) fn allocate(&mut self, flag: Arc<str>, version: u64, variants: Box<[Arc<str>]>, since: u64) -> u32 {
        let range = Range { flag, version, variants, since, retired_at: None };
        let size = range.size();
        let start = self.free.get_mut(&size).and_then(Vec::pop).unwrap_or_else(|| {
            let start = self.next;
            self.next = self.next.saturating_add(size);
            start
        });
        self.ranges.insert(start, range);
        start
    }

    /// Whether the range that begins here counts just these, and may go on.
    pub(crate) fn is_of(&self, start: u32, version: u64, variants: &[Arc<str>]) -> bool {
        let range = self.ranges.get(&start);
        range.is_some_and(|range| range.version == version && *range.variants == *variants)
    }

    /// Snapshots from this sequence number on do not count here any more.
    pub(crate) fn retire(&mut self, start: u32, sequence: u64) {
        if let Some(range) = self.ranges.get_mut(&start) {
            range.retired_at = Some(sequence);
        }
    }

    /// How many numbers are in use or were.
    pub(crate) fn capacity(&self) -> u32 {
        self.next
    }

    /// Takes back the ranges of snapshots that nobody has any more. `held` are the earlier ones that somebody has, in ascending
    /// order: a thread that has not asked for a year holds one of them, and not all since.
    pub(crate) fn reclaim(&mut self, threads: &mut Vec<Arc<Counters>>, held: &[u64]) {
        let is_over = |range: &Range| range.is_over(held);
        if !self.ranges.values().any(is_over) {
            return;
        }
        self.read_all(threads);
        let over: Vec<u32> = self.ranges.iter().filter(|(_, range)| is_over(range)).map(|(start, _)| *start).collect();
        for start in over {
            if let Some(range) = self.ranges.remove(&start) {
                self.free.entry(range.size()).or_default().push(start);
            }
        }
    }

    /// What was counted since the last call.
    pub(crate) fn take(&mut self, threads: &mut Vec<Arc<Counters>>) -> Vec<Exposure> {
        self.read_all(threads);
        let exposure =
            |((flag, version, variant, defaulted), count)| Exposure { flag, version, variant, defaulted, count };
        std::mem::take(&mut self.pending).into_iter().map(exposure).collect()
    }

    /// Who was seen since the last call.
    #[cfg(feature = "unique-users")]
    pub(super) fn take_sightings(&mut self, threads: &[Arc<Counters>]) -> super::users::Sightings {
        self.read_users(threads);
        std::mem::take(&mut self.sightings)
    }

    /// Adds whom every thread has noted to what is pending.
    #[cfg(feature = "unique-users")]
    fn read_users(&mut self, threads: &[Arc<Counters>]) {
        threads.iter().for_each(|counters| self.sightings.read(&self.ranges, counters.noted()));
    }

    /// Adds what every thread has counted since it was last read to what is pending.
    fn read_all(&mut self, threads: &mut Vec<Arc<Counters>>) {
        #[cfg(feature = "unique-users")]
        self.read_users(threads);
        let size = self.next as usize;
        self.read.resize(size, 0);
        self.ended.resize(size, 0);
        // A thread that has ended has given up its side. What it counted last is seen by whoever sees that.
        threads.retain_mut(|counters| match Arc::get_mut(counters) {
            None => true,
            Some(counters) => {
                #[cfg(feature = "unique-users")]
                self.sightings.read(&self.ranges, counters.noted());
                (0..).zip(&mut self.ended).for_each(|(count, ended)| *ended = ended.wrapping_add(counters.get(count)));
                false
            }
        });
        for (start, range) in &self.ranges {
            for which in 0..range.size() {
                let count = start + which;
                let Some((read, ended)) = self.read.get_mut(count as usize).zip(self.ended.get(count as usize)) else {
                    continue;
                };
                let total = threads.iter().fold(*ended, |sum, counters| sum.wrapping_add(counters.get(count)));
                let more = total.wrapping_sub(std::mem::replace(read, total));
                if more > 0 {
                    *self.pending.entry(range.key(which)).or_default() += more;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Box<[Arc<str>]> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn told(slots: &mut Slots, threads: &mut Vec<Arc<Counters>>) -> Vec<String> {
        let tell = |exposure: Exposure| {
            let what = exposure.variant.as_deref().unwrap_or(if exposure.defaulted { "default" } else { "none" });
            format!("{} v{} {what} {}", exposure.flag, exposure.version, exposure.count)
        };
        slots.take(threads).into_iter().map(tell).collect()
    }

    #[test]
    fn counts_of_all_threads_are_added_up_and_told_once() {
        let mut slots = Slots::default();
        let start = slots.allocate("a".into(), 1, names(&["on", "off"]), 1);
        let counters = Arc::new(Counters::default());
        counters.reserve(slots.capacity());
        let other = Arc::new(Counters::default());
        other.reserve(slots.capacity());
        let mut threads = vec![counters.clone(), other.clone()];
        for count in [start, start + 1, start + 1, start + 3] {
            counters.add(count);
        }
        other.add(start + 1);
        drop(other);
        assert_eq!(told(&mut slots, &mut threads), ["a v1 none 1", "a v1 default 1", "a v1 on 3"]);
        assert_eq!(threads.len(), 1, "the other thread has ended");
        assert_eq!(told(&mut slots, &mut threads), [""; 0]);
        counters.add(start + 1);
        assert_eq!(told(&mut slots, &mut threads), ["a v1 on 1"]);
    }

    #[test]
    fn numbers_come_back_when_the_last_snapshot_that_counts_there_is_gone() {
        let mut slots = Slots::default();
        let allocate =
            |slots: &mut Slots, flag: &str, since| slots.allocate(flag.into(), since, names(&["on", "off"]), since);
        let first = allocate(&mut slots, "a", 1);
        let counters = Arc::new(Counters::default());
        counters.reserve(100);
        let mut threads = vec![counters.clone()];
        let second = allocate(&mut slots, "a", 7);
        slots.retire(first, 7);
        slots.reclaim(&mut threads, &[6]);
        counters.add(first + 1);
        assert_ne!(allocate(&mut slots, "b", 7), first, "snapshot 6 is still held by somebody");
        slots.reclaim(&mut threads, &[7]);
        assert_eq!(allocate(&mut slots, "c", 8), first);
        counters.add(first + 1);
        counters.add(second + 1);
        assert_eq!(told(&mut slots, &mut threads), ["a v1 on 1", "a v7 on 1", "c v8 on 1"]);
    }

    #[test]
    fn a_snapshot_that_is_held_for_ever_keeps_its_own_numbers_and_no_later_ones() {
        let mut slots = Slots::default();
        for version in 1..100 {
            let start = slots.allocate("a".into(), version, names(&["on", "off"]), version);
            assert!(start <= 8, "{start}");
            slots.retire(start, version + 1);
            slots.reclaim(&mut Vec::new(), &[1, version]);
        }
        slots.reclaim(&mut Vec::new(), &[]);
        assert!(slots.ranges.is_empty());
    }
}
