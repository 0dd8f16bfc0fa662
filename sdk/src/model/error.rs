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

    /// Something is wrong here; those who called for it say where that is, by [`Self::within`].
    pub(crate) fn here(problem: impl fmt::Display) -> Self {
        Self::new("", problem)
    }

    /// The place is inside `outer`, a field or `field[index]`.
    pub(crate) fn within(self, outer: impl fmt::Display) -> Self {
        let at = match self.at.as_bytes().first() {
            None => outer.to_string(),
            Some(b'[') => format!("{outer}{}", self.at),
            Some(_) => format!("{outer}.{}", self.at),
        };
        Self { at, ..self }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.problem) } else { write!(f, "{}: {}", self.at, self.problem) }
    }
}

impl std::error::Error for ModelError {}

/// A text in quotation marks, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}
