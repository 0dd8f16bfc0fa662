//! A whole release with an autoscaler on each colour: its least number is held for as long as there is a way back, then given back.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use serde_json::json;
use teal_agent::api::Order;
use teal_rollout::colour::Colour::{self, Blue, Green};
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::until;

use super::cluster::{AGENT, Cluster, create};
use crate::manifests::roles::never_used;
use crate::site::Site;

/// What people have written into both autoscalers.
const OWN: [Option<i32>; 2] = [Some(1), Some(1)];

/// v1 serves from blue in three Pods, wherever its autoscaler would go by itself.
async fn cluster() -> Cluster {
    let cluster = Cluster::start(&["app"], "v1", 3).await;
    for colour in Colour::BOTH {
        let name = format!("site-app-{colour}");
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
        let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 6});
        create(&cluster.api::<HorizontalPodAutoscaler>(), json!({"metadata": {"name": name}, "spec": spec})).await;
    }
    cluster.settle().await;
    cluster
}

/// With watches that end when the test says so.
async fn site(cluster: &Cluster, exchange: (&str, &str)) -> Site {
    let mut site = cluster.plan().watch(300_000, 300_000).exchange(exchange.0, exchange.1).start().await;
    site.traffic.begin().await;
    site
}

/// The least numbers of blue and green.
async fn least(cluster: &Cluster) -> [Option<i32>; 2] {
    let api = cluster.api::<HorizontalPodAutoscaler>();
    let mut least = [None; 2];
    for (colour, least) in Colour::BOTH.into_iter().zip(&mut least) {
        *least = api.get(&format!("site-app-{colour}")).await.unwrap().spec.unwrap().min_replicas;
    }
    least
}

async fn wait_least(cluster: &Cluster, wanted: [Option<i32>; 2]) {
    let same = || async { (least(cluster).await == wanted).then_some(()) };
    until(&format!("the autoscalers go by {wanted:?}"), same).await;
}

const HELD: [Option<i32>; 2] = [Some(3), Some(3)];

#[tokio::test]
async fn both_are_held_while_there_is_a_way_back_and_what_they_do_meanwhile_is_no_verdict() {
    let cluster = cluster().await;
    let site = site(&cluster, ("[watch]", "[watch]\nretain = [{ for = \"3s\", replicas = \"full\" }]")).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    assert_eq!(least(&cluster).await, HELD, "before anybody was moved");
    // What an autoscaler does: up, and down to its least number, on both colours.
    for (green, blue) in [(6, 3), (3, 5), (4, 3)] {
        cluster.run("app", Green, "v2", green).await;
        cluster.run("app", Blue, "v1", blue).await;
        cluster.settle().await;
        let status = site.status().await;
        assert!(status.phase.is(&Phase::Watching), "{:?}: {:?}", status.phase, site.history(release).await);
    }
    site.order(Order::Promote).await.unwrap();
    // Proven or not, by then: it depends on how many users came.
    let outcome = site.wait_outcome(release).await;
    assert!(matches!(outcome, Outcome::Completed | Outcome::Kept), "{outcome:?}: {:?}", site.history(release).await);
    assert_eq!(least(&cluster).await, HELD, "blue is the way back");
    cluster.wait_replicas("app", Blue, 0).await;
    wait_least(&cluster, OWN).await;
    assert_eq!(cluster.deployment("app", Green).await.spec.unwrap().replicas, Some(4), "as its autoscaler left it");
    assert_eq!(site.traffic.counts().all.bad, 0);
    let used = cluster.fake().used_by(AGENT);
    let unneeded = never_used("teal-controller", &used, &[]);
    let of_autoscalers = unneeded.iter().filter(|(_, _, resource)| resource == "horizontalpodautoscalers").count();
    assert_eq!(of_autoscalers, 0, "{unneeded:#?}");
}

#[tokio::test]
async fn a_rollback_gives_their_own_numbers_back_also_when_the_agent_is_killed_in_the_middle() {
    let cluster = cluster().await;
    let mut site = site(&cluster, ("[watch]", "[watch]\n")).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.order(Order::Rollback).await.unwrap();
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    cluster.wait_replicas("app", Green, 0).await;
    wait_least(&cluster, OWN).await;

    // Killed during the watch: held, whoever is alive.
    let release = site.deploy("v3").await;
    site.wait_phase(release, Phase::Watching).await;
    assert_eq!(least(&cluster).await, HELD);
    site.kill_agent();
    cluster.settle().await;
    assert_eq!(least(&cluster).await, HELD);
    site.start_agent().await;
    // It has yet to see what is ready, and the order waits for that.
    site.order(Order::Rollback).await.unwrap();
    // Killed again, before or after the autoscalers were let go: the next one does what is left.
    site.wait_running("traffic is back", |policy| policy.routes[0].serves(Blue) && !policy.routes[0].serves(Green))
        .await;
    site.kill_agent();
    site.start_agent().await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    cluster.wait_replicas("app", Green, 0).await;
    wait_least(&cluster, OWN).await;
    assert_eq!(cluster.deployment("app", Blue).await.spec.unwrap().replicas, Some(3));
}
