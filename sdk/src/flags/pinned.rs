//! Several questions to one snapshot.

use std::sync::Arc;

use super::{Flags, local};
use crate::evaluations::{Access, Counting, evaluations};
use crate::snapshot::Snapshot;

/// Flags as they were at one moment: what is asked of it is answered the same, whatever updates arrive meanwhile. Answers are
/// counted. Meant to live as long as a request: an old snapshot is kept as long as this is.
#[derive(Clone, Debug)]
pub struct Pinned {
    flags: Flags,
    snapshot: Arc<Snapshot>,
}

impl Pinned {
    pub(super) const fn new(flags: Flags, snapshot: Arc<Snapshot>) -> Self {
        Self { flags, snapshot }
    }

    /// The snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }
}

impl Access for Pinned {
    #[inline]
    fn identity(&self) -> u32 {
        self.flags.identity()
    }

    #[inline]
    fn with<T>(&self, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T {
        local::with(&self.flags.shared, |_, counting| then(&self.snapshot, counting))
    }
}

evaluations!(Pinned);
