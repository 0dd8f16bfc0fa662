//! What an agent on a node tells the agents of the edges: how the Pods of its node are, in counts.
//!
//! `POST /api/v1/environments/{env}/observations`, with a token of role `observer`; 204 when it was taken. Each tells everything that is
//! known now, so that one that is lost or comes twice does no harm. Fields are added and never renamed; unknown ones are ignored.

use serde::{Deserialize, Serialize};
use teal_rollout::colour::Colour;

/// One telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Who tells.
    pub observer: String,
    /// Which run of it: 32 hexadecimal digits, others after each start.
    pub boot: String,
    /// The number of the telling in this run, rising.
    pub sequence: u64,
    /// Whose Pods.
    pub node: String,
    /// All Pods of the environment there; `None` while they are not known, which is not the same as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<PodGroup>>,
}

/// Pods of one template: those of one colour of one component that run the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodGroup {
    /// The component's Service, which its Deployments are named after.
    pub workload: String,
    /// Which colour.
    pub colour: Colour,
    /// What runs, a digest for each container: see `cluster::nodes::marks`.
    pub templates: Vec<String>,
    /// How many there are; those that are being deleted do not count.
    pub pods: u32,
    /// How many take traffic.
    pub ready: u32,
    /// How many restart over and over.
    pub crash_looping: u32,
    /// Restarts of all their containers.
    pub restarts: u32,
    /// Why the first that is not ready is not, in Kubernetes' own word (`ImagePullBackOff`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How a container of one that is not ready ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}
