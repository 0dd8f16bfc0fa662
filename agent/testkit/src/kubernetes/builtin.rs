//! Built in types: unknown fields dropped, defaults, and the mistakes that the real server's validation finds.

use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch, coordination::v1 as coordination,
    core::v1 as core, discovery::v1 as discovery, networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac,
};
use serde_json::{Value, json};

use super::kinds::Kind;
use super::refusal::{Cause, Refusal};
use super::selector::Selector;
use super::value::{default, list, map, set_meta, text, without_nulls};

/// Reads `object` as its type and writes it again: what the type does not know is gone, what has the wrong type refused.
pub(super) fn typed(kind: &Kind, object: &Value) -> Result<Value, Refusal> {
    fn through<T: serde::de::DeserializeOwned + serde::Serialize>(object: &Value) -> serde_json::Result<Value> {
        serde_json::to_value(serde_json::from_value::<T>(object.clone())?)
    }
    let read = match kind.kind.as_str() {
        "Namespace" => through::<core::Namespace>,
        "Node" => through::<core::Node>,
        "Pod" => through::<core::Pod>,
        "Service" => through::<core::Service>,
        "ServiceAccount" => through::<core::ServiceAccount>,
        "ConfigMap" => through::<core::ConfigMap>,
        "Secret" => through::<core::Secret>,
        "PersistentVolumeClaim" => through::<core::PersistentVolumeClaim>,
        "Event" => through::<core::Event>,
        "ResourceQuota" => through::<core::ResourceQuota>,
        "Deployment" => through::<apps::Deployment>,
        "DaemonSet" => through::<apps::DaemonSet>,
        "ReplicaSet" => through::<apps::ReplicaSet>,
        "Job" => through::<batch::Job>,
        "HorizontalPodAutoscaler" => through::<autoscaling::HorizontalPodAutoscaler>,
        "PodDisruptionBudget" => through::<policy::PodDisruptionBudget>,
        "Lease" => through::<coordination::Lease>,
        "EndpointSlice" => through::<discovery::EndpointSlice>,
        "NetworkPolicy" => through::<networking::NetworkPolicy>,
        "Role" => through::<rbac::Role>,
        "RoleBinding" => through::<rbac::RoleBinding>,
        "ClusterRole" => through::<rbac::ClusterRole>,
        "ClusterRoleBinding" => through::<rbac::ClusterRoleBinding>,
        _ => through::<Value>,
    };
    let owners = object["metadata"]["managedFields"].clone();
    let what = || format!("{} in version \"{}\" cannot be handled as a {}", kind.kind, kind.version, kind.kind);
    let mut object = read(object).map_err(|error| Refusal::bad_request(format!("{}: {error}", what())))?;
    without_nulls(&mut object);
    set_meta(&mut object, "managedFields", owners);
    Ok(object)
}

/// What the server fills in.
pub(super) fn defaults(kind: &Kind, object: &mut Value) {
    match kind.kind.as_str() {
        "Deployment" => {
            let spec = &mut object["spec"];
            default(spec, "replicas", json!(1));
            default(spec, "revisionHistoryLimit", json!(10));
            default(spec, "progressDeadlineSeconds", json!(600));
            default(spec, "strategy", json!({"type": "RollingUpdate"}));
            if spec["strategy"]["type"] == "RollingUpdate" {
                default(&mut spec["strategy"], "rollingUpdate", json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
            }
            pod(&mut spec["template"]["spec"]);
        }
        "ReplicaSet" => {
            default(&mut object["spec"], "replicas", json!(1));
            pod(&mut object["spec"]["template"]["spec"]);
        }
        "Job" | "DaemonSet" => pod(&mut object["spec"]["template"]["spec"]),
        "Pod" => pod(&mut object["spec"]),
        "Service" => {
            let spec = &mut object["spec"];
            default(spec, "type", json!("ClusterIP"));
            default(spec, "sessionAffinity", json!("None"));
            for port in spec["ports"].as_array_mut().into_iter().flatten() {
                default(port, "protocol", json!("TCP"));
                let number = port["port"].clone();
                default(port, "targetPort", number);
            }
        }
        "HorizontalPodAutoscaler" => default(&mut object["spec"], "minReplicas", json!(1)),
        "Secret" => {
            default(object, "type", json!("Opaque"));
            readable_to_data(object);
        }
        _ => {}
    }
}

/// `stringData` is for writing only.
fn readable_to_data(secret: &mut Value) {
    let Some(Value::Object(readable)) = map(secret).remove("stringData") else { return };
    let data = map(map(secret).entry("data").or_insert(Value::Null));
    for (name, value) in readable {
        let bytes = k8s_openapi::ByteString(text(&value).as_bytes().to_vec());
        data.insert(name, serde_json::to_value(bytes).unwrap_or_default());
    }
}

fn pod(spec: &mut Value) {
    default(spec, "restartPolicy", json!("Always"));
    default(spec, "dnsPolicy", json!("ClusterFirst"));
    default(spec, "schedulerName", json!("default-scheduler"));
    default(spec, "terminationGracePeriodSeconds", json!(30));
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        default(container, "terminationMessagePath", json!("/dev/termination-log"));
        default(container, "terminationMessagePolicy", json!("File"));
        let is_latest = container["image"].as_str().is_some_and(|image| {
            let name = image.rsplit('/').next().unwrap_or_default();
            !name.contains(':') || name.ends_with(":latest")
        });
        default(container, "imagePullPolicy", json!(if is_latest { "Always" } else { "IfNotPresent" }));
        default(container, "resources", json!({}));
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            default(port, "protocol", json!("TCP"));
        }
    }
}

/// What is wrong with `object`, which replaces `old`.
pub(super) fn wrong(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    match kind.kind.as_str() {
        "Deployment" | "ReplicaSet" | "DaemonSet" => {
            let labels = &spec["template"]["metadata"]["labels"];
            let selector = Selector::of(&spec["selector"]).filter(|selector| !selector.is_empty());
            if selector.is_none_or(|selector| !selector.matches(&spec["template"])) {
                let why = "`selector` does not match template `labels`";
                causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
            }
            if old.is_some_and(|old| old["spec"]["selector"] != spec["selector"]) {
                causes.push(Cause::invalid("spec.selector", &spec["selector"], "field is immutable"));
            }
            if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
                let why = "must be greater than or equal to 0";
                causes.push(Cause::invalid("spec.replicas", &spec["replicas"], why));
            }
            causes.extend(containers(&spec["template"]["spec"], "spec.template.spec.containers"));
        }
        "Pod" => causes.extend(containers(spec, "spec.containers")),
        "Service" if list(&spec["ports"]).is_empty() && spec["clusterIP"] != "None" => {
            causes.push(Cause::required("spec.ports"));
        }
        "ConfigMap" | "Secret" => {
            let is_frozen = old.is_some_and(|old| old["immutable"] == true);
            let is_changed = old.is_some_and(|old| {
                ["data", "binaryData", "immutable"].iter().any(|field| old.get(field) != object.get(field))
            });
            if is_frozen && is_changed {
                let why = "field is immutable when `immutable` is set";
                causes.push(Cause { reason: "FieldValueForbidden", ..Cause::invalid("data", &json!("..."), why) });
            }
        }
        "Lease" if spec["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds <= 0) => {
            let shown = &spec["leaseDurationSeconds"];
            causes.push(Cause::invalid("spec.leaseDurationSeconds", shown, "must be greater than 0"));
        }
        _ => {}
    }
    causes
}

fn containers(spec: &Value, path: &str) -> Vec<Cause> {
    let containers = list(&spec["containers"]);
    if containers.is_empty() {
        return vec![Cause::required(path)];
    }
    let missing =
        containers.iter().enumerate().filter(|(_, container)| container["image"].as_str().is_none_or(str::is_empty));
    missing.map(|(at, _)| Cause::required(format!("{path}[{at}].image"))).collect()
}
