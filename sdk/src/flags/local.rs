//! What each thread keeps, so that a question costs no lock and no shared write: the snapshot it saw last, and its counts.
//!
//! ```text
//! version as seen last = version now?  --yes--> the thread's own snapshot     one load of a line that only updates write
//!                                      --no---> the new one, once per update and thread
//! ```

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::Shared;
use super::counters::Counters;
use crate::evaluations::Counting;
use crate::snapshot::Snapshot;

thread_local! {
    static SEATS: RefCell<Seats> = const { RefCell::new(Seats { front: None, others: Vec::new() }) };
}

/// A thread's places; most applications have one [`super::Flags`].
struct Seats {
    /// Where it was last.
    front: Option<Seat>,
    others: Vec<Seat>,
}

/// A thread's place at one [`super::Flags`].
struct Seat {
    identity: u32,
    version: u64,
    snapshot: Arc<Snapshot>,
    counters: Arc<Counters>,
    of: Weak<Shared>,
}

impl Seat {
    #[inline]
    fn is_current(&self, shared: &Shared) -> bool {
        self.identity == shared.identity && self.version == shared.version.load(Ordering::Acquire)
    }
}

/// Hands over the newest snapshot and the thread's counts.
#[inline]
pub(super) fn with<T>(shared: &Arc<Shared>, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T {
    let answered = SEATS.try_with(|seats| {
        if let Ok(seats) = seats.try_borrow()
            && let Some(seat) = &seats.front
            && seat.is_current(shared)
        {
            return Some(then(&seat.snapshot, Counting::on(&seat.counters)));
        }
        let is_new = refresh(seats, shared);
        let seats = seats.try_borrow().ok()?;
        let seat = seats.front.as_ref().filter(|seat| seat.identity == shared.identity)?;
        if is_new {
            return Some(then(&seat.snapshot, Counting::on(&seat.counters)));
        }
        // Asked from within a question, and an update has arrived since that began: the seat is taken.
        Some(then(&shared.current.load(), Counting::on(&seat.counters)))
    });
    // No seat: the thread is ending, or asks other flags from within a question.
    answered.ok().flatten().unwrap_or_else(|| then(&shared.current.load(), Counting::none()))
}

/// Takes the newest snapshot to the seat, and the seat to the front; false while somebody sits on it.
#[cold]
fn refresh(seats: &RefCell<Seats>, shared: &Arc<Shared>) -> bool {
    let Ok(mut seats) = seats.try_borrow_mut() else { return false };
    let Seats { front, others } = &mut *seats;
    // The version first: a snapshot that is newer than it is fetched once more, one that is older would be kept.
    let version = shared.version.load(Ordering::Acquire);
    let snapshot = shared.current.load_full();
    if front.as_ref().is_none_or(|seat| seat.identity != shared.identity) {
        let mine = others.iter().position(|seat| seat.identity == shared.identity).map(|at| others.swap_remove(at));
        others.extend(std::mem::replace(front, mine));
        others.retain(|seat| seat.of.strong_count() > 0);
    }
    match front {
        Some(seat) => (seat.version, seat.snapshot) = (version, snapshot),
        None => {
            let (identity, counters, of) = (shared.identity, shared.new_thread(), Arc::downgrade(shared));
            *front = Some(Seat { identity, version, snapshot, counters, of });
        }
    }
    true
}
