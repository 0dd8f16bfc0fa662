//! HAProxy killed, reloaded and frozen, the agent upgraded and told to read its file again, all in the midst of a watch.

use std::time::{Duration, Instant};

use teal_agent::api::Order;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::{Policy, Verdict};
use teal_testkit::until;

use crate::site::Site;

/// How long HAProxy may route by anything but the ordered policy once it answers again. Held by the middle of the
/// runs here, because a machine that does much else may stop any one of them; the benchmark holds the worst.
const RIGHT_WITHIN: Duration = Duration::from_millis(250);

fn is_bad(policy: &Policy) -> bool {
    policy.epoch.verdict == Verdict::Bad
}

/// A release of `version` that is being watched.
async fn watched(site: &Site, version: &str) -> u64 {
    let release = site.deploy(version).await;
    site.wait_phase(release, Phase::Watching).await;
    release
}

/// kill -9 and a new one, or a reload; says for how long the new process routed by something else.
async fn replace_haproxy(site: &mut Site, kill: bool, policy: &Policy) -> Duration {
    let right = tokio::spawn(site.view().until_right(site.haproxy.pid(), policy.clone()));
    if kill {
        site.haproxy.restart().await
    } else {
        site.haproxy.reload().await
    };
    right.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_colour_is_right_after_every_kill_and_reload_of_haproxy_in_a_watch() {
    let mut site = Site::new().watch(100_000, 200_000).start().await;
    let stale = site.saved().unwrap();
    let release = watched(&site, "v2").await;
    let ordered = site.saved().unwrap();
    let mut wrong = [Vec::new(), Vec::new()];
    for round in 0..20 {
        // Each other time the file holds what was before the release, as after a disk that was full: then only the
        // agent can put it right.
        let is_stale = round % 4 >= 2;
        if is_stale {
            site.view().write_file(&stale);
        }
        wrong[usize::from(is_stale)].push(replace_haproxy(&mut site, round % 2 == 0, &ordered).await);
        // The agent puts the file back as well.
        site.wait_saved("the file is right again", |saved| *saved == ordered).await;
    }
    wrong.iter_mut().for_each(|each| each.sort());
    let [file, stale] = &wrong;
    println!("10 kills, 10 reloads: wrong for {file:?} with the right file, {stale:?} with a stale one");
    assert_eq!(file.last(), Some(&Duration::ZERO), "with the right file");
    assert!(stale[stale.len() / 2] < RIGHT_WITHIN, "with a stale file");
    site.wait_phase(release, Phase::Watching).await;
    let from = site.traffic.mark();
    site.traffic.wait_for(50).await;
    let counts = site.traffic.since(from).await;
    assert_eq!((counts.version("v2").requests, counts.all.bad), (counts.all.requests, 0), "{counts:?}");
    site.order(Order::Promote).await.unwrap();
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_of_haproxy_in_a_watch_lose_no_request() {
    let mut site = Site::new().watch(100_000, 200_000).start().await;
    watched(&site, "v2").await;
    let ordered = site.saved().unwrap();
    let from = site.traffic.mark();
    for _ in 0..10 {
        assert_eq!(replace_haproxy(&mut site, false, &ordered).await, Duration::ZERO);
        site.traffic.wait_for(20).await;
    }
    let counts = site.traffic.since(from).await;
    println!("10 reloads: {} requests, {} bad, {} lost", counts.all.requests, counts.all.bad, counts.all.lost);
    assert_eq!((counts.all.bad, counts.version("v2").requests), (0, counts.all.requests), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bad_colour_gets_no_request_once_the_way_back_is_in_the_file_whatever_becomes_of_haproxy() {
    const ROUNDS: u32 = 6;
    let mut site = Site::new().watch(20_000, 60_000).start().await;
    let mut worst = Duration::ZERO;
    for round in 0..ROUNDS {
        let version = format!("bad{round}");
        site.fault(&version, "late=200ms,errors=100%");
        let release = site.deploy(&version).await;
        let back = site.wait_saved("the way back is in the file", is_bad_of(release)).await;
        let kill = round % 2 == 0;
        if !kill {
            // A reload leaves the old process its open connections, and that one routes as it was told: file and
            // process are told at the same time, and on a busy machine the file may be first by milliseconds.
            site.wait_running("HAProxy routes back", |running| *running == back).await;
        }
        let from = site.traffic.mark();
        worst = worst.max(replace_haproxy(&mut site, kill, &back).await);
        assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
        site.traffic.wait_for(50).await;
        let counts = site.traffic.since(from).await;
        assert_eq!(counts.version(&version).requests, 0, "round {round}: {counts:?}");
    }
    println!(
        "{ROUNDS} rollbacks, HAProxy killed or reloaded right after: no request to the bad colour, wrong for {worst:?}"
    );
    assert_eq!(worst, Duration::ZERO);
}

fn is_bad_of(release: u64) -> impl Fn(&Policy) -> bool {
    move |policy| policy.epoch.release == release && is_bad(policy)
}

#[tokio::test]
async fn an_agent_upgraded_in_the_midst_of_a_watch_goes_on_with_it_and_touches_no_application() {
    let mut site = Site::new().watch(3_000, 9_000).start().await;
    let release = watched(&site, "v2").await;
    let elapsed = |at_least: f64| {
        move |status: &teal_agent::api::Status| {
            status.watch.as_ref().map(|watch| watch.elapsed).filter(|elapsed| *elapsed >= at_least)
        }
    };
    let before = site.wait_status("a part of the watch is over", elapsed(1.2)).await;
    let apps = site.apps().await;
    site.stop_agent();
    assert_eq!(site.apps().await, apps);
    let begun = Instant::now();
    site.start_agent().await;
    let took = begun.elapsed();
    let after = site.wait_status("the watch goes on", elapsed(0.0)).await;
    println!("upgraded in {took:?}: {before:.2} s watched before, {after:.2} s after");
    assert!(after >= before, "{after} after {before}");
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    assert_eq!(site.apps().await, apps);
    let all = site.traffic.counts().all;
    assert_eq!((all.bad, all.lost), (0, 0));
}

#[tokio::test]
async fn an_agent_told_to_reload_takes_the_new_configuration_and_refuses_a_broken_one() {
    let site = Site::new().watch(100_000, 200_000).start().await;
    let release = watched(&site, "v2").await;
    let (pid, apps) = (site.agent_pid(), site.apps().await);
    let good = std::fs::read_to_string(site.path("teal.toml")).unwrap();

    std::fs::write(site.path("teal.toml"), good.replace("[watch]", "[wach]")).unwrap();
    site.hang_up_agent();
    let told =
        || async { std::fs::read_to_string(site.path("agent.log")).ok().filter(|log| log.contains("not reloaded")) };
    until("the agent says that it was not reloaded", told).await;
    site.wait_phase(release, Phase::Watching).await;

    std::fs::write(site.path("teal.toml"), good.replace("100000ms", "500ms")).unwrap();
    site.hang_up_agent();
    assert_eq!(site.wait_outcome(release).await, Outcome::Completed);
    assert_eq!((site.agent_pid(), site.apps().await), (pid, apps));
    let all = site.traffic.counts().all;
    assert_eq!((all.bad, all.lost), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_while_haproxy_is_frozen_is_in_the_file_at_once_and_runs_as_soon_as_it_thaws() {
    let site = Site::new().watch(100_000, 200_000).start().await;
    let release = watched(&site, "v2").await;
    site.haproxy.freeze();
    let begun = Instant::now();
    site.order(Order::Rollback).await.unwrap();
    let back = site.wait_saved("the way back is in the file", is_bad_of(release)).await;
    let in_file = begun.elapsed();
    // Told, not hidden: the edge does not answer.
    site.wait_status("the status says what is wrong", |status| status.edges[0].problem.clone()).await;

    let thawed = Instant::now();
    site.haproxy.thaw();
    site.wait_running("HAProxy routes back", |running| *running == back).await;
    let right = thawed.elapsed();
    let from = site.traffic.mark();
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    site.traffic.wait_for(50).await;
    let counts = site.traffic.since(from).await;
    println!("frozen: in the file after {in_file:?}, running {right:?} after the thaw, {} lost", counts.all.lost);
    assert_eq!((counts.version("v2").requests, counts.all.bad), (0, 0), "{counts:?}");
    assert_eq!(site.traffic.counts().all.lost, 0);
}
