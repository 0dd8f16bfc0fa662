//! Lists: selectors, pages, revisions.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{DeleteParams, ListParams, VersionMatch};
use serde_json::json;

use crate::cluster::{Cluster, config_map, is_refused, names, pod};

pub(crate) async fn selectors_choose(cluster: Cluster) {
    for name in ["a", "b", "c"] {
        let _: ConfigMap = cluster.create(config_map(name, &json!({}))).await;
    }
    for (name, node) in [("p", "n1"), ("q", "n2"), ("r", "")] {
        let _: Pod = cluster.create(pod(name, node)).await;
    }
    let maps = cluster.api::<ConfigMap>();
    let check = async |labels: &str, expected: &[&str]| {
        let found = maps.list(&ListParams::default().labels(labels)).await.unwrap();
        assert_eq!(names(&found.items), expected, "{labels}");
    };
    check("app in (a,b)", &["a", "b"]).await;
    check("app notin (a,b)", &["c"]).await;
    check("app,app!=a", &["b", "c"]).await;
    check("!app", &[]).await;
    let pods = cluster.api::<Pod>();
    let check = async |fields: &str, expected: &[&str]| {
        let found = pods.list(&ListParams::default().fields(fields)).await.unwrap();
        assert_eq!(names(&found.items), expected, "{fields}");
    };
    check("spec.nodeName=n1", &["p"]).await;
    check("spec.nodeName=", &["r"]).await;
    check("metadata.name!=q", &["p", "r"]).await;
    let unknown = pods.list(&ListParams::default().fields("spec.hostname=x")).await;
    is_refused(unknown, 400, "BadRequest", "field label not supported");
}

pub(crate) async fn pages_show_one_moment(cluster: Cluster) {
    for name in ["a", "b", "c", "d"] {
        let _: ConfigMap = cluster.create(config_map(name, &json!({}))).await;
    }
    let api = cluster.api::<ConfigMap>();
    let by_two = ListParams::default().limit(2);
    let first = api.list(&by_two).await.unwrap();
    assert_eq!(names(&first.items), ["a", "b"]);
    assert_eq!(first.metadata.remaining_item_count, Some(2));
    api.delete("c", &DeleteParams::default()).await.unwrap();
    let _: ConfigMap = cluster.create(config_map("e", &json!({}))).await;
    let token = first.metadata.continue_.clone().unwrap();
    let second = api.list(&by_two.clone().continue_token(&token)).await.unwrap();
    assert_eq!(names(&second.items), ["c", "d"]);
    assert_eq!(second.metadata.resource_version, first.metadata.resource_version);
    assert!(second.metadata.continue_.unwrap_or_default().is_empty());
    assert_eq!(names(&api.list(&ListParams::default()).await.unwrap().items), ["a", "b", "d", "e"]);
    if let Some(fake) = &cluster.fake {
        fake.compact();
        is_refused(api.list(&by_two.continue_token(&token)).await, 410, "Expired", "continue parameter is too old");
    }
}

pub(crate) async fn a_revision_may_be_too_new_or_too_old(cluster: Cluster) {
    let _: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let api = cluster.api::<ConfigMap>();
    let then = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let _: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    let at = |version: &str, how| ListParams::default().at(version).matching(how);
    assert_eq!(names(&api.list(&at(&then, VersionMatch::Exact)).await.unwrap().items), ["a"]);
    // Out of a cache, and in no order.
    let mut newest = names(&api.list(&at(&then, VersionMatch::NotOlderThan)).await.unwrap().items);
    newest.sort_unstable();
    assert_eq!(newest, ["a", "b"]);
    let newer = api.list(&at("999999999", VersionMatch::NotOlderThan)).await;
    is_refused(newer, 504, "Timeout", "Too large resource version");
    if let Some(fake) = &cluster.fake {
        fake.compact();
        is_refused(api.list(&at(&then, VersionMatch::Exact)).await, 410, "Expired", "too old");
    }
}
