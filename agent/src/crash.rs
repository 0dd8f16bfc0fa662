//! Places where a test ends the agent as `kill -9` does, one between each two steps of a release.
//!
//! ```text
//! Decided -> Storing -> Stored -> Acted -> Replacing -> Replaced -> Asking -> ReadBack      forward
//! Decided -> Acted -> { Asking -> ReadBack | Replacing -> Replaced | Storing -> Stored }    back
//! ```
//!
//! The environment variable [`FILE`] names a file; its lines are places with what they are about: `Stored Switching`
//! ends the process there, `hold Replacing Back` stops that thread for good. Only builds with debug assertions look:
//! a release build has neither the variable nor the places, so that nobody can make a serving agent crash by its
//! environment. That is also why this is no cargo feature, which another crate of a build could switch on.

use std::fmt::Debug;

use teal_rollout::colour::Share;
use teal_rollout::policy::{Policy, Verdict};

/// The environment variable with the file's path.
pub const FILE: &str = "TEAL_CRASH_FILE";

/// A place between two steps. The first four are about a phase, the others about a [`Way`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The machine has decided; nobody knows.
    Decided,
    /// The store is about to write the document.
    Storing,
    /// The document is durable; the machine does not know.
    Stored,
    /// Every port has its orders.
    Acted,
    /// The new map file is complete beside the old one.
    Replacing,
    /// The map file is replaced; HAProxy was not told yet (forward).
    Replaced,
    /// HAProxy is about to be told.
    Asking,
    /// HAProxy has it and said so; nobody here knows. Set and read-back travel as one line, so nothing is between them.
    ReadBack,
}

impl Place {
    /// Those about a phase.
    pub const OF_PHASES: [Self; 4] = [Self::Decided, Self::Storing, Self::Stored, Self::Acted];
    /// Those about a way.
    pub const OF_WAYS: [Self; 4] = [Self::Replacing, Self::Replaced, Self::Asking, Self::ReadBack];
}

/// Where a policy leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A release that has no traffic yet.
    Prepare,
    /// Traffic to the candidate.
    Switch,
    /// The way back.
    Back,
}

impl From<&Policy> for Way {
    fn from(policy: &Policy) -> Self {
        match policy.epoch.verdict {
            Verdict::Bad => Self::Back,
            Verdict::Open if policy.routes.iter().any(|route| route.share > Share::NONE) => Self::Switch,
            Verdict::Open => Self::Prepare,
        }
    }
}

/// A line of the file.
#[must_use]
pub fn line(place: Place, about: impl Debug) -> String {
    format!("{place:?} {about:?}")
}

/// The process may end here.
#[cfg(debug_assertions)]
pub(crate) fn at(place: Place, about: impl Debug) {
    use rustix::process::{Signal, getpid, kill_process};

    let Some(file) = std::env::var_os(FILE) else { return };
    let here = line(place, about);
    // There is no file most of the time.
    let text = std::fs::read_to_string(file).unwrap_or_default();
    if text.lines().any(|line| line == here) {
        let _ = kill_process(getpid(), Signal::KILL);
    } else if !text.lines().any(|line| line.strip_prefix("hold ") == Some(&here)) {
        return;
    }
    loop {
        std::thread::park();
    }
}

/// Nothing ends here.
#[cfg(not(debug_assertions))]
#[inline]
pub(crate) fn at(_: Place, _: impl Debug) {}
