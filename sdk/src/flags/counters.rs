//! One thread's counts: written by that thread alone, read by whoever adds all threads up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many counts the first chunk holds; each further one holds as many as all before it together.
const FIRST: u32 = 1 << FIRST_BITS;
const FIRST_BITS: u32 = 10;

/// 8 million counts: 100 000 flags of 80 variants.
const CHUNKS: usize = 14;

/// A thread's counts, by number. They only grow; whoever reads keeps what it has read before.
///
/// Adding is a load and a store, no locked instruction: nobody else writes here. Room is made by [`Counters::reserve`], so that
/// adding never allocates.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
}

impl Counters {
    /// Makes room for this many counts.
    pub(crate) fn reserve(&self, counts: u32) {
        for (chunk, room) in self.chunks.iter().enumerate() {
            if start_of(chunk) >= counts {
                return;
            }
            room.get_or_init(|| (0..length_of(chunk)).map(|_| AtomicU64::new(0)).collect());
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
        let chunk = (u32::BITS - (count >> FIRST_BITS).leading_zeros()) as usize;
        let cells = self.chunks.get(chunk)?.get()?;
        cells.get((count - start_of(chunk)) as usize)
    }
}

/// The first count of a chunk.
#[inline]
const fn start_of(chunk: usize) -> u32 {
    if chunk == 0 { 0 } else { FIRST << (chunk - 1) }
}

const fn length_of(chunk: usize) -> u32 {
    if chunk == 0 { FIRST } else { start_of(chunk) }
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
