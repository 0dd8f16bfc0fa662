//! Both colours fail: nothing is switched, people are told, and what comes after is judged as before.

use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};

use teal_testkit::until;
use time::OffsetDateTime;

use super::{is_told, says, telling, told};
use crate::site::Site;

/// What both colours stand on breaks, and is mended after a while. The old colour is the first to fail and the last to
/// recover: at no moment does only the new one fail.
async fn outage(site: &Site, [old, new]: [&str; 2], length: Duration) {
    site.fault(old, "errors=100%");
    site.fault(new, "errors=100%");
    tokio::time::sleep(length).await;
    site.fault(new, "none");
    site.fault(old, "none");
}

/// A site whose edge bears with a machine that does much else, and with a release in its watch.
async fn watched() -> (Site, u64) {
    let patient = "[environments.prod.edge.timeouts]\ncheck = \"2s\"\nconnect = \"2s\"";
    let site = telling(Site::new()).more(patient).watch(3_000, 12_000).rps(400).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.traffic.wait_for(100).await;
    (site, release)
}

/// An outage of this length in a watch, and what follows.
async fn check(length: Duration) {
    let (site, release) = watched().await;
    outage(&site, ["v1", "v2"], length).await;
    let over = site.traffic.mark();
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed, "{:#?}", site.history(release).await);
    says(&site, release, "shared outage: both colours of app fail, nothing is switched").await;
    says(&site, release, "the shared outage is over; the evidence starts anew").await;
    is_told(&site, "shared_outage", true).await;
    is_told(&site, "shared_outage_over", false).await;
    assert!(!told(&site).iter().any(|(kind, _)| kind == "bad"));
    assert_eq!(site.traffic.since(over).await.all.bad, 0);
    println!("shared outage of {length:?}: held, {} requests bad", site.traffic.counts().all.bad);

    site.fault("v3", "errors=100%");
    let bad = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
}

/// Its limit: an outage that is over before the old colour could be asked looks like a bad release. The old colour is
/// asked within milliseconds, but on a machine that does much else that may be after the outage.
#[tokio::test]
async fn an_outage_of_50_ms_is_not_blamed_on_the_release_while_the_old_colour_shows_it_too() {
    let (site, release) = watched().await;
    outage(&site, ["v1", "v2"], Duration::from_millis(50)).await;
    let over = OffsetDateTime::now_utc();
    let outcome = site.wait_outcome(release).await;
    println!("shared outage of 50 ms: {outcome:?}, {} requests bad", site.traffic.counts().all.bad);
    if outcome == Outcome::RolledBack {
        let called = site.when(release, "bad").await;
        assert!(called > over, "called bad {} before the outage was over", over - called);
    } else {
        assert_eq!(outcome, Outcome::Completed);
        says(&site, release, "shared outage: both colours of app fail, nothing is switched").await;
    }
}

#[tokio::test]
async fn an_outage_of_1_s_is_not_blamed_on_the_release() {
    check(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn an_outage_of_5_s_is_not_blamed_on_the_release() {
    check(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_bad_release_beside_a_bad_old_colour_is_held_until_the_old_one_recovers() {
    let site = telling(Site::new()).watch(2_000, 4_000).start().await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.fault("v1", "errors=100%");
    site.fault("v2", "errors=100%");
    let outage = |status: &teal_agent::api::Status| status.shared_outage.clone();
    assert_eq!(site.wait_status("the outage shows", outage).await, "app");
    is_told(&site, "shared_outage", true).await;
    // Longer than the watch: time does not count while nothing can be told.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let status = site.status().await;
    assert!(status.phase.is(&Phase::Watching) && status.shared_outage.is_some(), "{status:?}");
    assert_eq!(site.running().await.unwrap().routes[0].share, Share::ALL);
    site.fault("v1", "none");
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "bad: errors of app").await;
}

/// Errors that came in a cluster are worth little each, before and after the switch: the watch may not end meanwhile.
#[tokio::test]
async fn an_old_colour_that_failed_before_the_release_makes_the_watch_longer_and_no_bad_release_good() {
    let site = Site::new().watch(1_000, 30_000).start().await;
    let mark = site.traffic.mark();
    site.fault("v1", "errors=100%");
    until("the old colour has failed 150 times", || async { (site.traffic.counts().all.bad >= 150).then_some(()) })
        .await;
    site.fault("v1", "none");
    site.fault("v2", "errors=100%");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack, "{:#?}", site.history(release).await);
    let bad = site.traffic.since(mark).await.version("v2").bad;
    println!("after an outage of the old colour: {bad} requests to detect 100 %");

    let good = site.deploy("v3").await;
    assert_eq!(site.wait_outcome(good).await, Outcome::Completed, "{:#?}", site.history(good).await);
}
