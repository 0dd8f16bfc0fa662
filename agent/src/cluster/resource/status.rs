//! What has come of it, for people and for other agents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;
use teal_rollout::policy::Verdict;

use super::schema;

/// What agents see. Each owns its own entries, by server-side apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What serves, in a line: `api blue v1.2.2, web blue v1.2.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub serving: Option<String>,
    /// What is going on and what comes next, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// When the current phase ends at the latest, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub deadline: Option<String>,
    /// The id of the intent that was carried out or refused last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub intent: Option<String>,
    /// The order that is being carried out or was last, and what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Heard>,
    /// What each edge routes by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::seen")]
    pub edges: Vec<SeenByEdge>,
    /// What each colour has shown in this release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::evidence")]
    pub evidence: Vec<Evidence>,
    /// `Ready`, `RollbackSafe`, `ReloadSafe`, `Progressing`, `Paused`, `Emergency`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}

/// The triple that an edge acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeenByEdge {
    /// The edge's name.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The release.
    #[schemars(schema_with = "schema::release")]
    pub release: u64,
    /// Within the release.
    #[schemars(schema_with = "schema::step")]
    pub step: u32,
    /// As it stands there.
    #[schemars(schema_with = "schema::verdict")]
    pub verdict: Verdict,
    /// Whether it would come back from a restart as it runs.
    #[serde(default)]
    pub saved: bool,
    /// Whether it sees the requests that it routes.
    #[serde(default)]
    pub watched: bool,
    /// The colours that have a server which passes this edge's own checks, as `api-green`: nothing moves before all edges see one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::colours")]
    pub up: Vec<String>,
    /// The colours that get no new requests and still have some in flight: they are not stopped yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::colours")]
    pub draining: Vec<String>,
    /// Rises every other second while a release is under way: a sign of life of its agent.
    #[serde(default)]
    #[schemars(schema_with = "schema::count")]
    pub beat: u64,
}

/// What a colour of a component is called there: `api-green`.
#[must_use]
pub fn colour_name(component: &str, colour: Colour) -> String {
    format!("{component}-{colour}")
}

/// What became of an order. It is written before the order is given, and again with the answer: an agent that finds one
/// without an answer sees by the state whether it was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// Of the intent.
    #[schemars(schema_with = "schema::id")]
    pub id: String,
    /// The agent that took it up.
    #[schemars(length(max = 128))]
    pub agent: String,
    /// The release when it was taken up.
    #[schemars(schema_with = "schema::release")]
    pub release: u64,
    /// Whether it was carried out; absent while nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<bool>,
    /// The release that it is about, or why it was refused.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// What `teal` exits with when the order was refused; absent where the agent that refused it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::exit")]
    pub exit: Option<u8>,
}

/// Counts of one colour of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Its name.
    #[schemars(schema_with = "schema::component")]
    pub component: String,
    /// Which colour.
    #[schemars(schema_with = "schema::colour")]
    pub colour: Colour,
    /// Requests judged.
    #[schemars(schema_with = "schema::count")]
    pub requests: u64,
    /// Bad ones among them.
    #[schemars(schema_with = "schema::count")]
    pub bad: u64,
}

/// A condition in the usual form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `RollbackSafe`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(regex(pattern = "^(True|False|Unknown)$"))]
    pub status: String,
    /// One word.
    #[schemars(length(min = 1, max = 128))]
    pub reason: String,
    /// A sentence.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// When `status` changed last, as RFC 3339.
    #[schemars(length(max = 64))]
    pub last_transition_time: String,
    /// The generation that it was seen at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}
