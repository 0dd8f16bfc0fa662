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
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    fn emptied(ring: &Ring) -> Vec<(u32, u64)> {
        let mut all = Vec::new();
        ring.empty(|count, user| all.push((count, user)));
        all
    }

    proptest! {
        #[test]
        fn it_is_a_queue_that_drops_what_finds_no_room(
            steps in prop::collection::vec(prop_oneof![4 => (0..700_u32).prop_map(Some), 1 => Just(None)], 1..40),
        ) {
            let (ring, mut model, mut dropped, mut next) = (Ring::default(), VecDeque::new(), 0_u64, 0_u32);
            for step in steps {
                match step {
                    Some(pushes) => for _ in 0..pushes {
                        next += 1;
                        ring.push(next, u64::from(next) << 32);
                        if (model.len() as u64) < SIZE { model.push_back((next, u64::from(next) << 32)) } else { dropped += 1 }
                    },
                    None => prop_assert_eq!(emptied(&ring), model.drain(..).collect::<Vec<_>>()),
                }
                prop_assert_eq!(ring.take_dropped(), std::mem::take::<u64>(&mut dropped));
            }
            prop_assert_eq!(emptied(&ring), Vec::from(model));
        }
    }

    #[test]
    fn nothing_is_torn_lost_or_doubled_between_two_threads() {
        const PUSHED: u32 = 300_000;
        let (ring, is_over) = (Ring::default(), AtomicBool::new(false));
        let seen = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut seen = Vec::new();
                loop {
                    let was_over = is_over.load(Ordering::Acquire);
                    seen.extend(emptied(&ring));
                    if was_over {
                        return seen;
                    }
                }
            });
            for number in 0..PUSHED {
                ring.push(number, u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            }
            is_over.store(true, Ordering::Release);
            reader.join().unwrap()
        });
        assert_eq!(seen.len() as u64 + ring.take_dropped(), u64::from(PUSHED));
        assert!(seen.is_sorted_by(|(one, _), (next, _)| one < next));
        assert!(seen.iter().all(|(number, user)| *user == u64::from(*number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
}
