//! A flag that was looked up once.

use super::{Flags, local};
use crate::context::Subject;

/// A flag of a [`Flags`], looked up once: the fastest way to ask. Cheap to clone.
///
/// It follows all updates, and may be of a flag that is not known yet.
#[derive(Clone, Debug)]
pub struct Handle {
    flags: Flags,
    number: u32,
    default: bool,
}

impl Handle {
    pub(super) const fn new(flags: Flags, number: u32, default: bool) -> Self {
        Self { flags, number, default }
    }

    /// Whether it is on for a user. Where there is no answer: the default that the flag is declared with, false for a name
    /// as text.
    #[inline]
    pub fn is_enabled(&self, user: impl Subject) -> bool {
        self.is_enabled_or(user, self.default)
    }

    /// The same with this default.
    #[inline]
    pub fn is_enabled_or(&self, user: impl Subject, default: bool) -> bool {
        local::with(&self.flags.shared, |snapshot, counting| {
            let Some(entry) = snapshot.entry(self.number) else { return default };
            let (is_on, count) = snapshot.decide(entry, &user);
            counting.count(entry, count, &user);
            is_on.unwrap_or(default)
        })
    }
}
