//! Releases while the cluster has troubles of its own.

use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use teal_agent::cluster::resource::BlueGreen;
use teal_rollout::colour::Colour::{Blue, Green};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;
use teal_testkit::kubernetes::{Cut, Failure, Fault};
use teal_testkit::until;

use super::cluster::{AGENT, Cluster};
use crate::site::Site;

/// Requests of users, a second.
const RPS: u32 = 200;

/// One component whose `v1` serves, with users; the watch takes from `min` to `max` milliseconds.
async fn site(cluster: &Cluster, min: u64, max: u64) -> Site {
    cluster.settle().await;
    let mut site = cluster.plan().rps(RPS).watch(min, max).start().await;
    site.traffic.begin().await;
    site
}

#[tokio::test]
async fn a_bad_release_is_taken_back_while_the_api_server_is_away_and_told_when_it_returns() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let site = site(&cluster, 20_000, 60_000).await;
    cluster.fault("v2", "late=1500ms,errors=100%");
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    cluster.wait_selects("app", Green).await;
    cluster.lose_api().await;
    site.wait_running("the edge is back on blue", |policy| policy.epoch.verdict == Verdict::Bad).await;
    let (mark, away) = (site.traffic.mark(), Instant::now());
    // A minute, four times as long as a lease: nobody may say any more who leads.
    for _ten_seconds in 0..6 {
        site.traffic.wait_for(10 * u64::from(RPS)).await;
    }
    let counts = site.traffic.since(mark).await;
    assert_eq!((counts.version("v2").requests, counts.all.bad), (0, 0), "{:?}", site.history(release).await);

    println!("away for {:?}, {} requests of users, none bad", away.elapsed(), counts.all.requests);
    let back = Instant::now();
    cluster.regain_api().await;
    until("the verdict is in the resource", || async {
        let state = cluster.api::<BlueGreen>().get("site").await.ok()?.spec.state?;
        (state.verdict == Verdict::Bad).then_some(())
    })
    .await;
    println!("published {:?} after the API server's return", back.elapsed());
    cluster.wait_selects("app", Blue).await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    cluster.wait_replicas("app", Green, 0).await;
}

#[tokio::test]
async fn pods_that_come_and_go_during_the_watch_are_no_verdict() {
    let cluster = Cluster::start(&["app"], "v1", 4).await;
    // Long enough for all that follows, on a busy machine too: the watch must not end before it.
    let site = site(&cluster, 15_000, 60_000).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    // An autoscaler, a drain, somebody with kubectl.
    cluster.run("app", Green, "v2", 6).await;
    cluster.drain("node-1").await;
    cluster.settle().await;
    cluster.run("app", Green, "v2", 3).await;
    cluster.settle().await;
    let status = site.status().await;
    assert!(status.phase.is(&Phase::Watching), "{:?}: {:?}", status.phase, site.history(release).await);
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
}

#[tokio::test]
async fn a_drain_of_the_only_pod_of_a_colour_is_no_outage() {
    let cluster = Cluster::start(&["app"], "v1", 1).await;
    let site = site(&cluster, 2_000, 6_000).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let pods = cluster.api::<Pod>().list(&ListParams::default().labels("version=green")).await.unwrap().items;
    let [pod] = pods.as_slice() else { panic!("one Pod was wanted: {pods:?}") };
    cluster.drain(pod.spec.as_ref().unwrap().node_name.as_ref().unwrap()).await;
    cluster.settle().await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed, "{:?}", site.history(release).await);
}

#[tokio::test]
async fn a_selector_that_somebody_moves_is_told_once_and_not_fought() {
    let cluster = Cluster::start(&["app"], "v1", 1).await;
    let site = site(&cluster, 1_000, 3_000).await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    cluster.wait_selects("app", Green).await;
    cluster.fake().forget_used();
    cluster.select("app", Blue).await;
    until("it is told", || async {
        site.history(release).await.iter().any(|line| line.contains("pointed the service")).then_some(())
    })
    .await;
    // The edge goes on: users are where they were.
    let mark = site.traffic.mark();
    site.traffic.wait_for(100).await;
    let counts = site.traffic.since(mark).await;
    assert_eq!(counts.version("v2").requests, counts.all.requests);
    let told = site.history(release).await.iter().filter(|line| line.contains("pointed the service")).count();
    assert_eq!(
        (told, cluster.selects("app").await.as_str()),
        (1, "blue"),
        "it is put back in half a minute, not at once"
    );
}

#[tokio::test]
async fn conflicts_errors_lost_answers_and_cut_watches_hold_up_nothing_for_long() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let site = site(&cluster, 1_000, 10_000).await;
    let faults = [
        Fault::new(Failure::Conflict).on(&["patch", "update"]).by(AGENT).times(5),
        Fault::new(Failure::Error(500)).by(AGENT).times(5),
        Fault::new(Failure::Lost).on(&["patch", "create"]).by(AGENT).times(2),
        Fault::new(Failure::TooManyRequests(1)).on(&["get"]).by(AGENT).times(2),
    ];
    for fault in faults {
        cluster.fake().fail(fault);
    }
    let release = site.deploy("v2").await;
    for cut in [Cut::Dropped, Cut::Expired, Cut::Ended] {
        cluster.fake().cut_watches(cut);
    }
    cluster.fake().compact();
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed, "{:?}", site.history(release).await);
    cluster.wait_selects("app", Green).await;
    assert_eq!(site.traffic.counts().all.lost, 0);
}

#[tokio::test]
async fn an_agent_that_is_killed_in_any_phase_goes_on_where_it_was() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let mut site = site(&cluster, 1_000, 10_000).await;
    for (number, phase) in [(2, Phase::Deploying), (3, Phase::Watching), (4, Phase::Retaining)] {
        let release = site.deploy(&format!("v{number}")).await;
        site.wait_phase(release, phase).await;
        site.kill_agent();
        site.start_agent().await;
        assert_eq!(site.wait_outcome(release).await, Outcome::Completed, "{phase:?}");
        let state = cluster.api::<BlueGreen>().get("site").await.unwrap().spec.state.unwrap();
        assert_eq!((state.release, state.verdict), (release, Verdict::Open), "{phase:?}");
    }
    // A bad one, and the agent dies while it takes it back.
    cluster.fault("v5", "errors=100%");
    let release = site.deploy("v5").await;
    site.wait_running("the way back has begun", |policy| policy.epoch.verdict == Verdict::Bad).await;
    site.kill_agent();
    site.start_agent().await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    assert_eq!(site.traffic.counts().all.lost, 0);
}

#[tokio::test]
async fn at_rest_an_agent_asks_for_next_to_nothing() {
    let cluster = Cluster::start(&["api", "web"], "v1", 2).await;
    cluster.settle().await;
    let mut site = cluster.plan().start().await;
    site.traffic.begin().await;
    let release = site.deploy("v2").await;
    cluster.fake().forget_used();
    let began = Instant::now();
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    cluster.wait_selects("web", Green).await;
    let asked = |what: &str, since: Instant| {
        let used = cluster.fake().used();
        let own: Vec<_> = used.iter().filter(|used| used.user == AGENT && used.verb != "watch").collect();
        println!("{what}: {} requests beside watches in {:?}", own.len(), since.elapsed());
        own.len()
    };
    asked("a release of two components", began);
    // The last words of the release, then rest: a thousand requests of users take some five seconds.
    let quiet = || async {
        cluster.fake().forget_used();
        let began = Instant::now();
        site.traffic.wait_for(1_000).await;
        (asked("at rest", began) == 0).then_some(())
    };
    until("nothing is asked while a thousand users come", quiet).await;
}
