//! Releases of the past, and why their decisions fell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use teal_rollout::document::Outcome;

use super::{Evidence, Known, Record, ReleaseId, Timeline};

/// Version by component.
pub type Versions = BTreeMap<String, String>;

/// One release in the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// The environment.
    pub environment: String,
    /// What ran before, of the components that took part.
    pub from: Versions,
    /// What was released.
    pub to: Versions,
    /// Who asked for it.
    pub by: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended; `None` while it runs.
    pub ended: Option<String>,
    /// How.
    pub outcome: Option<Known<Outcome>>,
    /// Why it was called bad, in words.
    pub cause: Option<String>,
}

/// Why each decision of a release fell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Explanation {
    /// The release.
    pub release: Release,
    /// Everything that was recorded, in order.
    pub events: Vec<Record>,
    /// The evidence as it stood at the last decision, one a component that took part.
    pub judgements: Vec<Judgement>,
    /// The evidence over time; `None` before the switch, and for releases of long ago.
    pub timeline: Option<Timeline>,
}

/// The evidence about one component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judgement {
    /// Which component.
    pub component: String,
    /// Requests of the new colour.
    pub requests: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// What they were judged by.
    pub evidence: Evidence,
    /// Bad requests set aside because the old colour failed too.
    pub set_aside: u64,
    /// All requests set aside with them.
    pub set_aside_requests: u64,
}
