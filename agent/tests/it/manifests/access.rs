//! Each role against the fake's access control: what it can, and above all what it cannot.

use std::collections::BTreeSet;

use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, LogParams, Patch, PatchParams,
    PostParams,
};
use serde_json::{Value, json};
use teal_testkit::kubernetes::ApiServer;

use super::applied::{apply_all, server};
use super::{list, name, of, render, text};

const NAMESPACE: &str = "physioflow-prod";

/// Verb, resource with its kind, and its name ("" where a request names none).
type Wish = (&'static str, &'static str, &'static str);

const BG: &str = "teal.trancloud.work/v1alpha1 BlueGreen";
const DEPLOYMENT: &str = "apps/v1 Deployment";
const SERVICE: &str = "v1 Service";
const MAP: &str = "v1 ConfigMap";
const SECRET: &str = "v1 Secret";
const POD: &str = "v1 Pod";
const LEASE: &str = "coordination.k8s.io/v1 Lease";
const EVENT: &str = "v1 Event";
const QUOTA: &str = "v1 ResourceQuota";
const HPA: &str = "autoscaling/v2 HorizontalPodAutoscaler";

/// What an edge does: follows the document, says BAD, holds the lease.
const EDGE: [Wish; 20] = [
    ("get", SERVICE, "physioflow-api"),
    ("get", SERVICE, "physioflow-web"),
    ("get", DEPLOYMENT, "physioflow-api-blue"),
    ("get", BG, "physioflow"),
    ("list named", BG, "physioflow"),
    ("watch named", BG, "physioflow"),
    ("create", BG, "physioflow"),
    ("patch", BG, "physioflow"),
    ("patch status", BG, "physioflow"),
    ("get", LEASE, "teal-physioflow"),
    ("list named", LEASE, "teal-physioflow"),
    ("watch named", LEASE, "teal-physioflow"),
    ("create", LEASE, "teal-physioflow"),
    ("replace", LEASE, "teal-physioflow"),
    ("list", POD, ""),
    ("watch", POD, ""),
    ("list", SERVICE, ""),
    ("watch", SERVICE, ""),
    ("list", DEPLOYMENT, ""),
    ("create", EVENT, "physioflow.1"),
];

/// What only a leader does.
const CONTROLLER: [Wish; 13] = [
    ("list", QUOTA, ""),
    ("patch", DEPLOYMENT, "physioflow-api-blue"),
    ("patch", DEPLOYMENT, "physioflow-web-green"),
    ("patch", SERVICE, "physioflow-api"),
    ("patch", SERVICE, "physioflow-web"),
    ("patch", HPA, "physioflow-api-green"),
    ("list", HPA, ""),
    ("get", MAP, "physioflow-api"),
    ("list", MAP, ""),
    ("create", MAP, "physioflow-api-green-1a2b3c"),
    ("delete", MAP, "physioflow-api-green-1a2b3c"),
    ("log", POD, "physioflow-api-blue-1"),
    ("get", DEPLOYMENT, "physioflow-api-blue"),
];

const SECRETS: [Wish; 4] = [
    ("get", SECRET, "physioflow-api"),
    ("list", SECRET, ""),
    ("create", SECRET, "physioflow-api-green-1a2b3c"),
    ("delete", SECRET, "physioflow-api-green-1a2b3c"),
];

const OBSERVER: [Wish; 2] = [("list", POD, ""), ("watch", POD, "")];

/// What a person does who gives orders.
const OPERATOR: [Wish; 10] = [
    ("get", BG, "physioflow"),
    ("list", BG, ""),
    ("watch", BG, ""),
    ("list named", BG, "physioflow"),
    ("watch named", BG, "physioflow"),
    ("patch", BG, "physioflow"),
    ("list", EVENT, ""),
    ("get", DEPLOYMENT, "physioflow-api-blue"),
    ("list", POD, ""),
    ("log", POD, "physioflow-api-blue-1"),
];

/// What a person does by hand when no agent answers.
const HAND: [Wish; 5] = [
    ("get", SERVICE, "physioflow-api"),
    ("get", SERVICE, "physioflow-web"),
    ("patch", SERVICE, "physioflow-api"),
    ("patch", SERVICE, "physioflow-web"),
    ("get", DEPLOYMENT, "physioflow-api-blue"),
];

/// What nobody may.
const NEVER: [Wish; 26] = [
    ("patch", MAP, "physioflow-migration-version"),
    ("get", QUOTA, "compute-resources"),
    ("scale", DEPLOYMENT, "physioflow-api-green"),
    ("get", POD, "physioflow-api-blue-1"),
    ("delete", BG, "physioflow"),
    ("deletecollection", BG, ""),
    ("patch", BG, "other"),
    ("patch status", BG, "other"),
    ("replace", LEASE, "other"),
    ("delete", LEASE, "teal-physioflow"),
    ("create", DEPLOYMENT, "physioflow-api-blue"),
    ("delete", DEPLOYMENT, "physioflow-api-blue"),
    ("patch", DEPLOYMENT, "teal-flags"),
    ("patch", SERVICE, "physioflow-api-blue"),
    ("patch", SERVICE, "teal-flags"),
    ("delete", SERVICE, "physioflow-api"),
    ("delete", POD, "physioflow-api-blue-1"),
    ("create", POD, "mine"),
    ("watch", SECRET, ""),
    ("patch", SECRET, "physioflow-api"),
    ("patch", MAP, "physioflow-api"),
    ("scale", DEPLOYMENT, "teal-flags"),
    ("create", "rbac.authorization.k8s.io/v1 Role", "mine"),
    ("patch", "rbac.authorization.k8s.io/v1 RoleBinding", "teal-edge"),
    ("patch", "networking.k8s.io/v1 NetworkPolicy", "deny"),
    ("list", "v1 Node", ""),
];

/// Whether the server lets `account` do it; what else becomes of the request is not looked at.
async fn may(client: &kube::Client, namespace: &str, (verb, resource, name): Wish) -> bool {
    let (version, kind) = resource.split_once(' ').unwrap();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let api: Api<DynamicObject> = match kind {
        "Node" => Api::all_with(client.clone(), &resource),
        _ => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let object = |version: &str| -> DynamicObject {
        serde_json::from_value(json!({"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": name,
            "resourceVersion": version}}))
        .unwrap()
    };
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
    let result = match verb {
        "get" => api.get(name).await.map(drop),
        "list" => api.list(&ListParams::default()).await.map(drop),
        "list named" => api.list(&ListParams::default().fields(&format!("metadata.name={name}"))).await.map(drop),
        "watch named" => {
            let of = kube::api::WatchParams::default().fields(&format!("metadata.name={name}"));
            api.watch(&of, "0").await.map(drop)
        }
        "watch" => api.watch(&kube::api::WatchParams::default(), "0").await.map(drop),
        "create" => api.create(&PostParams { dry_run: true, ..PostParams::default() }, &object("")).await.map(drop),
        "replace" => {
            api.replace(name, &PostParams { dry_run: true, ..PostParams::default() }, &object("1")).await.map(drop)
        }
        "patch" => api.patch(name, &PatchParams::default().dry_run(), &patch).await.map(drop),
        "patch status" => api.patch_status(name, &PatchParams::default().dry_run(), &patch).await.map(drop),
        "scale" => api.patch_scale(name, &PatchParams::default().dry_run(), &patch).await.map(drop),
        "delete" => api.delete(name, &DeleteParams::default().dry_run()).await.map(drop),
        "deletecollection" => {
            api.delete_collection(&DeleteParams::default().dry_run(), &ListParams::default()).await.map(drop)
        }
        "log" => Api::<k8s_openapi::api::core::v1::Pod>::namespaced(client.clone(), namespace)
            .logs(name, &LogParams::default())
            .await
            .map(drop),
        other => panic!("{other} is not asked here"),
    };
    !matches!(result, Err(kube::Error::Api(status)) if status.code == 403)
}

async fn with(overlay: &str) -> ApiServer {
    let (server, client) = server().await;
    let refused = apply_all(&client, &render(overlay)).await;
    assert!(refused.is_empty(), "{refused:?}");
    server
}

#[tokio::test]
async fn each_account_may_do_what_it_needs_and_nothing_else() {
    let all: BTreeSet<Wish> =
        [&EDGE[..], &CONTROLLER, &SECRETS, &OBSERVER, &OPERATOR, &HAND, &NEVER].concat().into_iter().collect();
    let check = async |server: &ApiServer, account: &str, wishes: &[&[Wish]]| {
        let client = server.client_as(&format!("system:serviceaccount:{NAMESPACE}:{account}"));
        let allowed: BTreeSet<Wish> = wishes.concat().into_iter().collect();
        for wish in &all {
            let is_allowed = may(&client, NAMESPACE, *wish).await;
            assert_eq!(is_allowed, allowed.contains(wish), "{account}: {wish:?}");
            assert!(!may(&client, "physioflow-dev", *wish).await, "{account}: {wish:?} in another namespace");
        }
    };
    // The one agent of a homelab is everything.
    let server = with("overlays/prod").await;
    check(&server, "teal-controller", &[&EDGE, &CONTROLLER, &SECRETS, &OBSERVER]).await;
    check(&server, "teal-edge", &[&EDGE]).await;
    check(&server, "teal-observer", &[&OBSERVER]).await;
    check(&server, "teal-flags", &[]).await;
    check(&server, "default", &[]).await;
    // A person, once they are bound.
    let binding = |person: &str, role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": person, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": person}],
        })
    };
    let bindings = [binding("anna", "teal-operator"), binding("ben", "teal-hand")];
    assert!(apply_all(&server.client(), &bindings).await.is_empty());
    check(&server, "anna", &[&OPERATOR]).await;
    check(&server, "ben", &[&HAND]).await;
    // With edges-lead an edge of the cluster may lead, and may read no Secret all the same.
    check(&with("examples/larger").await, "teal-edge", &[&EDGE, &CONTROLLER]).await;
}

#[test]
fn without_the_component_nobody_reads_a_secret() {
    let holds = |overlay: &str| {
        let objects = render(overlay);
        let rules: Vec<&Value> = of(&objects, "Role").into_iter().flat_map(|role| list(&role["rules"])).collect();
        rules.iter().any(|rule| list(&rule["resources"]).contains(&json!("secrets")))
    };
    assert!(!holds("overlays/dev") && !holds("overlays/staging") && holds("overlays/prod"));
}

#[test]
fn no_role_says_more_than_it_means() {
    for overlay in super::ALL {
        let objects = render(overlay);
        for role in of(&objects, "Role") {
            for rule in list(&role["rules"]) {
                let said: Vec<&str> =
                    ["verbs", "resources", "apiGroups"].iter().flat_map(|field| list(&rule[field])).map(text).collect();
                assert!(!said.iter().any(|word| word.contains('*')), "{overlay} {}: {rule}", name(role));
                // Copies alone are deleted.
                let is_copies = ["configmaps", "secrets"].iter().any(|of| rule["resources"] == json!([of]));
                assert!(is_copies || !said.contains(&"delete"), "{overlay} {}: {rule}", name(role));
                let forbidden = ["deletecollection", "escalate", "bind", "impersonate"];
                assert!(!said.iter().any(|word| forbidden.contains(word)), "{overlay} {}: {rule}", name(role));
                // A create has no name, and a list or watch has one only where that is all it asks for, as for the resource and
                // the lease: a rule with names would allow none of them.
                let is_ours = ["bluegreens", "leases"].iter().any(|of| rule["resources"] == json!([of]));
                let nameless = |verb: &str| verb == "create" || (["list", "watch"].contains(&verb) && !is_ours);
                let names_and_lists =
                    rule.get("resourceNames").is_some() && list(&rule["verbs"]).iter().any(|verb| nameless(text(verb)));
                assert!(!names_and_lists, "{overlay} {}: {rule}", name(role));
            }
        }
        // Each rule says why it is there.
        for file in ["controller", "edge", "observer", "operator", "hand"] {
            let text = super::read(&format!("base/rbac/{file}.yaml"));
            let lines: Vec<&str> = text.lines().collect();
            let rules = lines.iter().enumerate().filter(|(_, line)| line.starts_with("  - apiGroups"));
            for (at, line) in rules {
                let before = lines[..at]
                    .iter()
                    .rev()
                    .take_while(|line| !line.trim().is_empty())
                    .take(4)
                    .any(|line| line.trim().starts_with('#'));
                assert!(before, "{file}: {line} without a reason");
            }
        }
    }
}
