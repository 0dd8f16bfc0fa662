//! One thread's counts: written by that thread alone, read by whoever adds all threads up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many counts a chunk holds: 16 KiB.
const CHUNK: usize = 2048;

/// A million counts: 250 000 plain switches.
const CHUNKS: usize = 512;

type Chunk = Box<[AtomicU64; CHUNK]>;

/// A thread's counts, by number. They only grow; whoever reads keeps what it has read before.
///
/// Adding is a load and a store, no locked instruction: nobody else writes here. Room is made by [`Counters::reserve`], so that
/// adding never allocates.
#[derive(Debug)]
pub(crate) struct Counters {
    chunks: Box<[OnceLock<Chunk>; CHUNKS]>,
    /// Where users are noted, if they are.
    #[cfg(feature = "unique-users")]
    noted: Option<Box<super::users::Noted>>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            chunks: Box::new([const { OnceLock::new() }; CHUNKS]),
            #[cfg(feature = "unique-users")]
            noted: None,
        }
    }
}

impl Counters {
    /// Counts, beside which users are noted, hashed with this key.
    #[cfg(feature = "unique-users")]
    pub(super) fn noting(key: Option<std::hash::RandomState>) -> Self {
        Self { noted: key.map(super::users::Noted::new).map(Box::new), ..Self::default() }
    }

    /// Where users are noted, if they are.
    #[cfg(feature = "unique-users")]
    #[inline]
    pub(crate) fn noted(&self) -> Option<&super::users::Noted> {
        self.noted.as_deref()
    }

    /// Makes room for this many counts.
    pub(crate) fn reserve(&self, counts: u32) {
        for room in self.chunks.iter().take((counts as usize).div_ceil(CHUNK)) {
            room.get_or_init(|| Box::new([const { AtomicU64::new(0) }; CHUNK]));
        }
    }

    /// Adds one. A count without room is not counted.
    #[inline]
    pub(crate) fn add(&self, count: u32) {
        if let Some(cell) = self.cell(count) {
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// What a count stands at.
    pub(crate) fn get(&self, count: u32) -> u64 {
        self.cell(count).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    #[inline]
    fn cell(&self, count: u32) -> Option<&AtomicU64> {
        let count = count as usize;
        self.chunks.get(count / CHUNK)?.get()?.get(count % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_has_a_cell_of_its_own_once_there_is_room() {
        let counters = Counters::default();
        counters.add(0);
        assert_eq!(counters.get(0), 0, "no room yet");
        counters.reserve(5000);
        for count in 0..5000 {
            for _ in 0..=count % 3 {
                counters.add(count);
            }
        }
        assert!((0..5000).all(|count| counters.get(count) == u64::from(count % 3 + 1)));
        assert_eq!(counters.get(4_000_000), 0);
        counters.add(u32::MAX);
    }
}
