//! Patches: merge, JSON, strategic.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, config_map, deployment, from, is_refused};

pub(crate) async fn a_merge_patch_sets_and_removes(cluster: Cluster) {
    let spec = json!({"selector": {"app": "a", "version": "blue"}, "ports": [{"port": 80}]});
    let _: Service =
        cluster.create(json!({"metadata": {"name": "s", "labels": {"x": "1", "y": "2"}}, "spec": spec})).await;
    let api = cluster.api::<Service>();
    let patch = json!({"metadata": {"labels": {"x": null}}, "spec": {"selector": {"version": "green"}}});
    let patched = api.patch("s", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    assert_eq!(patched.labels().keys().collect::<Vec<_>>(), ["y"]);
    let selector = patched.spec.unwrap().selector.unwrap();
    assert_eq!((selector["app"].as_str(), selector["version"].as_str()), ("a", "green"));
    let missing = api.patch("t", &PatchParams::default(), &Patch::Merge(json!({}))).await;
    is_refused(missing, 404, "NotFound", "services \"t\" not found");
}

pub(crate) async fn a_json_patch_can_ask_first(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({"x": "1"}))).await;
    let api = cluster.api::<ConfigMap>();
    let swap = |from_value: &str, to: &str| {
        Patch::<Value>::Json(from(json!([
            {"op": "test", "path": "/data/x", "value": from_value},
            {"op": "replace", "path": "/data/x", "value": to},
        ])))
    };
    let patched = api.patch("a", &PatchParams::default(), &swap("1", "2")).await.unwrap();
    assert_eq!(patched.data.unwrap()["x"], "2");
    let failed = api.patch("a", &PatchParams::default(), &swap("1", "3")).await;
    is_refused(failed, 422, "Invalid", "the server rejected our request due to an error in our request");
    assert_eq!(api.get("a").await.unwrap().data.unwrap()["x"], "2");
}

pub(crate) async fn a_strategic_patch_merges_lists_by_key(cluster: Cluster) {
    let _: Deployment = cluster.create(deployment("a", 1)).await;
    let api = cluster.api::<Deployment>();
    let patched = async |container: Value| {
        let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let patched = api.patch("a", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
        patched.spec.unwrap().template.spec.unwrap().containers
    };
    let containers = patched(json!({"name": "api", "image": "api:2", "env": [{"name": "B", "value": "2"}]})).await;
    assert_eq!(containers.len(), 1);
    assert_eq!(containers[0].image.as_deref(), Some("api:2"));
    let mut env: Vec<_> = containers[0].env.iter().flatten().map(|env| env.name.as_str()).collect();
    env.sort_unstable();
    assert_eq!(env, ["A", "B"]);
    let containers = patched(json!({"name": "log", "image": "log:1"})).await;
    assert_eq!(containers.len(), 2);
    let containers = patched(json!({"name": "log", "$patch": "delete"})).await;
    assert_eq!(containers.len(), 1);
    // A merge patch knows no keys.
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "only", "image": "o:1"}]}}}});
    let patched = api.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    assert_eq!(patched.spec.unwrap().template.spec.unwrap().containers[0].name, "only");
}

pub(crate) async fn a_patch_may_name_the_version(cluster: Cluster) {
    let made: ConfigMap = cluster.create(config_map("a", &json!({"x": "1"}))).await;
    let api = cluster.api::<ConfigMap>();
    let version = made.resource_version();
    let patch = |to: &str| Patch::Merge(json!({"metadata": {"resourceVersion": version}, "data": {"x": to}}));
    api.patch("a", &PatchParams::default(), &patch("2")).await.unwrap();
    let late = api.patch("a", &PatchParams::default(), &patch("3")).await;
    is_refused(late, 409, "Conflict", "the object has been modified");
}
