//! Whose hand is behind what an edge routes by: `edge force` says it beside its move, so that an agent that sees the move knows
//! who and why.
//!
//! ```text
//! HAProxy:  MAP.hand, written before the map            Services: an annotation, written with the policy
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use teal_rollout::policy::Policy;

use super::haproxy;
use super::selector::SelectorMonitor;

/// The last move by `edge force`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// The policy it wrote, or was about to.
    to: String,
    /// Who: `user@host`.
    pub by: String,
    /// Why, in their words.
    pub reason: String,
}

impl Hand {
    pub(super) fn new(to: &Policy, by: &str, reason: &str) -> Self {
        Self { to: to.to_string(), by: by.to_owned(), reason: reason.to_owned() }
    }

    /// Whether `policy` is the one that was forced.
    #[must_use]
    pub fn wrote(&self, policy: &Policy) -> bool {
        self.to == policy.to_string()
    }
}

/// Where an edge's hands are noted.
#[derive(Clone, Debug)]
pub enum Hands {
    /// Beside this map.
    Map(PathBuf),
    /// On the Services.
    Services(SelectorMonitor),
}

impl Hands {
    /// Who moved the edge to `running`; `None` where that was not `edge force`, or cannot be read.
    #[must_use]
    pub fn behind(&self, running: &Policy) -> Option<Hand> {
        match self {
            Self::Map(map) => haproxy::hand::behind(map, running),
            Self::Services(monitor) => monitor.behind(running),
        }
    }
}
