//! The desired state of one environment: the one document that every actor reconciles to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::cause::Cause;
use crate::colour::{Colour, Share};
use crate::policy::{Epoch, Policy, Route, Salt, Verdict};
use crate::retention::Kept;

/// Where a release stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing under way; everything goes to the stable colour.
    #[default]
    Idle,
    /// The candidate is being started; waiting until it is ready.
    Deploying,
    /// The smoke suite runs against the candidate.
    Smoke,
    /// A new share is stored and on its way to the edges.
    Switching,
    /// Every edge acknowledged the share; the candidate's requests are judged.
    Watching,
    /// The longest watch ended undecided and the policy says to ask a human.
    Held,
    /// Kept: the candidate serves, the old colour keeps its capacity as the way back.
    Retaining,
    /// BAD: the edges are being moved to the old colour, then the new one is drained and stopped.
    RollingBack,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

impl Phase {
    /// As it stands in a sentence: `watching`, `rolling back`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Deploying => "deploying",
            Self::Smoke => "smoke testing",
            Self::Switching => "switching",
            Self::Watching => "watching",
            Self::Held => "held",
            Self::Retaining => "retaining",
            Self::RollingBack => "rolling back",
        }
    }

    /// Whether a release is under way, so that another one has to wait.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        !matches!(self, Self::Idle | Self::Retaining)
    }
}

/// How a release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Watched and not found worse than what was before.
    Completed,
    /// Kept on the new colour without proof.
    Kept,
    /// Traffic was taken back.
    RolledBack,
    /// Ended before any traffic moved.
    Aborted,
}

/// A colour of a component and what runs on it; `version` is `None` when nothing does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The colour.
    pub colour: Colour,
    /// The version deployed there.
    pub version: Option<String>,
}

/// One component's part of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// The proven colour, the target of a rollback.
    pub stable: Slot,
    /// The colour under release; the same as `stable` when the component takes no part.
    pub candidate: Slot,
    /// The candidate's share of the traffic.
    pub share: Share,
}

impl Component {
    /// Whether this release changes the component.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.stable.colour != self.candidate.colour
    }

    /// What is meant to run on `colour`.
    #[must_use]
    pub fn version_on(&self, colour: Colour) -> Option<&String> {
        [&self.stable, &self.candidate].into_iter().find(|s| s.colour == colour)?.version.as_ref()
    }

    /// The slot that gets most of the traffic.
    #[must_use]
    pub fn active(&self) -> &Slot {
        if self.share >= Share::percent(50) { &self.candidate } else { &self.stable }
    }

    /// As the edge is told.
    #[must_use]
    pub fn route(&self) -> Route {
        Route { stable: self.stable.colour, candidate: self.candidate.colour, share: self.share }
    }
}

/// A pause set by a human: nothing moves forward, nothing set by hand is put back; a bad release still rolls back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who.
    pub by: String,
}

/// The desired state of one environment, written with compare-and-swap on `revision`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Counts writes.
    pub revision: u64,
    /// (release, verdict, step).
    pub epoch: Epoch,
    /// Where the release stands.
    pub phase: Phase,
    /// The share of the release; a component in an emergency may differ.
    pub share: Share,
    /// In name order, one for each configured component.
    pub components: Vec<Component>,
    /// Salt of the canary buckets of this release.
    pub salt: Salt,
    /// The edges that take part, fixed at the start of the release.
    pub edges: Vec<String>,
    /// Who asked for the release.
    pub by: String,
    /// How the release ended, once it has.
    pub outcome: Option<Outcome>,
    /// Why it was called bad, once it was.
    pub cause: Option<Cause>,
    /// Components served from a colour that should not serve, because the right one has nothing ready.
    pub emergency: Vec<String>,
    /// Whether an emergency was entered in this release; it is entered at most once.
    pub emergency_spent: bool,
    /// A human's pause.
    pub paused: Option<Pause>,
    /// How the old colour is kept, once it was given fewer instances than it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// How long a colour took to become ready when it was last started or scaled up, in milliseconds, by `COMPONENT-COLOUR`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ready_in: BTreeMap<String, u64>,
}

impl Document {
    /// An environment nobody has released to: no version anywhere, traffic to blue.
    #[must_use]
    pub fn new(components: impl IntoIterator<Item = String>, salt: Salt, edges: Vec<String>) -> Self {
        let slot = || Slot { colour: Colour::Blue, version: None };
        Self {
            revision: 0,
            epoch: Epoch::default(),
            phase: Phase::Idle,
            share: Share::NONE,
            components: components
                .into_iter()
                .map(|name| Component { name, stable: slot(), candidate: slot(), share: Share::NONE })
                .collect(),
            salt,
            edges,
            by: String::new(),
            outcome: None,
            cause: None,
            emergency: Vec::new(),
            emergency_spent: false,
            paused: None,
            kept: None,
            ready_in: BTreeMap::new(),
        }
    }

    /// What the edges are to route by.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            epoch: self.epoch,
            routes: self.components.iter().map(Component::route).collect(),
            salt: self.salt.clone(),
            dead_man: 0,
        }
    }

    /// Whether this release was called bad.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.epoch.verdict == Verdict::Bad
    }

    /// Whether any traffic goes to a candidate.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.components.iter().any(|c| c.takes_part() && c.share > Share::NONE)
    }
}

/// What the machine knows beyond the document and would rather not lose in a crash; saved about once a second.
///
/// Durations instead of instants: time that nobody watched does not count towards a watch or a retention.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The epoch it belongs to; a checkpoint of another release is ignored.
    pub epoch: Epoch,
    /// The phase that `elapsed` counts: two phases of a release can share an epoch.
    #[serde(default)]
    pub phase: Phase,
    /// How long the current phase has counted so far.
    pub elapsed: Duration,
    /// How long the candidate has been judged, over all its shares.
    pub exposure: Duration,
    /// The evidence so far, one entry a component.
    pub evidence: Vec<crate::statistics::Evidence>,
    /// What the probes have shown so far, one entry a component; `None` where there are none.
    #[serde(default)]
    pub samples: Vec<Option<crate::statistics::Samples>>,
}
