//! What controllers, scheduler and nodes do in a cluster, when the test says so and not before.
//!
//! ```text
//! step: Deployment -> ReplicaSet -> Pods -> node, by their fate -> status of each, EndpointSlices, budgets
//! settle: steps until nothing changes any more
//! ```
//! It speaks to the API server as a client, so it serves a real one that has no controllers as well (without container logs).

mod deployment;
mod garbage;
mod pod;
mod replica_set;
mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, EvictParams, ListParams, Patch, PatchParams};
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ApiServer;

/// What becomes of the Pods of a Deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fate {
    /// They run and are ready.
    #[default]
    Ready,
    /// They are on a node and start, without an end.
    Starting,
    /// Their image cannot be pulled.
    ImagePull,
    /// They end over and over, after so many restarts, with these last words.
    CrashLoop {
        /// Restarts so far.
        restarts: i32,
        /// What the container wrote before it ended.
        log: String,
    },
    /// They run, and the readiness probe fails with this answer.
    ProbeFails(String),
    /// No node takes them, for this reason.
    Unschedulable(String),
    /// The namespace's quota refuses them, in these words.
    Quota(String),
}

impl Fate {
    /// Whether it befalls Pods whose containers run already.
    fn strikes_what_runs(&self) -> bool {
        matches!(self, Self::Ready | Self::CrashLoop { .. } | Self::ProbeFails(_))
    }
}

/// One namespace's controllers. Every method panics with the reason when the API server refuses it.
pub struct World<'a> {
    client: Client,
    namespace: String,
    server: Option<&'a ApiServer>,
    fates: BTreeMap<String, Fate>,
    overdue: BTreeSet<String>,
    nodes: Vec<String>,
    addresses: u8,
}

impl Debug for World<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("namespace", &self.namespace).field("fates", &self.fates).finish_non_exhaustive()
    }
}

impl<'a> World<'a> {
    /// That of a namespace of the fake, with two nodes, `node-1` and `node-2`.
    #[must_use]
    pub fn of(server: &'a ApiServer, namespace: &str) -> Self {
        Self { server: Some(server), ..Self::with(server.client_as_controllers(), namespace) }
    }

    /// That of a namespace of any API server; `client` must be allowed to do everything in it.
    #[must_use]
    pub fn with(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            server: None,
            fates: BTreeMap::new(),
            overdue: BTreeSet::new(),
            nodes: vec!["node-1".to_owned(), "node-2".to_owned()],
            addresses: 0,
        }
    }

    /// What becomes of the Pods of `deployment`'s newest template from the next step on, those that are there included.
    /// Those of older templates stay as they are.
    pub fn fate(&mut self, deployment: &str, fate: Fate) -> &mut Self {
        self.fates.insert(deployment.to_owned(), fate);
        self
    }

    /// The progress deadline of `deployment` has passed, unless the next step finds it complete.
    pub fn deadline_passes(&mut self, deployment: &str) -> &mut Self {
        self.overdue.insert(deployment.to_owned());
        self
    }

    /// Lets every controller act once, in their order. Whether anything changed.
    pub async fn step(&mut self) -> bool {
        let mut changed = self.deployments().await;
        changed |= self.replica_sets().await;
        changed |= self.pods().await;
        changed |= self.replica_set_status().await;
        changed |= self.deployment_status().await;
        changed |= self.endpoints().await;
        changed | self.budgets().await
    }

    /// Steps until nothing changes.
    ///
    /// # Panics
    /// When that takes more than 100 steps.
    pub async fn settle(&mut self) {
        for _ in 0..100 {
            if !self.step().await {
                return;
            }
        }
        panic!("the world of {} does not come to rest", self.namespace);
    }

    /// Evicts every Pod of `node`, as a drain does; a budget may refuse some. The names of those that stayed.
    pub async fn drain(&mut self, node: &str) -> Vec<String> {
        self.nodes.retain(|other| other != node);
        let pods = self.list::<Pod>(&format!("spec.nodeName={node}")).await;
        let mut stayed = Vec::new();
        for pod in pods {
            match self.api::<Pod>().evict(&pod.name_any(), &EvictParams::default()).await {
                Ok(_) => {}
                // A budget holds it.
                Err(kube::Error::Api(status)) if status.code == 429 => stayed.push(pod.name_any()),
                Err(error) => panic!("cannot evict Pod {}: {error}", pod.name_any()),
            }
        }
        stayed
    }

    fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn list<K>(&self, fields: &str) -> Vec<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let all = self.api::<K>().list(&ListParams::default().fields(fields)).await;
        all.unwrap_or_else(|error| panic!("cannot list {}: {error}", K::plural(&()))).items
    }

    /// Sets the status; whether it was another.
    async fn set_status<K>(&self, object: &K, status: Value) -> bool
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let patch = Patch::Merge(json!({"status": status}));
        self.patched(object, self.api::<K>().patch_status(&object.name_any(), &params(), &patch).await)
    }

    /// Sets some fields; whether they were others.
    async fn set<K>(&self, object: &K, fields: Value) -> bool
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let patch = Patch::Merge(fields);
        self.patched(object, self.api::<K>().patch(&object.name_any(), &params(), &patch).await)
    }

    fn patched<K: Resource<DynamicType = ()>>(&self, object: &K, result: kube::Result<K>) -> bool {
        match result {
            Ok(after) => after.meta().resource_version != object.meta().resource_version,
            Err(error) => {
                panic!("cannot write {} {}/{}: {error}", K::kind(&()), self.namespace, object.name_any())
            }
        }
    }
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some("kube-controller-manager".to_owned()), ..PatchParams::default() }
}

/// Whether `object` is controlled by that of this uid.
fn is_of(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let owners = object.owner_references.iter().flatten();
    owner.uid.as_ref().is_some_and(|uid| owners.into_iter().any(|it| it.controller == Some(true) && it.uid == *uid))
}

/// A condition whose time moves only with its status; `old` is the list before.
fn condition(old: &[Value], kind: &str, is: bool, reason: &str, message: &str, now: &str) -> Value {
    let status = if is { "True" } else { "False" };
    let before = old.iter().find(|condition| condition["type"] == kind);
    let same = before.filter(|condition| condition["status"] == status);
    let since = same.map_or_else(|| json!(now), |condition| condition["lastTransitionTime"].clone());
    let mut condition = json!({"type": kind, "status": status, "lastTransitionTime": since});
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition[field] = json!(text);
        }
    }
    condition
}

/// The conditions of any object's status.
fn conditions(status: &impl serde::Serialize) -> Vec<Value> {
    let status = serde_json::to_value(status).unwrap_or_default();
    super::value::list(&status["conditions"]).to_vec()
}

fn now() -> String {
    super::clock::Clock::default().now()
}
