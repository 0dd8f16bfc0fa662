//! What a colour was configured by goes back with it.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;
use teal_rollout::colour::Colour::{self, Green};
use teal_rollout::document::Outcome;
use teal_testkit::until;

use super::cluster::{AGENT, Cluster};
use crate::manifests::roles::never_used;

/// The ConfigMap that a colour's template names, and what is in it.
async fn settings(cluster: &Cluster, colour: Colour) -> (String, String) {
    let deployment = cluster.deployment("app", colour).await;
    let container = deployment.spec.unwrap().template.spec.unwrap().containers.remove(0);
    let name = container.env_from.unwrap().remove(0).config_map_ref.unwrap().name;
    let found = cluster.api::<ConfigMap>().get(&name).await.unwrap();
    (name, found.data.unwrap()["LIMIT"].clone())
}

#[tokio::test]
async fn each_colour_keeps_the_configuration_that_it_was_released_with() {
    let cluster = Cluster::start(&["app"], "v1", 1).await;
    cluster.configure("app", "1").await;
    cluster.settle().await;
    let mut site = cluster.plan().start().await;
    site.traffic.begin().await;

    let first = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(first).await, Outcome::Completed);
    let (kept, limit) = settings(&cluster, Green).await;
    assert_eq!(limit, "1");
    assert!(kept.starts_with("site-app-green-"), "{kept}");
    let secrets = cluster.api::<Secret>().list(&ListParams::default()).await.unwrap().items;
    assert_eq!(secrets.iter().filter(|secret| secret.immutable == Some(true)).count(), 1);

    // The next release brings a new configuration, and is bad.
    let patch = Patch::Merge(json!({"data": {"LIMIT": "2"}}));
    cluster.api::<ConfigMap>().patch("settings", &PatchParams::default(), &patch).await.unwrap();
    cluster.fault("v3", "errors=100%");
    let bad = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
    assert_eq!(settings(&cluster, Colour::Blue).await.1, "2");
    assert_eq!(settings(&cluster, Green).await, (kept.clone(), "1".to_owned()), "the way back has its own");

    // Good ones take the configuration as it is now.
    let good = site.deploy("v4").await;
    assert_eq!(site.wait_outcome(good).await, Outcome::Completed);
    assert_eq!(settings(&cluster, Colour::Blue).await.1, "2");
    // A colour keeps the copies of the Pods before, which may still be there, and none that are older.
    for (version, limit, colour) in [("v5", "3", Green), ("v6", "4", Colour::Blue), ("v7", "5", Green)] {
        assert!(cluster.api::<ConfigMap>().get_opt(&kept).await.unwrap().is_some(), "{version}");
        let patch = Patch::Merge(json!({"data": {"LIMIT": limit}}));
        cluster.api::<ConfigMap>().patch("settings", &PatchParams::default(), &patch).await.unwrap();
        let patch = Patch::Merge(json!({"stringData": {"KEY": limit}}));
        cluster.api::<Secret>().patch("keys", &PatchParams::default(), &patch).await.unwrap();
        let next = site.deploy(version).await;
        assert_eq!(site.wait_outcome(next).await, Outcome::Completed);
        assert_eq!(settings(&cluster, colour).await.1, limit);
    }
    let gone = || async { cluster.api::<ConfigMap>().get_opt(&kept).await.unwrap().is_none().then_some(()) };
    until("the first copy is deleted", gone).await;

    let mut unneeded = never_used("teal-controller", &cluster.fake().used_by(AGENT), &[]);
    unneeded.retain(|(_, _, resource)| ["configmaps", "secrets"].contains(&resource.as_str()));
    assert!(unneeded.is_empty(), "{unneeded:#?}");
}
