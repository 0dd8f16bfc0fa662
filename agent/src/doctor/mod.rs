//! What would make a night bad, found by day.
//!
//! ```text
//! configuration, files, /proc, HAProxy, agent --gather (bounded)--> Facts --judge (pure)--> Finding, Finding, ...
//! ```
//! Nothing is ever changed, and nothing is waited for longer than a few seconds: what could not be seen is a finding of its own.

mod facts;
mod gather;
mod judge;

pub use facts::{
    Agent, Certificate, Clock, Facts, Kind, Node, OpenFiles, Processes, Program, Proxy, Running, Secret, Space, Stray,
    User,
};
pub use gather::gather;
pub use judge::judge;

use serde::Serialize;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Fine,
    /// Worth knowing, or not to be told from here.
    Note,
    /// It would hurt.
    Hurts,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or three.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was seen, with its value.
    pub seen: String,
    /// The command or the line of a file that mends it; empty where there is nothing to mend.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mend: Vec<String>,
}

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn fine(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, level: Level::Fine, seen: seen.into(), mend: Vec::new() }
    }

    /// Worth knowing.
    #[must_use]
    pub fn note(check: &'static str, seen: impl Into<String>) -> Self {
        Self { level: Level::Note, ..Self::fine(check, seen) }
    }

    /// It would hurt; `mend` is what to type.
    #[must_use]
    pub fn hurts(check: &'static str, seen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Hurts, ..Self::fine(check, seen) }.mend(mend)
    }

    /// With one more thing to type.
    #[must_use]
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend.push(mend.into());
        self
    }
}
