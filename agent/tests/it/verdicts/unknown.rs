//! Too little traffic to prove anything: silence neither promotes nor takes back, the policy says what happens.

use teal_rollout::document::{Outcome, Phase};

use super::{is_told, says, telling};
use crate::site::{Plan, Site};

/// Half of the requests that the shortest watch wants.
fn quiet(on_unknown: &str) -> Plan {
    let words = format!("min_requests = 20\non_unknown = \"{on_unknown}\"");
    telling(Site::new()).watch(500, 1_000).rps(10).exchange("min_requests = 20", &words)
}

#[tokio::test]
async fn with_too_little_traffic_a_release_is_kept_not_proven() {
    let site = quiet("keep").start().await;
    let said = site.teal(&["deploy", "prod", "v2"]);
    said.expect(6, &["--  kept", "too little traffic to prove it good: excludes > ", "undo: teal rollback prod"]);
    site.teal(&["status"]).expect(0, &["could exclude > "]);
    site.teal(&["explain"]).expect(0, &["kept, not proven", "watched well enough to exclude > "]);
    is_told(&site, "kept", true).await;
    site.teal(&["rollback", "prod"]).expect(0, &["ok  rollback"]);
}

#[tokio::test]
async fn a_policy_of_rollback_takes_back_what_is_not_proven() {
    let site = quiet("rollback").start().await;
    site.teal(&["deploy", "prod", "v2"]).expect(3, &["not proven at the end of the longest watch"]);
    assert_eq!(site.status().await.components[0].stable.version.as_deref(), Some("v1"));
}

#[tokio::test]
async fn a_policy_of_ask_holds_tells_and_obeys_either_answer() {
    let site = quiet("ask").start().await;
    site.teal(&["deploy", "prod", "v2"]).expect(7, &["teal promote prod | teal rollback prod"]);
    is_told(&site, "held", true).await;
    site.teal(&["deploy", "prod", "v9"]).expect(8, &["teal wait r-0002"]);
    site.teal(&["promote", "prod"]).expect(0, &[]);
    assert_eq!(site.wait_outcome(2).await, Outcome::Kept);
    let release = site.deploy("v3").await;
    site.wait_phase(release, Phase::Held).await;
    site.teal(&["rollback", "prod"]).expect(0, &["ok  rollback"]);
    assert_eq!(site.wait_outcome(release).await, Outcome::RolledBack);
    says(&site, release, "ordered by").await;
}
