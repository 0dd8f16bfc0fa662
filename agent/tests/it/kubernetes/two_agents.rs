//! Two agents, each with an edge of its own, over one resource: one leads, both judge, either may die or stop.

use std::time::Duration;

use teal_agent::client::ClientError;
use teal_agent::cluster::resource::BlueGreen;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;
use teal_testkit::until;

use super::cluster::{AGENT, Cluster};
use crate::manifests::roles::never_used;
use crate::site::Site;

/// A lease that is held while a release is under way ends 15 s after its last renewal; then there is a look, a claim, a watch.
const TAKEOVER: Duration = Duration::from_secs(50);
const STEP: Duration = Duration::from_millis(20);

async fn edge(cluster: &Cluster, name: &str, peer: &str, watch: (u64, u64)) -> Site {
    let own = format!("name = \"{name}\"\npeers = [\"{peer}\"]\nbind = [");
    let mut site = cluster.plan().watch(watch.0, watch.1).exchange("bind = [", &own).start().await;
    site.traffic.begin().await;
    site
}

async fn pair(cluster: &Cluster, watch: (u64, u64)) -> [Site; 2] {
    cluster.settle().await;
    [edge(cluster, "north", "south", watch).await, edge(cluster, "south", "north", watch).await]
}

/// Orders a release at the agent that leads; its number, and which agent that was.
async fn deploy(sites: &[Site], version: &str) -> (u64, usize) {
    until("an agent leads", || async {
        for (index, site) in sites.iter().enumerate() {
            match site.try_deploy(version).await {
                Ok(accepted) => return Some((accepted.release.0, index)),
                Err(ClientError::Refused(problem)) if problem.exit == Some(4) || problem.exit == Some(5) => {}
                Err(error) => panic!("{error}"),
            }
        }
        None
    })
    .await
}

async fn outcome(cluster: &Cluster, release: u64) -> Option<Outcome> {
    let state = cluster.api::<BlueGreen>().get("site").await.ok()?.spec.state?;
    state.outcome.filter(|_| state.release == release)
}

/// That of the resource, however long a takeover takes.
async fn wait_outcome(cluster: &Cluster, release: u64) -> Outcome {
    let ended = async {
        loop {
            if let Some(outcome) = outcome(cluster, release).await {
                return outcome;
            }
            tokio::time::sleep(STEP).await;
        }
    };
    let ended = tokio::time::timeout(TAKEOVER, ended).await;
    ended.unwrap_or_else(|_| panic!("release {release} has not ended within {TAKEOVER:?}"))
}

/// Until the resource says so, and that both edges have moved: an agent that takes over knows nothing else.
async fn wait_watched(cluster: &Cluster, release: u64) {
    until("both edges are told to be watched", || async {
        let object = cluster.api::<BlueGreen>().get("site").await.ok()?;
        let state = object.spec.state.filter(|state| state.release == release && state.phase == Phase::Watching)?;
        let edges = object.status?.edges;
        let moved = edges.iter().filter(|edge| (edge.release, edge.step) == (release, state.step)).count();
        (moved == 2).then_some(())
    })
    .await;
}

async fn route_alike(sites: &[Site; 2]) {
    until("both edges route alike", || async {
        let [north, south] = [sites[0].running().await?, sites[1].running().await?];
        (north == south).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_edges_move_together_and_what_one_alone_sees_takes_both_back() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let mut sites = pair(&cluster, (2_000, 20_000)).await;
    let (good, leads) = deploy(&sites, "v2").await;
    assert_eq!(sites[leads].wait_outcome(good).await, Outcome::Completed);
    route_alike(&sites).await;

    // Nobody comes by the edge of the agent that leads: the other one alone can see it.
    sites[leads].traffic.end();
    cluster.fault("v3", "errors=100%");
    let (bad, _) = deploy(&sites, "v3").await;
    assert_eq!(sites[leads].wait_outcome(bad).await, Outcome::RolledBack);
    route_alike(&sites).await;
    let policy = sites[leads].running().await.unwrap();
    assert_eq!((policy.epoch.release, policy.epoch.verdict), (bad, Verdict::Bad));
    let counts = sites[1 - leads].traffic.counts().all;
    println!("seen by the follower alone: {} requests, {} bad, {} lost", counts.requests, counts.bad, counts.lost);
    assert_eq!(counts.lost, 0);
    // It is read where a write of it was refused, which nobody did here.
    let mut unneeded = never_used("teal-controller", &cluster.fake().used_by(AGENT), &[("get", "leases")]);
    unneeded.retain(|(_, _, resource)| resource == "leases");
    assert!(unneeded.is_empty(), "{unneeded:#?}");
}

#[tokio::test]
async fn an_agent_that_dies_while_it_leads_is_followed_by_the_other() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let mut sites = pair(&cluster, (2_000, 18_000)).await;
    let (release, leads) = deploy(&sites, "v2").await;
    wait_watched(&cluster, release).await;
    sites[leads].kill_agent();
    // Nobody watches its edge any more: what is not known is no proof, and no reason to go back.
    assert_eq!(wait_outcome(&cluster, release).await, Outcome::Kept);
    sites[leads].start_agent().await;
    assert_eq!(sites[leads].wait_outcome(release).await, Outcome::Kept);
    route_alike(&sites).await;
}

#[tokio::test]
async fn an_agent_that_stood_still_while_it_led_moves_nothing_when_it_wakes() {
    let cluster = Cluster::start(&["app"], "v1", 2).await;
    let sites = pair(&cluster, (2_000, 18_000)).await;
    let (first, leads) = deploy(&sites, "v2").await;
    wait_watched(&cluster, first).await;
    sites[leads].freeze_agent();
    // The other one ends it, and makes the next release; the one that stands still believes that it leads.
    assert_eq!(wait_outcome(&cluster, first).await, Outcome::Kept);
    let other = &sites[1 - leads];
    let second = other.try_deploy("v3").await;
    sites[leads].thaw_agent();
    let second = match second {
        Ok(accepted) => accepted.release.0,
        // The edge that stands still cannot be asked, so nothing new was begun without it.
        Err(ClientError::Refused(_)) => deploy(&sites, "v3").await.0,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(second, first + 1);
    assert_eq!(wait_outcome(&cluster, second).await, Outcome::Completed);
    route_alike(&sites).await;
    for site in &sites {
        assert_eq!(site.running().await.unwrap().epoch.release, second);
        assert_eq!(site.traffic.counts().all.lost, 0);
    }
}
