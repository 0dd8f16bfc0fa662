//! What is released where.

use teal_rollout::colour::Colour;

/// One environment's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Where.
    pub namespace: String,
    /// In the order of their names; the index is the component's id.
    pub components: Vec<KubernetesComponent>,
    /// Whether Services follow the edge; not where they are the edge themselves.
    pub selects: bool,
}

/// A pair of Deployments and their Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesComponent {
    /// The Service, and the Deployments without `-blue`, `-green`.
    pub workload: String,
    /// The container whose image is the version; not needed where a Pod has one.
    pub container: Option<String>,
    /// Pods a colour; as many as the other colour has, where none are named.
    pub replicas: Option<u32>,
    /// Keep copies of Secrets as of ConfigMaps.
    pub secrets: bool,
}

impl KubernetesComponent {
    /// The name of a colour's Deployment.
    #[must_use]
    pub fn deployment(&self, colour: Colour) -> String {
        format!("{}-{colour}", self.workload)
    }
}

/// The release that ordered what an object says; no older one may change it.
pub(super) const RELEASE: &str = "teal.trancloud.work/release";
/// The version that was ordered.
pub(super) const VERSION: &str = "teal.trancloud.work/version";
/// How many Pods a colour had when it was full.
pub(super) const REPLICAS: &str = "teal.trancloud.work/replicas";
/// How a colour is kept as the way back: `RELEASE.ORDER:INSTANCES`, or `full`; no older order may change it.
pub(super) const KEPT: &str = "teal.trancloud.work/kept";
/// An autoscaler's own greatest number, while it is held at another.
pub(super) const MOST: &str = "teal.trancloud.work/max-replicas";
/// Which copy of its configuration a Pod runs with: their hash.
pub(super) use crate::cluster::nodes::CONFIG;
/// What the copies were made of: `{"COPY": "ORIGINAL"}`.
pub(super) const ORIGINALS: &str = "teal.trancloud.work/originals";
/// An autoscaler's own least number, while it is held at another.
pub(super) const LEAST: &str = "teal.trancloud.work/min-replicas";
/// Whose copy an object is: the Deployment's name.
pub(super) const COPY_OF: &str = "teal.trancloud.work/copy-for";
/// Who writes, for the owners of fields.
pub(super) const MANAGER: &str = "teal";
