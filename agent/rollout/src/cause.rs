//! Why a release is taken back.

use serde::{Deserialize, Serialize};

/// Why a release was called bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The error-rate process of this component passed its threshold and the old colour did better.
    Errors {
        /// Which component.
        component: String,
    },
    /// It is slower than what was tolerated, by its requests.
    Latency {
        /// Which component.
        component: String,
    },
    /// A hard fact: nothing of the new colour is ready any more.
    Gone {
        /// Which component.
        component: String,
    },
    /// A hard fact: a majority of the new colour's instances restart over and over.
    CrashLoop {
        /// Which component.
        component: String,
    },
    /// The new colour did not become ready in time, with the platform's own reason.
    NotReady {
        /// Which component and why.
        reason: String,
    },
    /// The smoke suite failed.
    Smoke {
        /// The first failed check.
        reason: String,
    },
    /// An edge did not acknowledge the switch in time.
    EdgeSilent,
    /// A human's order, with who.
    Order {
        /// Who gave it.
        by: String,
    },
    /// A human moved the edge's map by hand to the last good colour.
    Manual,
    /// Not proven at the end of the longest watch, and the policy says to take it back.
    Unproven,
    /// Another actor called it bad (its map or file says so).
    Learned,
}

impl Cause {
    /// The component it speaks of, if it is one.
    #[must_use]
    pub fn component(&self) -> Option<&str> {
        match self {
            Self::Errors { component }
            | Self::Latency { component }
            | Self::Gone { component }
            | Self::CrashLoop { component } => Some(component),
            Self::NotReady { .. }
            | Self::Smoke { .. }
            | Self::EdgeSilent
            | Self::Order { .. }
            | Self::Manual
            | Self::Unproven
            | Self::Learned => None,
        }
    }
}
