//! The desired state of the environment as the resource holds it, and how it is read and written.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{self, Cause, Document, Outcome, Pause, Phase};
use teal_rollout::policy::{Epoch, Salt, Verdict};

use super::kept::Kept;
use super::schema;

/// [`Document`] with names as Kubernetes writes them. The rules are invariants that no writer can break, however old it is.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("self.release >= oldSelf.release").message("a release number never goes down"),
    validation = Rule::new("self.release != oldSelf.release || oldSelf.verdict != 'bad' || self.verdict == 'bad'")
        .message("bad never becomes good: release again"),
    validation = Rule::new(
        "self.release != oldSelf.release || self.verdict != oldSelf.verdict || self.step >= oldSelf.step",
    )
    .message("a step never goes down within a release"),
    validation = Rule::new(
        "self.release != oldSelf.release || oldSelf.phase in ['idle', 'retaining'] || self.edges == oldSelf.edges",
    )
    .message("the edges are fixed while a release is under way"),
    validation = Rule::new("self.revision > oldSelf.revision || self == oldSelf")
        .message("every write counts the revision up"),
)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Counts writes.
    #[schemars(schema_with = "schema::count")]
    pub revision: u64,
    /// 0 before the first.
    #[schemars(schema_with = "schema::release")]
    pub release: u64,
    /// Counts changes of share within the release.
    #[schemars(schema_with = "schema::step")]
    pub step: u32,
    /// Open or bad.
    #[schemars(schema_with = "schema::verdict")]
    pub verdict: Verdict,
    /// Where the release stands.
    #[schemars(schema_with = "schema::phase")]
    pub phase: Phase,
    /// The candidate's share in thousandths of a percent.
    #[schemars(schema_with = "schema::share")]
    pub share: Share,
    /// One for each component, by name.
    #[schemars(schema_with = "schema::components")]
    pub components: Vec<Component>,
    /// Salt of the canary's buckets.
    #[schemars(schema_with = "schema::salt")]
    pub salt: Salt,
    /// The edges that take part.
    #[schemars(schema_with = "schema::names")]
    pub edges: Vec<String>,
    /// Who asked for the release.
    #[schemars(length(max = schema::BY))]
    pub by: String,
    /// How the release ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::outcome")]
    pub outcome: Option<Outcome>,
    /// Why it was called bad, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::cause")]
    pub cause: Option<Cause>,
    /// Components served from a colour that should not serve.
    #[serde(default)]
    #[schemars(schema_with = "schema::names")]
    pub emergency: Vec<String>,
    /// Whether an emergency was entered in this release.
    #[serde(default)]
    pub emergency_spent: bool,
    /// Who paused the environment, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = schema::BY))]
    pub paused_by: Option<String>,
    /// How the old colour is kept, once it was given fewer instances than it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// How long a colour took to become ready when it was last started or scaled up, in milliseconds, by `COMPONENT-COLOUR`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::ready_in")]
    pub ready_in: BTreeMap<String, u64>,
}

/// One component's part of the release.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("self.stable.colour != self.candidate.colour || self.share == 0")
        .message("a component that takes no part has no share"),
)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// Its name.
    #[schemars(schema_with = "schema::component")]
    pub name: String,
    /// The proven colour, the target of a rollback.
    pub stable: Slot,
    /// The colour under release; that of `stable` when the component takes no part.
    pub candidate: Slot,
    /// The candidate's share in thousandths of a percent.
    #[schemars(schema_with = "schema::share")]
    pub share: Share,
}

/// A colour and what runs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// Blue or green.
    #[schemars(schema_with = "schema::colour")]
    pub colour: Colour,
    /// None when nothing runs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::version")]
    pub version: Option<String>,
}

/// What people and platforms wrote is cut to what the server takes: it must never be a text that keeps BAD from being written.
impl From<&Document> for State {
    fn from(document: &Document) -> Self {
        let slot = |slot: &document::Slot| Slot { colour: slot.colour, version: slot.version.clone() };
        let component = |component: &document::Component| Component {
            name: component.name.clone(),
            stable: slot(&component.stable),
            candidate: slot(&component.candidate),
            share: component.share,
        };
        Self {
            revision: document.revision,
            release: document.epoch.release,
            step: document.epoch.step,
            verdict: document.epoch.verdict,
            phase: document.phase,
            share: document.share,
            components: document.components.iter().map(component).collect(),
            salt: document.salt.clone(),
            edges: document.edges.clone(),
            by: clipped(&document.by, schema::BY),
            outcome: document.outcome,
            cause: document.cause.clone().map(short),
            emergency: document.emergency.clone(),
            emergency_spent: document.emergency_spent,
            paused_by: document.paused.as_ref().map(|pause| clipped(&pause.by, schema::BY)),
            kept: document.kept.as_ref().map(Kept::from),
            ready_in: document.ready_in.clone(),
        }
    }
}

/// The first `max` characters, which is what the server counts.
fn clipped(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

pub(super) fn short(cause: Cause) -> Cause {
    match cause {
        Cause::NotReady { reason } => Cause::NotReady { reason: clipped(&reason, schema::REASON) },
        Cause::Smoke { reason } => Cause::Smoke { reason: clipped(&reason, schema::REASON) },
        Cause::Order { by } => Cause::Order { by: clipped(&by, schema::BY) },
        Cause::Errors { .. }
        | Cause::Latency { .. }
        | Cause::Gone { .. }
        | Cause::CrashLoop { .. }
        | Cause::EdgeSilent
        | Cause::Manual
        | Cause::Unproven
        | Cause::Learned => cause,
    }
}

impl From<State> for Document {
    fn from(state: State) -> Self {
        let slot = |slot: Slot| document::Slot { colour: slot.colour, version: slot.version };
        let component = |component: Component| document::Component {
            name: component.name,
            stable: slot(component.stable),
            candidate: slot(component.candidate),
            share: component.share,
        };
        Self {
            revision: state.revision,
            epoch: Epoch { release: state.release, verdict: state.verdict, step: state.step },
            phase: state.phase,
            share: state.share,
            components: state.components.into_iter().map(component).collect(),
            salt: state.salt,
            edges: state.edges,
            by: state.by,
            outcome: state.outcome,
            cause: state.cause,
            emergency: state.emergency,
            emergency_spent: state.emergency_spent,
            paused: state.paused_by.map(|by| Pause { by }),
            kept: state.kept.map(Into::into),
            ready_in: state.ready_in,
        }
    }
}
