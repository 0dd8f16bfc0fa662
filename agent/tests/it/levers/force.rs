//! `teal edge force`: with the agent dead, and with one alive.

use teal_rollout::colour::{Colour, Share};
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;

use super::{says, serves_only};
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
    // Who and why, in their own words.
    says(&site, release, ": now").await;
    site.teal(&["history", "prod"]).expect(0, &["        moved by ", ": now\n"]);
    site.teal(&["explain", "r-0002"]).expect(0, &["cause: moved by ", ": now\n"]);
}

#[tokio::test]
async fn a_colour_without_a_server_is_refused_unless_it_is_meant() {
    let mut site = Site::new().start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.kill_agent();
    let colour = old(&site).await;
    let line = format!("set server teal_prod_app_{colour}/s1 state maint");
    let said = teal_testkit::runtime(&site.haproxy.admin_socket(), &line).await.unwrap();
    assert_eq!(said.trim(), "", "{line}");
    let force = |more: &[&str]| {
        let words = ["edge", "force", "prod", colour.as_str(), "--reason", "it was stopped"];
        site.teal(&[&words[..], more].concat())
    };
    let before = site.running().await;
    let counts = format!("app has 0 servers UP on {colour}, and 1 on {}", colour.other());
    force(&[]).expect(4, &["nothing was moved", &counts, "--anyway   moves there all the same"]);
    assert_eq!((site.running().await, site.saved()), (before.clone(), before));
    serves_only(&site, "v2").await;
    force(&["--anyway"]).expect(0, &[&counts, "ok   HAProxy routes by it"]);
    assert_eq!(teal_testkit::get(site.edge, "/").await.unwrap().status, 503);
}

#[tokio::test]
async fn an_edge_that_does_not_answer_is_the_first_thing_that_is_said() {
    let mut site = Site::new().start().await;
    // A second HAProxy that was started beside it took the socket's path, and failed.
    let socket = site.path("edge.sock");
    std::fs::remove_file(&socket).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let first = |site: &Site, words: &[&str]| {
        let said = site.teal(&["status", "prod"]);
        said.expect(5, words);
        assert!(said.text.lines().nth(1).unwrap().contains("EDGE"), "{}", said.text);
    };
    let problem = |words: String| {
        move |status: &teal_agent::api::Status| {
            status.edges[0].problem.as_ref().filter(|problem| problem.contains(&words)).map(|_| ())
        }
    };
    let served = format!("but somebody serves port {}", site.edge.port());
    site.wait_status("the socket is dead", problem(served.clone())).await;
    first(&site, &[&served, "Stop it and start it once"]);
    serves_only(&site, "v1").await;

    site.haproxy.kill().await;
    site.wait_status("HAProxy is dead", problem("HAProxy is not running".to_owned())).await;
    first(&site, &["HAProxy is not running"]);
    site.kill_agent();
    site.teal(&["edge", "force", "prod", "green", "--reason", "all is dead"])
        .expect(5, &["note nobody knows whether a server is UP there", "!!   HAProxy does not route by it yet"]);
}
