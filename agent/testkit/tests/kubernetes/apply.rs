//! Server-side apply: who owns what, and what comes of it.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, config_map, deployment, is_refused, refused, version};

async fn apply(cluster: &Cluster, manager: &str, object: Value) -> kube::Result<ConfigMap> {
    cluster.api::<ConfigMap>().patch("a", &PatchParams::apply(manager), &Patch::Apply(object)).await
}

fn data(object: &ConfigMap) -> Vec<(&str, &str)> {
    object.data.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(crate) async fn an_apply_creates_and_owns(cluster: Cluster) {
    let made = apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    let owners = made.managed_fields();
    assert_eq!(owners.len(), 1);
    let owner = &owners[0];
    assert_eq!((owner.manager.as_deref(), owner.operation.as_deref()), (Some("teal"), Some("Apply")));
    let fields = &owner.fields_v1.as_ref().unwrap().0;
    assert!(fields["f:data"]["f:x"].is_object() && fields["f:metadata"]["f:labels"]["f:app"].is_object(), "{fields}");
    assert!(fields["f:metadata"].get("f:name").is_none());
    // Who writes otherwise owns what it changes, under its own name.
    let patch = Patch::Merge(json!({"data": {"y": "2"}}));
    let params = PatchParams { field_manager: Some("hand".to_owned()), ..PatchParams::default() };
    let patched = cluster.api::<ConfigMap>().patch("a", &params, &patch).await.unwrap();
    let hand = patched.managed_fields().iter().find(|owner| owner.manager.as_deref() == Some("hand")).unwrap();
    assert_eq!(hand.operation.as_deref(), Some("Update"));
    let fields = &hand.fields_v1.as_ref().unwrap().0;
    assert!(fields["f:data"]["f:y"].is_object() && fields["f:data"].get("f:x").is_none(), "{fields}");
}

pub(crate) async fn an_apply_that_changes_nothing_is_no_new_version(cluster: Cluster) {
    let made = apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    let again = apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    assert_eq!(version(&made), version(&again));
}

pub(crate) async fn what_another_owns_is_a_conflict(cluster: Cluster) {
    apply(&cluster, "other", config_map("a", &json!({"x": "1", "y": "1"}))).await.unwrap();
    let status = refused(apply(&cluster, "teal", config_map("a", &json!({"x": "2", "z": "1"}))).await);
    assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));
    assert!(status.message.contains("Apply failed with 1 conflict: conflict with \"other\""), "{}", status.message);
    let cause = &status.details.unwrap().causes[0];
    assert_eq!((cause.reason.as_str(), cause.field.as_str()), ("FieldManagerConflict", ".data.x"));
    // The same value is no conflict: both own it then.
    apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    // An update is never refused, and takes what it changes.
    let patch = Patch::Merge(json!({"data": {"x": "3"}}));
    cluster.api::<ConfigMap>().patch("a", &PatchParams::default(), &patch).await.unwrap();
    let status = refused(apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await);
    assert_eq!(status.code, 409);
}

pub(crate) async fn force_takes_it(cluster: Cluster) {
    apply(&cluster, "other", config_map("a", &json!({"x": "1", "y": "1"}))).await.unwrap();
    let forced = Patch::Apply(config_map("a", &json!({"x": "2"})));
    let api = cluster.api::<ConfigMap>();
    let taken = api.patch("a", &PatchParams::apply("teal").force(), &forced).await.unwrap();
    assert_eq!(data(&taken), [("x", "2"), ("y", "1")]);
    is_refused(apply(&cluster, "other", config_map("a", &json!({"x": "1", "y": "1"}))).await, 409, "Conflict", "teal");
}

/// As Teal starts a colour, stops it and starts it anew, with an autoscaler in between.
pub(crate) async fn what_an_update_took_away_is_applied_again(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let made: Deployment = cluster.create(deployment("a", 0)).await;
    let (params, forced) = (
        PatchParams { field_manager: Some("teal".to_owned()), ..PatchParams::default() },
        PatchParams::apply("teal").force(),
    );
    let start = |from: &Deployment, mark: &str, replicas: u32| {
        Patch::Apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "resourceVersion": from.resource_version(), "annotations": {"mark": mark, "kept": "1"}},
            "spec": {"replicas": replicas},
        }))
    };
    let seen = |of: &Deployment| {
        let annotation = |name: &str| of.annotations().get(name).cloned();
        (of.spec.as_ref().unwrap().replicas, annotation("mark"), annotation("kept"))
    };
    let kept = Some("1".to_owned());
    let started = api.patch("a", &forced, &start(&made, "v1", 2)).await.unwrap();
    assert_eq!(seen(&started), (Some(2), Some("v1".to_owned()), kept.clone()));
    is_refused(api.patch("a", &forced, &start(&made, "v1", 2)).await, 409, "Conflict", "the object has been modified");
    let other = PatchParams { field_manager: Some("autoscaler".to_owned()), ..PatchParams::default() };
    api.patch_scale("a", &other, &Patch::Merge(json!({"spec": {"replicas": 5}}))).await.unwrap();
    let stop = |from: &Deployment| {
        let metadata = json!({"resourceVersion": from.resource_version(), "annotations": {"mark": null}});
        Patch::Merge(json!({"metadata": metadata, "spec": {"replicas": 0}}))
    };
    is_refused(api.patch("a", &params, &stop(&started)).await, 409, "Conflict", "the object has been modified");
    let scaled = api.get("a").await.unwrap();
    let stopped = api.patch("a", &params, &stop(&scaled)).await.unwrap();
    assert_eq!(seen(&stopped), (Some(0), None, kept.clone()));
    let again = api.patch("a", &forced, &start(&stopped, "v2", 3)).await.unwrap();
    assert_eq!(seen(&again), (Some(3), Some("v2".to_owned()), kept));
}

pub(crate) async fn what_is_no_longer_sent_goes(cluster: Cluster) {
    apply(&cluster, "teal", config_map("a", &json!({"x": "1", "y": "1"}))).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"z": "1"}}));
    cluster.api::<ConfigMap>().patch("a", &PatchParams::default(), &patch).await.unwrap();
    let after = apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    assert_eq!(data(&after), [("x", "1"), ("z", "1")]);
}

pub(crate) async fn what_another_owns_as_well_stays(cluster: Cluster) {
    apply(&cluster, "teal", config_map("a", &json!({"x": "1", "y": "1"}))).await.unwrap();
    apply(&cluster, "other", config_map("a", &json!({"y": "1"}))).await.unwrap();
    let after = apply(&cluster, "teal", config_map("a", &json!({"x": "1"}))).await.unwrap();
    assert_eq!(data(&after), [("x", "1"), ("y", "1")]);
    // Now it is the other's alone.
    let after = apply(&cluster, "other", config_map("a", &json!({}))).await.unwrap();
    assert_eq!(data(&after), [("x", "1")]);
}

pub(crate) async fn items_of_lists_have_owners(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let _: Deployment = cluster.create(deployment("a", 1)).await;
    let image = |containers: Value| {
        Patch::Apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": containers}}},
        }))
    };
    let teal = PatchParams::apply("teal").force();
    let containers = async |patch: &Patch<Value>| {
        let applied = api.patch("a", &teal, patch).await.unwrap();
        let containers = applied.spec.unwrap().template.spec.unwrap().containers;
        containers.iter().map(|it| (it.name.clone(), it.image.clone().unwrap_or_default())).collect::<Vec<_>>()
    };
    let named = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, image)| ((*name).to_owned(), (*image).to_owned())).collect::<Vec<_>>()
    };
    let both = image(json!([{"name": "api", "image": "api:2"}, {"name": "log", "image": "log:1"}]));
    assert_eq!(containers(&both).await, named(&[("api", "api:2"), ("log", "log:1")]));
    // The item that only teal has goes with it; the other is still who created it.
    let one = image(json!([{"name": "api", "image": "api:2"}]));
    assert_eq!(containers(&one).await, named(&[("api", "api:2")]));
    let env = api.get("a").await.unwrap().spec.unwrap().template.spec.unwrap().containers[0].env.clone();
    assert_eq!(env.unwrap()[0].name, "A");
}

pub(crate) async fn an_apply_needs_a_manager(cluster: Cluster) {
    let path = format!("/api/v1/namespaces/{}/configmaps/a", cluster.namespace);
    let sent = config_map("a", &json!({}));
    let answer = cluster.raw("PATCH", &path, "application/apply-patch+yaml", &sent).await;
    is_refused(answer, 422, "Invalid", "is required for apply patch");
}

pub(crate) async fn the_status_is_applied_through_its_own_door(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let made: Deployment = cluster.create(deployment("a", 1)).await;
    let condition = |name: &str| json!({"type": name, "status": "True", "reason": "R", "message": "m"});
    let status = |names: &[&str]| {
        let conditions: Vec<Value> = names.iter().map(|name| condition(name)).collect();
        Patch::Apply(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"replicas": 9}, "status": {"conditions": conditions},
        }))
    };
    api.patch_status("a", &PatchParams::apply("one"), &status(&["Available"])).await.unwrap();
    let after = api.patch_status("a", &PatchParams::apply("two"), &status(&["Progressing"])).await.unwrap();
    assert_eq!(after.spec.as_ref().unwrap().replicas, Some(1));
    assert_eq!(after.metadata.generation, made.metadata.generation);
    let types: Vec<_> = after.status.unwrap().conditions.unwrap().into_iter().map(|it| it.type_).collect();
    assert_eq!(types, ["Available", "Progressing"]);
}
