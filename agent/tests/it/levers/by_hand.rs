//! `set map` by somebody with a shell: a move to the last good colour is right and final, any other is put back.

use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};

use super::{says, serves_only, set_map};
use crate::site::Site;

#[tokio::test]
async fn a_move_to_the_last_good_colour_is_adopted() {
    let site = Site::new().watch(20_000, 30_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let mut policy = site.running().await.unwrap();
    policy.routes[0].share = Share::NONE;
    set_map(&site, &policy).await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "a move by hand to the last good colour was adopted").await;
    says(&site, release, "rolled back: moved by hand").await;
    serves_only(&site, "v1").await;
    assert_eq!(site.running().await, site.saved());
}

#[tokio::test]
async fn a_move_to_a_bad_colour_is_put_back_and_announced() {
    let site = Site::new().start().await;
    site.fault("v2", "errors=100%");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    let good = site.running().await.unwrap();
    let mut policy = good.clone();
    policy.routes[0] = teal_rollout::policy::Route {
        stable: good.routes[0].stable,
        candidate: good.routes[0].stable.other(),
        share: Share::ALL,
    };
    set_map(&site, &policy).await;
    let back = site.wait_running("the move is put back", |running| running.routes == good.routes).await;
    println!("a move by hand to a bad colour: put back after {back:?}");
    says(&site, release, "a move by hand to an unproven colour was put back").await;
    serves_only(&site, "v1").await;
    assert_eq!(site.running().await, site.saved());
}

#[tokio::test]
async fn in_a_pause_a_move_is_left_alone_until_it_ends() {
    let site = Site::new().start().await;
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    site.teal(&["pause", "prod"]).expect(0, &["what is moved by hand is left alone"]);
    let ordered = site.running().await.unwrap();
    let mut policy = ordered.clone();
    policy.routes[0].share = Share::percent(50);
    set_map(&site, &policy).await;
    // Far longer than the agent takes to see it.
    site.traffic.wait_for(200).await;
    assert_eq!(site.running().await, Some(policy));
    assert!(!site.history(release).await.iter().any(|line| line.contains("by hand")));
    site.teal(&["resume", "prod"]).expect(0, &[]);
    site.wait_running("the move is put back", |running| running.routes == ordered.routes).await;
    serves_only(&site, "v2").await;
}
