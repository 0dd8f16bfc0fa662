//! What failed is found and named: in the verdict, in `teal explain`, in its JSON and in its picture.

use teal_agent::api::{Explanation, Mark, PlaceKind, ReleaseId, Suspect};
use teal_rollout::document::{Outcome, Phase};
use teal_testkit::until;

use super::says;
use crate::site::{ENVIRONMENT, Site};

async fn explained(site: &Site, release: u64) -> Explanation {
    site.client.explain(ENVIRONMENT, ReleaseId(release)).await.unwrap()
}

fn first_suspect(explanation: &Explanation) -> &Suspect {
    let suspects = &explanation.judgements[0].evidence.suspects;
    suspects.first().unwrap_or_else(|| panic!("nothing stands out in {explanation:#?}"))
}

#[tokio::test]
async fn a_version_whose_writes_fail_is_taken_back_and_the_writes_are_named() {
    let site = Site::new().asked(&["/home", "/home", "/home", "POST /home"]).start().await;
    let mark = site.traffic.mark();
    site.fault("v2", "errors=100%,methods=write");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "requests bad, writes only, log M").await;
    let explanation = explained(&site, release).await;
    let suspect = first_suspect(&explanation);
    assert!(suspect.place.is(&PlaceKind::Writes) && suspect.inside.bad == suspect.inside.requests, "{suspect}");
    assert_eq!(suspect.outside.bad, 0, "{suspect}");
    let id = ReleaseId(release).to_string();
    let said = site.teal(&["explain", &id]);
    said.expect(0, &["writes only: ", " bad; reads 0 of ", "| over", "old green: probes passed", "traffic is back"]);
    println!("{}", said.text);
    site.teal(&["explain", &id, "--json"]).expect(0, &["\"place\":\"writes\"", "\"mark\":\"verdict\"", "\"asked\":[{"]);
    site.teal(&["explain", &id, "--svg", "release.svg"]).expect(0, &["release.svg is drawn"]);
    let svg = std::fs::read_to_string(site.path("release.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("writes only: ") && svg.contains(">called bad<"), "{svg}");
    let all = site.traffic.since(mark).await.all;
    println!("writes fail: {} of {} requests bad, {} lost", all.bad, all.requests, all.lost);
    assert!(all.bad <= 60 && all.lost == 0, "{all:?}");
}

#[tokio::test]
async fn one_bad_replica_of_three_is_taken_back_and_named() {
    let site = Site::new()
        .replicas(3)
        .exchange("\"--colour\", \"{colour}\"", "\"--colour\", \"{colour}\", \"--slot\", \"{slot}\"")
        .start()
        .await;
    site.fault("v2", "errors=100%,replica=2");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "requests bad, server s2 only, log M").await;
    let explanation = explained(&site, release).await;
    let suspect = first_suspect(&explanation);
    assert!(suspect.place.is(&PlaceKind::Server) && suspect.name == "s2", "{suspect}");
    let id = ReleaseId(release).to_string();
    let said = site.teal(&["explain", &id]);
    said.expect(0, &["server s2: ", " bad; others 0 of "]);
    println!("{}", said.text);
}

#[tokio::test]
async fn the_evidence_over_time_outlives_the_agent() {
    let mut site = Site::new().watch(4_000, 12_000).start().await;
    site.fault("v2", "errors=100%");
    let bad = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
    let before = explained(&site, bad).await.timeline.expect("the bad release has a time line");
    let marks = before.lines[0].points.iter().filter_map(|point| point.mark.as_ref()?.known().copied());
    assert!(marks.clone().any(|mark| mark == Mark::Crossed) && marks.clone().any(|mark| mark == Mark::Verdict));

    let good = site.deploy("v3").await;
    site.wait_phase(good, Phase::Watching).await;
    site.traffic.wait_for(100).await;
    site.stop_agent();
    site.start_agent().await;
    // What was written with the verdict is read back from the store.
    assert_eq!(explained(&site, bad).await.timeline, Some(before));
    let resumed = || async {
        let line = explained(&site, good).await.timeline?.lines.pop()?;
        let at = line.points.iter().position(|p| p.mark.as_ref().is_some_and(|mark| mark.is(&Mark::Resumed)))?;
        (at > 0 && line.points.len() > at + 3).then_some(())
    };
    until("the line goes on after a gap", resumed).await;
    assert_eq!(site.wait_outcome(good).await, Outcome::Completed);
    site.teal(&["explain"])
        .expect(0, &["completed", "resumed", "undo, while the old colour is kept: teal rollback prod"]);
}
