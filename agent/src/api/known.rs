//! A word that this version may not know yet.

use std::fmt;

use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::settings::Mode;

/// A known word, or one of a neighbouring version as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Known<T> {
    /// A word of this version.
    Known(T),
    /// Any other.
    Other(String),
}

impl<T> Known<T> {
    /// The word, if it is one of this version.
    #[must_use]
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }

    /// Whether it is this word.
    #[must_use]
    pub fn is(&self, word: &T) -> bool
    where
        T: PartialEq,
    {
        self.known() == Some(word)
    }
}

impl<T> From<T> for Known<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Default> Default for Known<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Words> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => f.pad(word.words()),
            Self::Other(word) => f.pad(&word.replace('_', " ")),
        }
    }
}

/// How a word is shown to people.
pub trait Words {
    /// Lower case, with spaces.
    fn words(&self) -> &'static str;
}

impl Words for Phase {
    fn words(&self) -> &'static str {
        Self::words(*self)
    }
}

impl Words for Outcome {
    fn words(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Kept => "kept, not proven",
            Self::RolledBack => "rolled back",
            Self::Aborted => "aborted",
        }
    }
}

impl Words for Mode {
    fn words(&self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Advise => "advise",
            Self::Act => "act",
        }
    }
}

impl Words for Colour {
    fn words(&self) -> &'static str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_newer_version_is_kept_as_it_came() {
        let phase: Known<Phase> = serde_json::from_str("\"load_testing\"").unwrap();
        assert_eq!((phase.to_string().as_str(), phase.known()), ("load testing", None));
        assert_eq!(serde_json::to_string(&phase).unwrap(), "\"load_testing\"");
        let phase: Known<Phase> = serde_json::from_str("\"rolling_back\"").unwrap();
        assert!(phase.is(&Phase::RollingBack));
    }
}
