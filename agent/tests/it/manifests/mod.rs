//! `manifests/`: each overlay rendered, taken by an API server, its references whole, its Pods confined, its roles narrow.
//!
//! ```text
//! kustomization.yaml --kustomize--> objects --> applied to the fake API server
//!        \-- kubectl kustomize, where there is one: the same objects
//! ```

mod access;
mod applied;
mod confined;
mod homelab;
mod image;
mod kustomize;
mod references;
mod rendered;
pub(crate) mod roles;
mod units;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// What can be applied as a whole.
const ALL: [&str; 4] = ["overlays/dev", "overlays/staging", "overlays/prod", "examples/larger"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests")
}

fn read(file: &str) -> String {
    let path = folder().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn render(kustomization: &str) -> Vec<Value> {
    kustomize::render(&folder().join(kustomization))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn kind(object: &Value) -> &str {
    text(&object["kind"])
}

fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

/// `Deployment/physioflow-api-blue`.
fn id(object: &Value) -> String {
    format!("{}/{}", kind(object), name(object))
}

fn of<'a>(objects: &'a [Value], wanted: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| kind(object) == wanted).collect()
}

fn one<'a>(objects: &'a [Value], wanted: &str) -> &'a Value {
    objects.iter().find(|object| id(object) == wanted).unwrap_or_else(|| panic!("there is no {wanted}"))
}

/// What makes Pods.
fn workloads(objects: &[Value]) -> Vec<&Value> {
    objects.iter().filter(|object| matches!(kind(object), "Deployment" | "DaemonSet")).collect()
}

fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

/// Those that are started first, too.
fn containers(pod: &Value) -> Vec<&Value> {
    list(&pod["initContainers"]).iter().chain(list(&pod["containers"])).collect()
}
