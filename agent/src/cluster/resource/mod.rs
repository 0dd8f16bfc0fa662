//! The custom resource `BlueGreen` (`bg`): one environment of an application on Kubernetes.
//!
//! ```text
//! teal deploy --intent--> spec.intent        read by the leader, by its id once
//! leader ----state-----> spec.state         compare-and-swap; the server refuses a step back (validation rules)
//! agents ---- seen -----> status             one entry an edge, conditions, a line for `kubectl get bg`
//! ```
//! `manifests/base/crd.yaml` is generated from these types; a test keeps the two alike.

#![expect(clippy::duplicated_attributes, reason = "every printer column has a type")]
#![expect(unreachable_pub, reason = "the derive of KubeSchema repeats each struct inside of a function")]

mod kept;
mod schema;
mod state;
mod status;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use teal_rollout::settings::Mode;

pub use kept::{Full, Kept};
pub use state::{Component, Slot, State};
pub use status::{BlueGreenStatus, Condition, Evidence, Heard, SeenByEdge, colour_name};

/// What is wanted: the last order of a person, and the state that the leader made of it.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "teal.trancloud.work",
    version = "v1alpha1",
    kind = "BlueGreen",
    plural = "bluegreens",
    singular = "bluegreen",
    shortname = "bg",
    category = "teal",
    namespaced,
    derive = "PartialEq",
    derive = "Default",
    status = "BlueGreenStatus",
    doc = "One environment of an application that Teal releases blue-green.",
    printcolumn(name = "Release", type_ = "integer", json_path = ".spec.state.release"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".spec.state.phase"),
    printcolumn(name = "Verdict", type_ = "string", json_path = ".spec.state.verdict"),
    printcolumn(name = "Serving", type_ = "string", json_path = ".status.serving"),
    printcolumn(
        name = "Way back",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"RollbackSafe\")].status"
    ),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("!has(oldSelf.state) || has(self.state)").message("the state cannot be removed"),
    validation = Rule::new("!has(oldSelf.intent) || has(self.intent)")
        .message("an order stays until the next one: without it its id would be forgotten"),
)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenSpec {
    /// How far Teal's hand reaches here.
    #[serde(default)]
    #[schemars(schema_with = "schema::mode")]
    pub mode: Mode,
    /// What somebody asked for last. Agents carry each id out once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::intent")]
    pub intent: Option<Intent>,
    /// The desired state that every actor reconciles to; written by the leader alone, by compare-and-swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::state")]
    pub state: Option<State>,
}

/// An order of a person or a pipeline.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[x_kube(
    validation = Rule::new("(self.order == 'deploy') == (has(self.versions) && size(self.versions) > 0)")
        .message("a deploy names versions, and nothing else does"),
    validation = Rule::new("self.id != oldSelf.id || self == oldSelf").message("another order needs another id"),
)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Chosen by who orders; the same id is the same order.
    #[schemars(schema_with = "schema::id")]
    pub id: String,
    /// What is to be done.
    pub order: Wish,
    /// The version for each component that takes part in a deploy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::versions")]
    pub versions: BTreeMap<String, String>,
    /// Who orders it.
    #[schemars(length(min = 1, max = schema::BY))]
    pub by: String,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub reason: String,
}

/// What can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// Release the versions named.
    Deploy,
    /// Take traffic back to the colour before.
    Rollback,
    /// Call the release proven.
    Promote,
    /// Stop a release that has moved no traffic.
    Abort,
    /// Move nothing forward.
    Pause,
    /// Go on after a pause.
    Resume,
}
