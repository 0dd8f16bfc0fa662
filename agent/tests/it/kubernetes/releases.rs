//! Whole releases on a cluster: forward, back, and what keeps them from either.

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;
use teal_agent::api::Order;
use teal_agent::cluster::resource::BlueGreen;
use teal_rollout::colour::Colour::{Blue, Green};
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::kubernetes::Fate;
use teal_testkit::{get, until};

use super::cluster::{AGENT, Cluster};
use crate::manifests::roles::never_used;
use crate::site::Site;

/// An application whose `v1` serves from blue, with users.
async fn site(cluster: &Cluster) -> Site {
    cluster.settle().await;
    let mut site = cluster.plan().start().await;
    site.traffic.begin().await;
    site
}

async fn resource(cluster: &Cluster) -> BlueGreen {
    until("the resource is there", || async { cluster.api::<BlueGreen>().get("site").await.ok() }).await
}

/// Rights that this release has no need of: copies of what configures a colour (`configuration`), the lease (`two_agents`),
/// autoscalers (`autoscalers`), and what a Pod wrote last, which `teal deploy` asks for beside the controller.
const ELSEWHERE: [(&str, &str); 13] = [
    ("get", "configmaps"),
    ("create", "configmaps"),
    ("delete", "configmaps"),
    ("get", "secrets"),
    ("create", "secrets"),
    ("delete", "secrets"),
    ("get", "leases"),
    ("list", "leases"),
    ("watch", "leases"),
    ("create", "leases"),
    ("update", "leases"),
    ("patch", "horizontalpodautoscalers"),
    ("get", "pods/log"),
];

#[tokio::test]
async fn a_good_release_moves_the_edge_and_then_the_selectors_and_a_bad_one_comes_back() {
    let cluster = Cluster::start(&["api", "web"], "v1", 2).await;
    there_and_back(&cluster).await;
    let unneeded = never_used("teal-controller", &cluster.fake().used_by(AGENT), &ELSEWHERE);
    assert!(unneeded.is_empty(), "{unneeded:#?}");
}

#[tokio::test]
async fn on_a_real_control_plane_a_good_release_goes_through_and_a_bad_one_comes_back() {
    let Some(cluster) = Cluster::start_real(&["api", "web"], "v1", 2).await else { return };
    there_and_back(&cluster).await;
}

async fn there_and_back(cluster: &Cluster) {
    let site = site(cluster).await;

    let good = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(good).await, Outcome::Completed);
    for component in ["api", "web"] {
        cluster.wait_selects(component, Green).await;
        assert_eq!(cluster.deployment(component, Blue).await.spec.unwrap().replicas, Some(2), "the way back");
    }
    let document = resource(cluster).await.spec.state.unwrap();
    assert_eq!((document.release, document.phase), (good, Phase::Retaining));

    cluster.fault("v3", "errors=100%");
    let bad = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
    let after = site.traffic.mark();
    site.traffic.wait_for(100).await;
    let counts = site.traffic.since(after).await;
    assert_eq!((counts.version("v3").requests, counts.all.bad), (0, 0), "{:?}", site.history(bad).await);
    cluster.wait_selects("api", Green).await;
    for component in ["api", "web"] {
        cluster.wait_replicas(component, Blue, 0).await;
    }
    let all = site.traffic.counts().all;
    println!("on a cluster: {} requests, {} bad, {} lost", all.requests, all.bad, all.lost);
    assert_eq!(all.lost, 0);
    assert_eq!(get(site.edge, "/web/home").await.unwrap().header("x-version"), "v2");
}

#[tokio::test]
async fn an_old_colour_that_is_kept_in_one_pod_scales_up_before_traffic_goes_back_and_then_the_new_one_ends() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    cluster.settle().await;
    let stages = "[watch]\nretain = [{ for = \"1s\" }, { for = \"1h\", replicas = 1 }]\n";
    let mut site = cluster.plan().exchange("[watch]\n", stages).start().await;
    site.traffic.begin().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    assert_eq!(cluster.deployment("app", Blue).await.spec.unwrap().replicas, Some(2), "full at first");
    cluster.wait_replicas("app", Blue, 1).await;
    cluster.settle().await;
    let words = site
        .wait_status("it is reduced", |status| {
            status.scale_up.filter(|it| it.under_way.is_none()).map(|_| status.rollback_safe.clone())
        })
        .await;
    assert_eq!((words.yes, words.reason.as_str()), (true, "must scale up first"), "Teal never started v1 here");

    // One of two does not come: all traffic stays on v2.
    cluster.fate("app", Blue, Fate::Unschedulable("0/2 nodes are available".into())).await;
    site.order(Order::Rollback).await.unwrap();
    cluster.wait_replicas("app", Blue, 2).await;
    site.wait_status("it scales up", |status| status.scale_up.and_then(|it| it.under_way)).await;
    let mark = site.traffic.mark();
    site.traffic.wait_for(100).await;
    assert_eq!(site.traffic.since(mark).await.version("v1").requests, 0, "no traffic before it is full");

    cluster.fate("app", Blue, Fate::Ready).await;
    let back = |status: &teal_agent::api::Status| {
        let outcome = status.outcome.as_ref().and_then(|it| it.known().copied());
        (outcome == Some(Outcome::RolledBack) && status.phase.is(&Phase::Idle)).then_some(())
    };
    site.wait_status("it is rolled back", back).await;
    cluster.wait_replicas("app", Green, 0).await;
    cluster.wait_selects("app", Blue).await;
    assert_eq!(cluster.deployment("app", Blue).await.spec.unwrap().replicas, Some(2));
    assert_eq!(get(site.edge, "/home").await.unwrap().header("x-version"), "v1");
    let history = site.history(release).await;
    for words in ["the old colour is kept in 1 instance", "the old colour scales up, then traffic goes back to it"] {
        assert!(history.iter().any(|line| line.contains(words)), "{words} is not in {history:#?}");
    }
    assert_eq!(site.traffic.counts().all.bad, 0);
    assert_eq!(site.traffic.counts().all.lost, 0);
}

#[tokio::test]
async fn what_does_not_come_up_moves_no_traffic_and_says_why() {
    nothing_comes_up(Cluster::start(&["app"], "v1", 1).await).await;
}

#[tokio::test]
async fn on_a_real_control_plane_what_does_not_come_up_moves_no_traffic() {
    let Some(cluster) = Cluster::start_real(&["app"], "v1", 1).await else { return };
    nothing_comes_up(cluster).await;
}

async fn nothing_comes_up(cluster: Cluster) {
    cluster.settle().await;
    let mut site =
        cluster.plan().exchange("ready = \"/healthz\"", "ready = \"/healthz\"\nready_timeout = \"3s\"").start().await;
    site.traffic.begin().await;
    let check = async |version: &str, fate: Fate, words: &str| {
        cluster.fate("app", Green, fate).await;
        let release = site.deploy(version).await;
        assert_eq!(site.wait_outcome(release).await, Outcome::Aborted, "{version}");
        let history = site.history(release).await;
        assert!(history.iter().any(|line| line.contains(words)), "{version}: {words} is not in {history:#?}");
        cluster.wait_replicas("app", Green, 0).await;
        assert_eq!(cluster.selects("app").await, "blue");
    };
    check("v2", Fate::ImagePull, "cannot be pulled").await;
    let log = "out of luck".to_owned();
    check("v3", Fate::CrashLoop { restarts: 4, log }, "container app ended with exit status 1").await;
    check("v4", Fate::Unschedulable("0/2 nodes are available: insufficient memory".into()), "insufficient memory")
        .await;
    check("v5", Fate::Quota("exceeded quota: pods".into()), "exceeded quota: pods").await;
    check("v6", Fate::ProbeFails("503".into()), "its readiness probe fails").await;
    assert_eq!(site.traffic.counts().all.bad, 0);
}

#[tokio::test]
async fn a_release_without_room_for_both_colours_is_aborted_before_anything_moves() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let site = site(&cluster).await;
    // Nobody but us keeps its status, and the controller's role may read quotas, and no nodes.
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}},
    });
    let api = cluster.api::<ResourceQuota>();
    api.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    let status = |hard: &str| Patch::Merge(json!({"status": {"hard": {"pods": hard}, "used": {"pods": "2"}}}));
    api.patch_status("few", &PatchParams::default(), &status("3")).await.unwrap();
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Aborted);
    let history = site.history(release).await;
    let words = "no room for site-app-green: pods: needs 2, 1 free of quota few";
    assert!(history.iter().any(|line| line.contains(words)), "{history:#?}");
    let green = cluster.deployment("app", Green).await;
    assert_eq!((green.metadata.annotations, green.spec.unwrap().replicas), (None, Some(0)), "nothing was written");
    assert_eq!(site.traffic.counts().all.bad, 0);

    api.patch_status("few", &PatchParams::default(), &status("4")).await.unwrap();
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
}

#[tokio::test]
async fn pods_that_all_crash_after_the_switch_are_left_at_once() {
    all_crash(Cluster::start(&["app"], "v1", 2).await).await;
}

#[tokio::test]
async fn on_a_real_control_plane_pods_that_all_crash_are_left_at_once() {
    let Some(cluster) = Cluster::start_real(&["app"], "v1", 2).await else { return };
    all_crash(cluster).await;
}

async fn all_crash(cluster: Cluster) {
    cluster.settle().await;
    let mut site = cluster.plan().watch(20_000, 30_000).start().await;
    site.traffic.begin().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    cluster.fate("app", Green, Fate::CrashLoop { restarts: 5, log: "no more".into() }).await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    cluster.wait_selects("app", Blue).await;
    let history = site.history(release).await;
    println!("after the crash: {history:#?}, {:?}", site.traffic.counts().all);
}

#[tokio::test]
async fn a_new_colour_is_as_large_as_the_one_that_serves_and_a_rollback_by_hand_takes_it_away() {
    let cluster = Cluster::start(&["app"], "v1", 3).await;
    let site = site(&cluster).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    assert_eq!(cluster.deployment("app", Green).await.spec.unwrap().replicas, Some(3), "as many as served");
    site.order(Order::Rollback).await.unwrap();
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    cluster.wait_selects("app", Blue).await;
    cluster.wait_replicas("app", Green, 0).await;
}
