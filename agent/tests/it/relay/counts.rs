//! Counts of what applications served, through a relay.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teal_testkit::until;

use super::Relay;
use super::upstream::Upstream;

fn report(id: &str, count: u64) -> Value {
    let counts = json!([{"flag": "telehealth", "version": 1, "variant": "on", "count": count}]);
    json!({"report": id, "environment": "prod", "until": "2026-11-28T09:08:05Z", "counts": counts})
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_arrive_once_although_answers_are_lost_on_either_side() {
    let (upstream, address) = Upstream::start(None, 2).await;
    let mut relay = Relay::started(address).await;
    relay.tells(3).await;
    // The answers to the applications are lost as well, so that they come again.
    for (id, count) in [("a-1", 3), ("b-1", 4), ("a-1", 3), ("a-2", 5), ("b-1", 4)] {
        let taken = relay.request(Method::POST, "/exposures").json(&report(id, count)).send().await.unwrap();
        assert_eq!(taken.status(), StatusCode::NO_CONTENT);
    }
    until("all of it was taken", || async {
        (relay.metric("teal_relay_exposures_sent_total ").await? == 12).then_some(())
    })
    .await;
    let reports = upstream.reports();
    assert!(reports.len() >= 3, "two answers were lost: {reports:?}");
    assert!(reports[0] == reports[1] && reports[1] == reports[2], "{reports:?}");
    let mut once = reports.clone();
    once.dedup();
    let counts: u64 = once.iter().map(|report| report["counts"][0]["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, 12, "{once:?}");
    assert!(once.iter().all(|report| report["environment"] == "prod"), "{once:?}");

    // What is left at the end is sent before it, and so is what was answered to who has no SDK.
    relay.request(Method::POST, "/exposures").json(&report("a-3", 1)).send().await.unwrap();
    relay.ofrep().await;
    relay.stop().await;
    let last: Vec<Value> = upstream.reports().split_off(reports.len());
    let counted = |environment: &str| {
        let of = last.iter().filter(|report| report["environment"] == environment);
        of.map(|report| report["counts"][0]["count"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((counted("prod"), counted("")), (1, 1), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_flag_can_serve_is_one_kind_as_it_is_for_the_service() {
    let (upstream, address) = Upstream::start(None, 0).await;
    let mut relay = Relay::started(address).await;
    relay.tells(3).await;
    for number in 0..5_u64 {
        let line = |flag: &str, version, variant: String| json!({"flag": flag, "version": version, "variant": variant, "count": 1});
        let counts =
            [line("telehealth", u64::MAX - number, format!("made up {number}")), line("unknown", 1, "on".into())];
        let report = json!({"environment": "prod", "until": "2026-11-28T09:08:05Z", "counts": counts});
        relay.request(Method::POST, "/exposures").json(&report).send().await.unwrap().error_for_status().unwrap();
    }
    relay.stop().await;
    let counts: Vec<Value> = upstream.reports().iter().map(|report| report["counts"].clone()).collect();
    let lines: Vec<&Value> = counts.iter().flat_map(|counts| counts.as_array().unwrap()).collect();
    let is_folded =
        |line: &&Value| line["flag"] == "telehealth" && line["version"] == 1 && line["variant"] == "(other)";
    assert!(!lines.is_empty() && lines.iter().all(is_folded), "{lines:?}");
    assert_eq!(lines.iter().map(|line| line["count"].as_u64().unwrap()).sum::<u64>(), 5);
}
