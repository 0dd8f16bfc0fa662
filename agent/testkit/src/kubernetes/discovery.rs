//! What the server tells of itself: versions, groups, resources, health.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kinds::{Kind, Trait};
use super::objects::Objects;

/// The answer to a path that names no resource.
pub(super) fn answer(objects: &Objects, path: &str) -> Option<Value> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => Some(json!({
            "major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64",
        })),
        ["api"] => Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        ["apis"] => Some(groups(objects)),
        ["api", version] => resources(objects, "", version),
        ["apis", group, version] => resources(objects, group, version),
        _ => None,
    }
}

fn groups(objects: &Objects) -> Value {
    let all: BTreeSet<(&str, &str)> = objects
        .kinds()
        .iter()
        .filter(|kind| !kind.group.is_empty())
        .map(|kind| (kind.group.as_str(), kind.version.as_str()))
        .collect();
    let group = |(group, version): (&str, &str)| {
        let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
        json!({"name": group, "versions": [version], "preferredVersion": version})
    };
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": all.into_iter().map(group).collect::<Vec<_>>()})
}

fn resources(objects: &Objects, group: &str, version: &str) -> Option<Value> {
    let kinds: Vec<_> = objects.kinds().iter().filter(|kind| kind.group == group && kind.version == version).collect();
    let group_version = kinds.first()?.api_version();
    let all: Vec<Value> = kinds.into_iter().flat_map(|kind| rows(kind)).collect();
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": all}))
}

fn rows(kind: &Kind) -> Vec<Value> {
    const ALL: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    let row = |name: String, kind_name: &str, verbs: &[&str]| {
        json!({
            "name": name, "singularName": kind.kind.to_lowercase(), "namespaced": kind.is_namespaced(),
            "kind": kind_name, "verbs": verbs, "shortNames": kind.short,
        })
    };
    let mut rows = vec![row(kind.plural.clone(), &kind.kind, &ALL)];
    if kind.has(Trait::Status) {
        rows.push(row(format!("{}/status", kind.plural), &kind.kind, &["get", "patch", "update"]));
    }
    if kind.has(Trait::Scale) {
        rows.push(row(format!("{}/scale", kind.plural), "Scale", &["get", "patch", "update"]));
    }
    if kind.kind == "Pod" {
        rows.push(row("pods/log".to_owned(), "Pod", &["get"]));
        rows.push(row("pods/binding".to_owned(), "Binding", &["create"]));
        rows.push(row("pods/eviction".to_owned(), "Eviction", &["create"]));
    }
    rows
}
