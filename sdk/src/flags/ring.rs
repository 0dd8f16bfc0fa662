//! One thread's last answers with whom they were given to, for those who want to know how many users see a variant.
//!
//! ```text
//! thread --push--> | count, hash | count, hash | ... |  --empty--> whoever adds up, under a lock
//!                   ^ read                  written ^
//! ```
//! Written by the one thread, emptied by one at a time. Pushing is plain loads and stores: no locked instruction, no lock, no
//! allocation. Where there is no room the answer is left out, and that is counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many answers are kept: 16 KiB. Emptied each 100 ms, that is 10,000 answers a second.
pub(super) const SIZE: u64 = 1024;

/// An answer.
#[derive(Debug, Default)]
struct Place {
    /// Which of the flags' counts it added to.
    count: AtomicU64,
    /// The keyed hash of the user's id.
    user: AtomicU64,
}

/// The ring.
#[derive(Debug)]
pub(super) struct Ring {
    mine: Mine,
    theirs: Theirs,
    places: Box<[Place]>,
}

/// Written by the thread alone.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Mine {
    /// How many were written.
    written: AtomicU64,
    /// How many found no room.
    dropped: AtomicU64,
}

/// Written by whoever empties it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Theirs {
    /// How many were read.
    read: AtomicU64,
    /// Of how many that found no room it was told.
    dropped: AtomicU64,
}

impl Default for Ring {
    fn default() -> Self {
        let places = (0..SIZE).map(|_| Place::default()).collect();
        Self { mine: Mine::default(), theirs: Theirs::default(), places }
    }
}

impl Ring {
    /// Notes an answer. For one thread only.
    pub(super) fn push(&self, count: u32, user: u64) {
        let written = self.mine.written.load(Ordering::Relaxed);
        // Acquire: what is overwritten has been read.
        let kept = written.wrapping_sub(self.theirs.read.load(Ordering::Acquire));
        match self.place(written).filter(|_| kept < SIZE) {
            Some(place) => {
                place.count.store(count.into(), Ordering::Relaxed);
                place.user.store(user, Ordering::Relaxed);
                // Release: whoever sees that it was written sees what.
                self.mine.written.store(written.wrapping_add(1), Ordering::Release);
            }
            None => {
                let dropped = self.mine.dropped.load(Ordering::Relaxed);
                self.mine.dropped.store(dropped.wrapping_add(1), Ordering::Relaxed);
            }
        }
    }

    /// Hands over what was noted since the last time, oldest first. For one at a time.
    pub(super) fn empty(&self, mut then: impl FnMut(u32, u64)) {
        let written = self.mine.written.load(Ordering::Acquire);
        let mut read = self.theirs.read.load(Ordering::Relaxed);
        while read != written {
            if let Some(place) = self.place(read) {
                let count = u32::try_from(place.count.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
                then(count, place.user.load(Ordering::Relaxed));
            }
            read = read.wrapping_add(1);
        }
        self.theirs.read.store(read, Ordering::Release);
    }

    /// How many answers found no room since the last time. For one at a time.
    pub(super) fn take_dropped(&self) -> u64 {
        let dropped = self.mine.dropped.load(Ordering::Relaxed);
        let told = self.theirs.dropped.load(Ordering::Relaxed);
        self.theirs.dropped.store(dropped, Ordering::Relaxed);
        dropped.wrapping_sub(told)
    }

    fn place(&self, number: u64) -> Option<&Place> {
        self.places.get((number % SIZE) as usize)
    }
}

#[cfg(test)]
mod tests;
