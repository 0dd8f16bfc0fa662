//! What the demo asks of the agent.

use std::fmt;

use teal_rollout::colour::Colour;
use teal_rollout::document::{Outcome, Phase};

use crate::api::Status;

/// A release as the agent shows it at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// All that it says.
    pub status: Status,
    /// Where it stands.
    pub phase: Phase,
    /// The colour under release.
    pub candidate: Colour,
    /// The version that is gone back to; `None` for the first.
    pub from: Option<String>,
    /// Natural logarithm of M and of the threshold it is measured against, once there is evidence.
    pub log_m: Option<(f64, f64)>,
    /// The error rate in percent that would have been noticed with 95 % probability.
    pub exclude_above_percent: Option<f64>,
    /// Requests of the candidate that the agent had seen at its last decision, where it tells.
    pub judged: Option<u64>,
    /// How it ended, once it has, and why.
    pub ended: Option<(Outcome, Option<String>)>,
}

/// The agent did not do or say what was asked of it; the text says why and what helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// From any other error.
    #[must_use]
    pub fn because(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The agent's operator interface, as much as the demo needs of it. The environment is [`super::ENVIRONMENT`].
#[expect(async_fn_in_trait, reason = "used on one thread, without dyn")]
pub trait Operator {
    /// Fails while the agent does not answer yet.
    async fn ready(&self) -> Result<(), Refused>;
    /// Orders a release of `version` and returns its number.
    async fn release(&self, version: &str) -> Result<u64, Refused>;
    /// Shows the release with this number.
    async fn look(&self, release: u64) -> Result<Look, Refused>;
    /// Ends the watch of the present release as kept.
    async fn promote(&self) -> Result<(), Refused>;
}
