//! Both colours fail: nothing is switched, people are told, and what comes after is judged as before.
//!
//! `TEAL_OUTAGES=20` tries each length so often, at 100 and at 1,000 requests a second, and prints what became of each.
//! Without it there are fewer tries, and fewer requests where they would be a load for a machine that does much else.

use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};

use teal_testkit::until;

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

/// A site whose edge and limits bear with a machine that does much else, with a watch that an outage fits into.
async fn site(rps: u32) -> Site {
    let patient = "[environments.prod.edge.timeouts]\ncheck = \"2s\"\nconnect = \"2s\"";
    let plan = telling(Site::new()).more(patient).exchange("latency = \"800ms\"", "latency = \"2500ms\"");
    plan.watch(2_000, 12_000).rps(rps).start().await
}

/// So many requests a second in the suite, 1,000 in the long run.
fn load() -> u32 {
    if std::env::var_os("TEAL_OUTAGES").is_some() { 1000 } else { 400 }
}

/// So many bad requests in an outage are a verdict. One of 50 ms at 100 rps is five, and with jitter, or on a machine that
/// does much else, now and then too few.
const ENOUGH: u64 = 8;

/// What was seen of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It was too short for a verdict.
    Nothing,
    /// The old colour failed too when it was asked.
    Open,
    /// It was over when the old colour was asked.
    Over,
}

/// An outage of this length in the watch of a good release.
async fn survives(site: &Site, [old, new]: [&str; 2], length: Duration) -> Seen {
    let release = site.deploy(new).await;
    site.wait_phase(release, Phase::Watching).await;
    site.traffic.wait_for(100).await;
    let mark = site.traffic.mark();
    outage(site, [old, new], length).await;
    let over = site.traffic.mark();
    let outcome = site.wait_outcome(release).await;
    let history = site.history(release).await;
    let bad = site.traffic.since(mark).await.all.bad;
    println!("{length:?}: {outcome:?}, {bad} requests bad");
    assert_eq!(outcome, Outcome::Completed, "{history:#?}");
    assert_eq!(site.traffic.since(over).await.all.bad, 0, "{history:#?}");
    let said = |words: &str| history.iter().any(|line| line.contains(words));
    match (said("shared outage: both colours of app fail"), said("short outage: app failed")) {
        (true, _) => {
            assert!(said("the shared outage is over; the evidence starts anew"), "{history:#?}");
            Seen::Open
        }
        (false, true) => Seen::Over,
        (false, false) => {
            assert!(bad < ENOUGH, "{bad} bad requests and no word of them: {history:#?}");
            Seen::Nothing
        }
    }
}

/// Outages of this length at this rate, one in each release, and a bad release right after the last.
async fn check(rps: u32, length: Duration, tries: usize) {
    let tries = std::env::var("TEAL_OUTAGES").map_or(tries, |tries| tries.parse().unwrap());
    let site = site(rps).await;
    let mut seen = Vec::new();
    for number in 0..tries {
        let versions = [format!("v{}", number + 1), format!("v{}", number + 2)];
        seen.push(survives(&site, versions.each_ref().map(String::as_str), length).await);
    }
    let count = |what| seen.iter().filter(|seen| **seen == what).count();
    let [open, over, nothing] = [Seen::Open, Seen::Over, Seen::Nothing].map(count);
    println!(
        "{tries} outages of {length:?} at {rps} rps: none blamed; {open} found, {over} over when asked, {nothing} unseen"
    );
    for (kind, count) in [("shared_outage", open), ("outage_suspected", over)] {
        if count > 0 {
            is_told(&site, kind, true).await;
        }
    }
    assert!(!told(&site).iter().any(|(kind, _)| kind == "bad"));

    site.fault("bad", "errors=100%");
    let bad = site.deploy("bad").await;
    assert_eq!(site.wait_outcome(bad).await, Outcome::RolledBack);
}

#[tokio::test]
async fn an_outage_of_50_ms_is_not_blamed_on_the_release() {
    check(100, Duration::from_millis(50), 2).await;
}

#[tokio::test]
async fn an_outage_of_50_ms_under_load_is_not_blamed_on_the_release() {
    check(load(), Duration::from_millis(50), 2).await;
}

#[tokio::test]
async fn an_outage_of_200_ms_is_not_blamed_on_the_release() {
    check(100, Duration::from_millis(200), 2).await;
}

#[tokio::test]
async fn an_outage_of_200_ms_under_load_is_not_blamed_on_the_release() {
    check(load(), Duration::from_millis(200), 2).await;
}

#[tokio::test]
async fn an_outage_of_5_s_is_not_blamed_on_the_release() {
    check(100, Duration::from_secs(5), 1).await;
}

#[tokio::test]
async fn an_outage_of_5_s_under_load_is_not_blamed_on_the_release() {
    check(load(), Duration::from_secs(5), 1).await;
}

#[tokio::test]
async fn a_release_that_turns_bad_right_after_an_outage_is_taken_back() {
    let site = site(400).await;
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    site.traffic.wait_for(100).await;
    outage(&site, ["v1", "v2"], Duration::from_millis(50)).await;
    site.fault("v2", "errors=100%");
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
}

/// Users ask what is in no route, and the smoke suite's check, which is asked instead, does well.
#[tokio::test]
async fn a_release_that_does_well_only_when_it_is_probed_is_taken_back() {
    let site = Site::new().exchange("path = \"/home\", latency", "path = \"/else\", latency").start().await;
    let mark = site.traffic.mark();
    site.fault("v2", "errors=100%");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack, "{:#?}", site.history(release).await);
    says(&site, release, "short outage: app failed").await;
    let bad = site.traffic.since(mark).await.all.bad;
    println!("100 % errors that no probe shows: {bad} requests bad");
    assert!(bad <= 400, "{bad}");
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
