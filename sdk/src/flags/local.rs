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
    version: u64,
    snapshot: Arc<Snapshot>,
    counters: Arc<Counters>,
    /// Whose. As long as this is kept nothing else can stand at its address.
    of: Weak<Shared>,
}

impl Seat {
    #[inline]
    fn is_of(&self, shared: &Arc<Shared>) -> bool {
        std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(shared))
    }
}

/// Hands over the newest snapshot and the thread's counts.
#[inline]
pub(super) fn with<T>(shared: &Arc<Shared>, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T {
    let answered = SEATS.try_with(|seats| {
        let seats = seats.try_borrow().ok()?;
        let seat = seats.front.as_ref().filter(|seat| seat.is_of(shared))?;
        let is_current = seat.version == shared.version.0.load(Ordering::Acquire);
        is_current.then(|| then(&seat.snapshot, Counting::on(&seat.counters)))
    });
    match answered {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(_) => after_refresh(shared, then),
    }
}

/// The same where the seat is not current: once per update and thread.
#[cold]
#[inline(never)]
fn after_refresh<T>(shared: &Arc<Shared>, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T {
    let answered = SEATS.try_with(|seats| {
        let is_new = refresh(seats, shared);
        let seats = seats.try_borrow().ok()?;
        let seat = seats.front.as_ref().filter(|seat| seat.is_of(shared))?;
        let counting = Counting::on(&seat.counters);
        // Not new: asked from within a question, and an update has arrived since that began. The seat is taken.
        Some(if is_new { then(&seat.snapshot, counting) } else { then(&shared.current.load(), counting) })
    });
    // No seat: the thread is ending, or asks other flags from within a question.
    answered.ok().flatten().unwrap_or_else(|| then(&shared.current.load(), Counting::none()))
}

/// Takes the newest snapshot to the seat, and the seat to the front; false while somebody sits on it.
fn refresh(seats: &RefCell<Seats>, shared: &Arc<Shared>) -> bool {
    let Ok(mut seats) = seats.try_borrow_mut() else { return false };
    let Seats { front, others } = &mut *seats;
    // The version first: a snapshot that is newer than it is fetched once more, one that is older would be kept.
    let version = shared.version.0.load(Ordering::Acquire);
    let snapshot = shared.current.load_full();
    if front.as_ref().is_none_or(|seat| !seat.is_of(shared)) {
        let mine = others.iter().position(|seat| seat.is_of(shared)).map(|at| others.swap_remove(at));
        others.extend(std::mem::replace(front, mine));
        others.retain(|seat| seat.of.strong_count() > 0);
    }
    match front {
        Some(seat) => (seat.version, seat.snapshot) = (version, snapshot),
        None => {
            let (counters, of) = (shared.new_thread(), Arc::downgrade(shared));
            *front = Some(Seat { version, snapshot, counters, of });
        }
    }
    true
}
