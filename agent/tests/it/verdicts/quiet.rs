//! Nobody asks at all: probes find what fails, and prove nothing.

use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;

use super::says;
use crate::site::{Plan, Site};

/// Ten probes a second of a path that meets faults, and no user.
fn night(min: u64, max: u64) -> Plan {
    let probes = "min_requests = 20\nprobes = { below = 1, every = \"100ms\" }";
    Site::new()
        .watch(min, max)
        .exchange("min_requests = 20", probes)
        .exchange("path = \"/version\"", "path = \"/home\"")
}

#[tokio::test]
async fn a_bad_release_that_nobody_asks_is_taken_back_by_its_probes() {
    // Long enough for a busy machine: what ends it is the verdict.
    let mut site = night(60_000, 120_000).start().await;
    site.traffic.end();
    site.fault("v2", "errors=100%,late=1s");
    let release = site.deploy("v2").await;
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "smoke 1/1").await;
    says(&site, release, "probes failed").await;
    site.wait_running("the old colour serves", |policy| policy.epoch.verdict == Verdict::Bad).await;
    let explained = site.teal(&["explain", "r-0002"]);
    explained.expect(0, &["errors of app", "0 of 0 requests bad", "probes failed"]);
}

#[tokio::test]
async fn a_good_release_that_nobody_asks_is_kept_and_says_what_its_probes_exclude() {
    let mut site = night(1_000, 3_000).start().await;
    site.traffic.end();
    let release = site.deploy("v2").await;
    site.wait_phase(release, Phase::Watching).await;
    let probed = |status: &teal_agent::api::Status| {
        let evidence = status.components[0].evidence.as_ref()?;
        evidence.probes.clone().filter(|probes| probes.excludable_percent.is_some())
    };
    site.wait_status("probes are counted", probed).await;
    site.teal(&["status"]).expect(0, &["too few to exclude any error rate", " probes, 0 failed: excludes > "]);
    let said = site.teal(&["wait", "r-0002"]);
    said.expect(
        6,
        &[
            "--  kept        too little traffic to exclude any error rate",
            " probes, 0 failed: excludes > ",
            "what is probed",
        ],
    );
    let explained = site.teal(&["explain", "r-0002"]);
    explained.expect(0, &["kept, not proven", "app: 0 requests, 0 bad", " probes, 0 failed: excludes > "]);
    assert_eq!(
        site.status().await.components[0].candidate.as_ref().map(|c| c.requests),
        Some(0),
        "probes are no traffic"
    );
}
