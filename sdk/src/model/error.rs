//! What is wrong with a flag's JSON.

use std::fmt;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// The place, as in `flags[3].rules[0].percentage`; empty for the whole.
    pub at: String,
    /// What is wrong there and what to do: reads on from the place.
    pub problem: String,
}

impl ModelError {
    /// Something is wrong at a place.
    pub(crate) fn new(at: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { at: at.into(), problem: problem.to_string() }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.problem) } else { write!(f, "{}: {}", self.at, self.problem) }
    }
}

impl std::error::Error for ModelError {}
