//! Deletes: conditions, finalizers, grace, collections, evictions.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, EvictParams, ListParams, Patch, PatchParams, Preconditions};
use serde_json::json;

use crate::cluster::{Cluster, config_map, is_refused, names, pod};

pub(crate) async fn a_delete_may_have_conditions(cluster: Cluster) {
    let made: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let api = cluster.api::<ConfigMap>();
    let only = |uid: Option<String>, resource_version: Option<String>| DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version }),
        ..DeleteParams::default()
    };
    let other = Some("00000000-0000-0000-0000-000000000000".to_owned());
    is_refused(api.delete("a", &only(other, None)).await, 409, "Conflict", "recondition");
    is_refused(api.delete("a", &only(None, Some("1".to_owned()))).await, 409, "Conflict", "");
    let done = api.delete("a", &only(made.uid(), made.resource_version())).await.unwrap();
    assert!(done.right().is_some_and(|status| status.is_success()));
    is_refused(api.delete("a", &DeleteParams::default()).await, 404, "NotFound", "configmaps \"a\" not found");
}

pub(crate) async fn finalizers_hold(cluster: Cluster) {
    let mut held = config_map("a", &json!({}));
    held["metadata"]["finalizers"] = json!(["teal.example/hold"]);
    let _: ConfigMap = cluster.create(held).await;
    let api = cluster.api::<ConfigMap>();
    let leaving = api.delete("a", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert!(leaving.metadata.deletion_timestamp.is_some());
    let again = api.delete("a", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(again.resource_version(), leaving.resource_version());
    let freed = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    api.patch("a", &PatchParams::default(), &freed).await.unwrap();
    is_refused(api.get("a").await, 404, "NotFound", "");
}

pub(crate) async fn a_pod_on_a_node_gets_time(cluster: Cluster) {
    let _: Pod = cluster.create(pod("waiting", "")).await;
    let _: Pod = cluster.create(pod("running", "n1")).await;
    let api = cluster.api::<Pod>();
    api.delete("waiting", &DeleteParams::default()).await.unwrap();
    is_refused(api.get("waiting").await, 404, "NotFound", "");
    let leaving = api.delete("running", &DeleteParams::default()).await.unwrap().left().unwrap();
    assert_eq!(leaving.metadata.deletion_grace_period_seconds, Some(30));
    assert!(api.get("running").await.unwrap().metadata.deletion_timestamp.is_some());
    // What its node says when it has ended.
    api.delete("running", &DeleteParams::default().grace_period(0)).await.unwrap();
    is_refused(api.get("running").await, 404, "NotFound", "");
}

pub(crate) async fn a_collection_goes_by_selector(cluster: Cluster) {
    for name in ["a", "b", "c"] {
        let _: ConfigMap = cluster.create(config_map(name, &json!({}))).await;
    }
    let api = cluster.api::<ConfigMap>();
    api.delete_collection(&DeleteParams::default(), &ListParams::default().labels("app in (a,b)")).await.unwrap();
    let left = api.list(&ListParams::default().labels("app")).await.unwrap();
    assert_eq!(names(&left.items), ["c"]);
}

pub(crate) async fn an_eviction_asks_the_budget(cluster: Cluster) {
    let budget = json!({
        "metadata": {"name": "b"},
        "spec": {"maxUnavailable": 1, "selector": {"matchExpressions": [
            {"key": "app", "operator": "In", "values": ["api"]},
        ]}},
    });
    let _: PodDisruptionBudget = cluster.create(budget).await;
    // Ready, or the budget does not count it.
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let api = cluster.api::<Pod>();
    for name in ["p", "q"] {
        let _: Pod = cluster.create(pod(name, "n1")).await;
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(ready.clone())).await.unwrap();
    }
    let status = |allowed: i32| {
        let status = json!({
            "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 1,
            "expectedPods": 2,
        });
        Patch::Merge(json!({"status": status}))
    };
    let budgets = cluster.api::<PodDisruptionBudget>();
    budgets.patch_status("b", &PatchParams::default(), &status(0)).await.unwrap();
    is_refused(api.evict("p", &EvictParams::default()).await, 429, "TooManyRequests", "disruption budget");
    budgets.patch_status("b", &PatchParams::default(), &status(1)).await.unwrap();
    api.evict("p", &EvictParams::default()).await.unwrap();
    assert!(api.get("p").await.unwrap().metadata.deletion_timestamp.is_some());
    // It allowed one; who asks before a controller has counted anew gets no second one.
    is_refused(api.evict("q", &EvictParams::default()).await, 429, "TooManyRequests", "disruption budget");
    assert_eq!(budgets.get("b").await.unwrap().status.unwrap().disruptions_allowed, 0);
    // What leaves already needs no leave.
    api.evict("p", &EvictParams::default()).await.unwrap();
}
