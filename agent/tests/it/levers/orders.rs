//! `rollback`, `promote`, `abort`, `pause` and `resume`, as commands.

use std::time::{Duration, Instant};

use teal_rollout::document::{Outcome, Phase};

use super::{says, serves_only};
use crate::site::Site;

#[tokio::test]
async fn a_rollback_by_hand_takes_less_than_a_second_in_the_watch_and_after_it() {
    let site = Site::new().start().await;
    let rollback = || {
        let asked = Instant::now();
        site.teal(&["rollback", "prod"]).expect(0, &["ok  rollback", "traffic is back on the old colour"]);
        let took = asked.elapsed();
        println!("teal rollback, command and all: {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    };
    let watched = site.deploy("v2").await;
    site.wait_phase(watched, Phase::Watching).await;
    rollback();
    serves_only(&site, "v1").await;
    assert_eq!(site.wait_outcome(watched).await, Outcome::RolledBack);
    let retained = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(retained).await, Outcome::Completed);
    rollback();
    serves_only(&site, "v1").await;
    says(&site, retained, "rolled back: ordered by ").await;
    assert_eq!(site.traffic.counts().all.lost, 0);
    site.wait_phase(retained, Phase::Idle).await;
    site.teal(&["rollback", "prod"]).expect(4, &["nothing to roll back"]);
}

#[tokio::test]
async fn a_rollback_to_an_older_release_releases_its_versions_again() {
    let site = Site::new().start().await;
    let second = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(second).await, Outcome::Completed);
    site.teal(&["rollback", "prod", "--to", "r-0001"]).expect(0, &["v2 -> v1", "ok  completed"]);
    serves_only(&site, "v1").await;
    assert_eq!(site.status().await.release.map(|release| release.0), Some(3));
    site.teal(&["rollback", "prod", "--to", "r-0099"]).expect(2, &["there is no release r-0099", "teal history"]);
}

#[tokio::test]
async fn promote_ends_a_watch_and_abort_ends_what_has_not_moved() {
    let site = Site::new().watch(20_000, 30_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.teal(&["abort", "prod"]).expect(4, &["traffic has moved: use `rollback`"]);
    site.traffic.wait_for(50).await;
    site.teal(&["promote", "prod"]).expect(0, &["goes on at once"]);
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.teal(&["promote", "prod"]).expect(4, &["there is nothing to promote"]);

    site.fault("v3", "slow-start=20s");
    let slow = site.deploy("v3").await;
    site.wait_phase(slow, Phase::Deploying).await;
    site.teal(&["promote", "prod"]).expect(4, &["wait until it is watched"]);
    site.teal(&["abort", "prod"]).expect(0, &["ends; traffic has not moved"]);
    site.teal(&["wait", "r-0003"]).expect(1, &["aborted"]);
    assert_eq!(site.wait_outcome(slow).await, Outcome::Aborted);
    serves_only(&site, "v2").await;
}

#[tokio::test]
async fn a_pause_holds_what_goes_forward_and_never_what_goes_back() {
    let site = Site::new().watch(500, 3_000).start().await;
    site.fault("v2", "none");
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.teal(&["pause", "prod"]).expect(0, &["paused: nothing moves forward"]);
    let elapsed = |status: &teal_agent::api::Status| status.watch.as_ref().map(|watch| watch.elapsed);
    let before = elapsed(&site.status().await);
    // More than twice the watch's shortest length.
    site.traffic.wait_for(250).await;
    let status = site.status().await;
    assert!(status.phase.is(&Phase::Watching) && status.paused.is_some(), "{status:?}");
    assert_eq!(elapsed(&status), before, "the watch stands still");
    site.teal(&["deploy", "prod", "v3"]).expect(7, &["the environment is paused", "`resume` first"]);
    site.fault("v2", "errors=100%");
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    site.teal(&["deploy", "prod", "v3"]).expect(7, &["paused by"]);
    site.teal(&["resume", "prod"]).expect(0, &["goes on"]);
    site.teal(&["deploy", "prod", "v3"]).expect(0, &["ok  completed"]);
}
