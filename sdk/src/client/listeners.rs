//! Who wants to be told of changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::core::Revision;
use super::status::Readiness;

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where the change came from.
    pub source: Readiness,
    /// Names of the flags that were told something new, in alphabetical order. Flags that depend on them may answer differently too,
    /// and so may flags with a schedule or ramp at any time: of those nobody is told.
    pub flags: Vec<String>,
    /// The service's state now.
    pub revision: Revision,
}

type Listener = Arc<dyn Fn(&Change) + Send + Sync>;

#[derive(Default)]
struct List {
    next: u64,
    all: Vec<(u64, Listener)>,
}

/// All who listen.
#[derive(Clone, Default)]
pub(super) struct Listeners {
    list: Arc<Mutex<List>>,
}

/// Listens until it is dropped.
#[must_use = "listening ends when this is dropped"]
pub struct Subscription {
    number: u64,
    list: Weak<Mutex<List>>,
}

impl Listeners {
    pub(super) fn add(&self, listener: impl Fn(&Change) + Send + Sync + 'static) -> Subscription {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let number = list.next;
        list.next += 1;
        list.all.push((number, Arc::new(listener)));
        Subscription { number, list: Arc::downgrade(&self.list) }
    }

    /// Tells all, outside of the lock: a listener may add another. One that panics is heard in the log and kept.
    pub(super) fn tell(&self, change: &Change) {
        let all = self.list.lock().unwrap_or_else(PoisonError::into_inner).all.clone();
        for (_, listener) in all {
            if catch_unwind(AssertUnwindSafe(|| listener(change))).is_err() {
                tracing::error!("a listener for changed flags panicked; the others are told all the same");
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(list) = self.list.upgrade() {
            list.lock().unwrap_or_else(PoisonError::into_inner).all.retain(|(number, _)| *number != self.number);
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn listeners_hear_until_they_are_dropped_and_one_that_panics_harms_nobody() {
        let change = Change { source: Readiness::Live, flags: vec!["x".into()], revision: Revision::default() };
        let listeners = Listeners::default();
        let heard = Arc::new(AtomicU32::new(0));
        let _panics = listeners.add(|_| panic!("on purpose"));
        let (counter, other) = (heard.clone(), listeners.clone());
        let counts = listeners.add(move |change| {
            assert_eq!(change.flags, ["x"]);
            counter.fetch_add(1, Ordering::Relaxed);
            drop(other.add(|_| ()));
        });
        listeners.tell(&change);
        listeners.tell(&change);
        drop(counts);
        listeners.tell(&change);
        assert_eq!(heard.load(Ordering::Relaxed), 2);
    }
}
