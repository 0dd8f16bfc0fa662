//! `teal edge force`: with the agent dead, and with one alive.

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;

use super::serves_only;
use crate::site::Site;

/// The colour that serves when everything goes to the old one again.
async fn old(site: &Site) -> Colour {
    site.running().await.unwrap().routes[0].stable
}

#[tokio::test]
async fn with_the_agent_dead_it_moves_traffic_and_the_agent_abides_by_it() {
    let mut site = Site::new().start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.kill_agent();
    site.teal(&["status", "prod"]).expect(5, &["no agent", "this is what the edge itself says", "100 %"]);
    let colour = old(&site).await;
    let said = site.teal(&["edge", "force", "prod", colour.as_str(), "--reason", "the agent is dead"]);
    said.expect(0, &["ok   HAProxy routes by it", "ok   a restart of HAProxy routes by it too"]);
    serves_only(&site, "v1").await;
    let forced = site.running().await.unwrap();
    assert_eq!((forced.routes[0].share, forced.epoch.verdict), (Share::NONE, Verdict::Bad));
    assert_eq!(site.saved(), Some(forced));
    let record = std::fs::read_to_string(site.path("edge.map.forced")).unwrap();
    assert!(record.contains("the agent is dead"), "{record}");

    site.start_agent().await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    serves_only(&site, "v1").await;
    assert_eq!(site.traffic.counts().all.bad, 0);
    let next = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(next).await, Outcome::Completed);
}

#[tokio::test]
async fn beside_a_living_agent_it_is_a_rollback_that_the_agent_learns_of() {
    let site = Site::new().watch(20_000, 30_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let colour = old(&site).await;
    let said = site.teal(&["edge", "force", "prod", colour.as_str(), "--reason", "now"]);
    let note = format!("note an agent (pid {}) drives this edge", site.agent_pid());
    said.expect(0, &["ok   HAProxy routes by it", &note]);
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    serves_only(&site, "v1").await;
    assert_eq!(site.traffic.counts().all.bad, 0);
}
