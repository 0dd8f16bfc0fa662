//! What resources there are: the built in ones as a table, custom ones from their definitions.

use std::sync::Arc;

use serde_json::Value;

use super::value::{list, text};

/// One resource, and what the server does with it beyond keeping it.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) short: Vec<String>,
    /// What [`Trait`]s it has.
    traits: Vec<Trait>,
    /// The OpenAPI schema of a custom resource.
    pub(super) schema: Option<Arc<Value>>,
}

/// How kinds differ in the real server's registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trait {
    /// Lives in a namespace.
    Namespaced,
    /// Has `/status`, and writes elsewhere leave the status alone.
    Status,
    /// Has `/scale`.
    Scale,
    /// `metadata.generation` counts changes of the spec.
    Generation,
    /// A replace may leave out the resourceVersion.
    Unconditional,
    /// A replace of what is not there creates it.
    CreateOnUpdate,
    /// A delete answers with the object instead of a Status.
    ReturnsDeleted,
}

use Trait::{CreateOnUpdate, Generation, Namespaced, ReturnsDeleted, Scale, Status, Unconditional};

/// Group, plural, kind, short name ("" for none), traits. The version is v1 except where [`version`] says otherwise.
const BUILT_IN: [(&str, &str, &str, &str, &[Trait]); 24] = [
    ("", "namespaces", "Namespace", "ns", &[Status, Unconditional, ReturnsDeleted]),
    ("", "nodes", "Node", "no", &[Status, Unconditional]),
    ("", "pods", "Pod", "po", &[Namespaced, Status, Unconditional, ReturnsDeleted]),
    ("", "services", "Service", "svc", &[Namespaced, Status, Unconditional, ReturnsDeleted]),
    ("", "serviceaccounts", "ServiceAccount", "sa", &[Namespaced, Unconditional, ReturnsDeleted]),
    ("", "configmaps", "ConfigMap", "cm", &[Namespaced, Unconditional]),
    ("", "secrets", "Secret", "", &[Namespaced, Unconditional]),
    (
        "",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        "pvc",
        &[Namespaced, Status, Unconditional, ReturnsDeleted],
    ),
    ("", "events", "Event", "ev", &[Namespaced, Unconditional, CreateOnUpdate]),
    ("", "resourcequotas", "ResourceQuota", "quota", &[Namespaced, Status, Unconditional, ReturnsDeleted]),
    ("apps", "deployments", "Deployment", "deploy", &[Namespaced, Status, Scale, Generation, Unconditional]),
    ("apps", "daemonsets", "DaemonSet", "ds", &[Namespaced, Status, Generation, Unconditional]),
    ("apps", "replicasets", "ReplicaSet", "rs", &[Namespaced, Status, Scale, Generation, Unconditional]),
    ("batch", "jobs", "Job", "", &[Namespaced, Status, Generation, Unconditional]),
    ("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", &[Namespaced, Status, Unconditional]),
    ("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", &[Namespaced, Status, Generation]),
    ("coordination.k8s.io", "leases", "Lease", "", &[Namespaced, CreateOnUpdate]),
    ("discovery.k8s.io", "endpointslices", "EndpointSlice", "", &[Namespaced, Generation, Unconditional]),
    ("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol", &[Namespaced, Generation, Unconditional]),
    ("rbac.authorization.k8s.io", "roles", "Role", "", &[Namespaced, Unconditional]),
    ("rbac.authorization.k8s.io", "rolebindings", "RoleBinding", "", &[Namespaced, Unconditional]),
    ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", "", &[Unconditional]),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", "", &[Unconditional]),
    (
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd",
        &[Status, Generation, ReturnsDeleted],
    ),
];

fn version(group: &str) -> &'static str {
    if group == "autoscaling" { "v2" } else { "v1" }
}

/// Every kind that is there without a definition.
pub(super) fn built_in() -> Vec<Arc<Kind>> {
    let kind = |&(group, plural, kind, short, traits): &(&str, &str, &str, &str, &[Trait])| Kind {
        group: group.to_owned(),
        version: version(group).to_owned(),
        plural: plural.to_owned(),
        kind: kind.to_owned(),
        short: if short.is_empty() { vec![] } else { vec![short.to_owned()] },
        traits: traits.to_vec(),
        schema: None,
    };
    BUILT_IN.iter().map(|row| Arc::new(kind(row))).collect()
}

/// The kind that a CustomResourceDefinition declares: its storage version, or nothing where there is none.
pub(super) fn custom(definition: &Value) -> Option<Kind> {
    let spec = &definition["spec"];
    let version = list(&spec["versions"]).iter().find(|version| version["storage"] == true)?;
    let mut traits = vec![Generation];
    if spec["scope"] == "Namespaced" {
        traits.push(Namespaced);
    }
    if version["subresources"].get("status").is_some() {
        traits.push(Status);
    }
    Some(Kind {
        group: text(&spec["group"]).to_owned(),
        version: text(&version["name"]).to_owned(),
        plural: text(&spec["names"]["plural"]).to_owned(),
        kind: text(&spec["names"]["kind"]).to_owned(),
        short: list(&spec["names"]["shortNames"]).iter().map(|short| text(short).to_owned()).collect(),
        traits,
        schema: Some(Arc::new(version["schema"]["openAPIV3Schema"].clone())),
    })
}

impl Kind {
    pub(super) fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }

    pub(super) fn is_namespaced(&self) -> bool {
        self.has(Namespaced)
    }

    pub(super) fn is_custom(&self) -> bool {
        self.schema.is_some()
    }

    /// Whether it has this subresource; "" is the object itself.
    pub(super) fn serves(&self, subresource: &str) -> bool {
        match subresource {
            "" => true,
            "status" => self.has(Status),
            "scale" => self.has(Scale),
            _ => false,
        }
    }

    /// As `apiVersion` has it: `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// As errors have it: `pods`, `deployments.apps`.
    pub(super) fn resource(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// As errors about the content have it: `Pod`, `Deployment.apps`.
    pub(super) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }
}

fn qualified(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}
