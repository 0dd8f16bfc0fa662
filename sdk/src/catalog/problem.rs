//! Flags that were told and cannot be used.

use std::fmt;

use crate::model::{ModelError, Unreadable};

/// A flag or segment that cannot be used as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The flag's name, as far as it could be made out; `None` for a segment.
    pub flag: Option<String>,
    /// What is wrong.
    pub error: ModelError,
    /// Its last usable version is served on. Otherwise callers get their defaults.
    pub kept: bool,
}

impl Problem {
    /// One that could not even be read: what was known of it stays.
    pub(super) fn unreadable(entry: &Unreadable) -> Self {
        Self { flag: entry.name.clone(), error: entry.error.clone(), kept: true }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kept { "its last usable version is served on" } else { "callers get their defaults" };
        match &self.flag {
            Some(name) => write!(f, "flag `{name}`: {}; {what}", self.error),
            None => write!(f, "{}; {what}", self.error),
        }
    }
}
