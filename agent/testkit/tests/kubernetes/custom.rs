//! Custom resources: a definition, its schema and its rules.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::runtime::{conditions, wait::await_condition};
use serde_json::{Value, json};

use crate::cluster::{Cluster, from, is_refused, refused, version};

/// A kind of its own for each case: definitions have no namespace.
async fn define(cluster: &Cluster, kind: &str) -> Api<DynamicObject> {
    let plural = format!("{}s", kind.to_lowercase());
    let group = format!("{}.example.com", cluster.namespace);
    let condition = json!({"type": "object", "required": ["type"], "properties": {
        "type": {"type": "string"}, "status": {"type": "string"},
    }});
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {
            "type": "object",
            "required": ["mode"],
            "properties": {
                "mode": {"type": "string", "enum": ["observe", "act"]},
                "share": {"type": "integer", "minimum": 0, "maximum": 100, "default": 5},
                "names": {"type": "array", "maxItems": 4, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            },
            "x-kubernetes-validations": [
                {"rule": "self.mode != 'observe' || self.share <= 5", "message": "observe moves no share"},
                {"rule": "!has(oldSelf.share) || self.share >= oldSelf.share", "message": "a share only grows"},
            ],
        },
        "status": {"type": "object", "properties": {"conditions": {
            "type": "array", "items": condition, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        }}},
    }});
    let definition: CustomResourceDefinition = from(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}},
            }],
        },
    }));
    let definitions = Api::<CustomResourceDefinition>::all(cluster.client.clone());
    definitions.create(&PostParams::default(), &definition).await.unwrap();
    let is_established = conditions::is_crd_established();
    await_condition(definitions, &definition.name_any(), is_established).await.unwrap();
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(&group, "v1alpha1", kind), &plural);
    Api::namespaced_with(cluster.client.clone(), &cluster.namespace, &resource)
}

fn object(kind: &str, spec: &Value) -> DynamicObject {
    from(json!({"kind": kind, "metadata": {"name": "a"}, "spec": spec}))
}

async fn create(api: &Api<DynamicObject>, kind: &str, spec: Value) -> kube::Result<DynamicObject> {
    let mut made = object(kind, &spec);
    made.types = Some(kube::core::TypeMeta {
        api_version: api.resource_url().split('/').skip(2).take(2).collect::<Vec<_>>().join("/"),
        kind: kind.to_owned(),
    });
    api.create(&PostParams::default(), &made).await
}

pub(crate) async fn a_definition_makes_a_kind(cluster: Cluster) {
    let api = define(&cluster, "Swap").await;
    let made = create(&api, "Swap", json!({"mode": "act", "unknown": 1})).await.unwrap();
    assert_eq!(made.data["spec"], json!({"mode": "act", "share": 5}));
    assert_eq!(made.metadata.generation, Some(1));
    let status = Patch::Merge(json!({"spec": {"share": 9}, "status": {"conditions": [{"type": "Ready"}]}}));
    let patched = api.patch_status("a", &PatchParams::default(), &status).await.unwrap();
    assert_eq!((patched.metadata.generation, &patched.data["spec"]["share"]), (Some(1), &json!(5)));
    let spec = Patch::Merge(json!({"spec": {"share": 9}, "status": null}));
    let patched = api.patch("a", &PatchParams::default(), &spec).await.unwrap();
    assert_eq!((patched.metadata.generation, &patched.data["spec"]["share"]), (Some(2), &json!(9)));
    assert_eq!(patched.data["status"]["conditions"][0]["type"], "Ready");
    assert!(version(&patched) > version(&made));
    let mut late = patched.clone();
    late.metadata.resource_version = None;
    is_refused(
        api.replace("a", &PostParams::default(), &late).await,
        422,
        "Invalid",
        "must be specified for an update",
    );
    let strategic = Patch::Strategic(json!({"spec": {"share": 10}}));
    let refused = api.patch("a", &PatchParams::default(), &strategic).await;
    is_refused(refused, 415, "UnsupportedMediaType", "application/merge-patch+json");
}

pub(crate) async fn objects_are_held_against_the_schema(cluster: Cluster) {
    let api = define(&cluster, "Form").await;
    let check = async |spec: Value, field: &str| {
        let status = refused(create(&api, "Form", spec.clone()).await);
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{spec}");
        assert!(status.details.unwrap().causes.iter().any(|cause| cause.field == field), "{spec}: {}", status.message);
    };
    check(json!({}), "spec.mode").await;
    check(json!({"mode": "gone"}), "spec.mode").await;
    check(json!({"mode": "act", "share": 101}), "spec.share").await;
    check(json!({"mode": "act", "share": "5"}), "spec.share").await;
    check(json!({"mode": "act", "names": ["a", "b", "a"]}), "spec.names[2]").await;
    create(&api, "Form", json!({"mode": "act", "names": ["a", "b"]})).await.unwrap();
    let twice =
        json!({"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Ready", "status": "False"}]}});
    let refused = api.patch_status("a", &PatchParams::default(), &Patch::Merge(twice)).await;
    is_refused(refused, 422, "Invalid", "status.conditions[1]: Duplicate value");
}

pub(crate) async fn our_own_definition_is_taken_and_its_rules_hold(cluster: Cluster) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/base/crd.yaml");
    let definition: CustomResourceDefinition = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let definitions = Api::<CustomResourceDefinition>::all(cluster.client.clone());
    definitions.create(&PostParams::default(), &definition).await.unwrap();
    await_condition(definitions, &definition.name_any(), conditions::is_crd_established()).await.unwrap();
    let resource =
        ApiResource::from_gvk(&GroupVersionKind::gvk(&definition.spec.group, "v1alpha1", &definition.spec.names.kind));
    let api = Api::<DynamicObject>::namespaced_with(cluster.client.clone(), &cluster.namespace, &resource);
    let slot = |colour: &str| json!({"colour": colour, "version": "v1"});
    let state = json!({
        "revision": 3, "release": 2, "step": 1, "verdict": "bad", "phase": "rolling_back", "share": 0, "salt": "r-2",
        "components": [{"name": "api", "stable": slot("blue"), "candidate": slot("green"), "share": 0}],
        "edges": ["edge"], "by": "ops", "cause": {"kind": "errors", "component": "api"},
    });
    create(&api, "BlueGreen", json!({"mode": "act", "state": state})).await.unwrap();
    let write = async |state: Value| {
        api.patch("a", &PatchParams::default(), &Patch::Merge(json!({"spec": {"state": state}}))).await
    };
    is_refused(write(json!({"revision": 4, "verdict": "open"})).await, 422, "Invalid", "bad never becomes good");
    write(json!({"revision": 4, "phase": "idle", "outcome": "rolled_back"})).await.unwrap();
}

pub(crate) async fn rules_are_enforced(cluster: Cluster) {
    let api = define(&cluster, "Rule").await;
    let refused = create(&api, "Rule", json!({"mode": "observe", "share": 6})).await;
    is_refused(refused, 422, "Invalid", "observe moves no share");
    create(&api, "Rule", json!({"mode": "act", "share": 50})).await.unwrap();
    let back = Patch::Merge(json!({"spec": {"share": 40}}));
    is_refused(api.patch("a", &PatchParams::default(), &back).await, 422, "Invalid", "a share only grows");
}

pub(crate) async fn lists_merge_as_the_schema_says(cluster: Cluster) {
    let api = define(&cluster, "Lists").await;
    let made = create(&api, "Lists", json!({"mode": "act"})).await.unwrap();
    let types = made.types.unwrap();
    let apply = async |manager: &str, condition: &str| {
        let status = Patch::Apply(json!({
            "apiVersion": types.api_version, "kind": types.kind, "metadata": {"name": "a"},
            "status": {"conditions": [{"type": condition, "status": "True"}]},
        }));
        let after = api.patch_status("a", &PatchParams::apply(manager), &status).await.unwrap();
        let conditions = after.data["status"]["conditions"].as_array().unwrap().clone();
        conditions.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(apply("one", "Ready").await, ["Ready"]);
    assert_eq!(apply("two", "Watched").await, ["Ready", "Watched"]);
    assert_eq!(apply("one", "Done").await, ["Watched", "Done"]);
}
