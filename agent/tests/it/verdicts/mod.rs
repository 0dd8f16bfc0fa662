//! Which releases stay, which are taken back and which are held, by live requests through a real HAProxy.

mod bad;
mod named;
mod order;
mod outage;
mod quiet;
mod steps;
mod unknown;

use std::fs;

use serde_json::Value;

use crate::site::{Plan, Site};

/// A site that tells people: each message becomes a line of the file `told`.
fn telling(plan: Plan) -> Plan {
    plan.more("[notify]\ncommand = [\"/bin/sh\", \"-c\", \"cat >> told; echo >> told\"]")
}

/// What people were told so far: kind, and whether it was a page.
fn told(site: &Site) -> Vec<(String, bool)> {
    let text = fs::read_to_string(site.path("told")).unwrap_or_default();
    let line = |line: &str| -> Option<(String, bool)> {
        let message: Value = serde_json::from_str(line).ok()?;
        Some((message["kind"].as_str()?.to_owned(), message["page"].as_bool()?))
    };
    text.lines().filter_map(line).collect()
}

/// Waits until people were told this; a message is never waited for by the agent.
async fn is_told(site: &Site, kind: &str, page: bool) {
    let wanted = (kind.to_owned(), page);
    teal_testkit::until(&format!("people are told {kind}"), || async { told(site).contains(&wanted).then_some(()) })
        .await;
}

/// The phases and news of a release that say what became of it, for messages of failed tests too.
async fn says(site: &Site, release: u64, words: &str) {
    let history = site.history(release).await;
    assert!(history.iter().any(|line| line.contains(words)), "`{words}` is missing in {history:#?}");
}
