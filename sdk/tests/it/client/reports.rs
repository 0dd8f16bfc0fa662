//! Counts of what was served, on their way to the service.

use std::time::Duration;

use serde_json::Value;
use teal_flags::client::Area;
use teal_testkit::until;

use super::server::{Answer, Server};
use super::{builder, live, status, trouble};

/// The newest report.
fn newest(server: &Server) -> Option<Value> {
    server.seen("exposures").pop().map(|seen| serde_json::from_str(&seen.body).unwrap())
}

#[tokio::test]
async fn counts_are_sent_now_and_then_and_nobodys_name_is_in_them() {
    let server = Server::start().await;
    let client = live(builder(&server).report_every(Some(Duration::from_millis(100)))).await;
    let report = until("a report comes", || std::future::ready(newest(&server))).await;
    assert_eq!(report["environment"], "prod");
    let line = &report["counts"][0];
    assert_eq!((&line["flag"], &line["version"]), (&"x".into(), &1.into()));
    assert!(!report.to_string().contains("user-7"));
    assert_eq!(server.seen("exposures")[0].method, "POST");
    status(&client, "they are taken", |status| status.exposures.sent > 0 && status.exposures.waiting == 0).await;
}

#[tokio::test]
async fn counts_that_are_not_taken_are_kept_and_added_up() {
    let server = Server::start().await;
    server.answer("exposures", Answer::Say("HTTP/1.1 500 Internal Server Error", String::new()));
    let client = live(builder(&server).report_every(Some(Duration::from_millis(100)))).await;
    trouble(&client, Area::Exposures, |_| true).await;
    assert!(client.is_enabled("user-8", "x"));
    server.answer("exposures", Answer::Well);
    let done = status(&client, "they are taken", |status| status.exposures.sent == 2).await;
    assert_eq!(done.exposures.dropped, 0);
}

#[tokio::test]
async fn the_number_of_users_is_sent_when_it_is_asked_for_and_the_privacy_page_names_all_that_is() {
    let server = Server::start().await;
    let client = live(builder(&server).unique_users(true)).await;
    for user in 0..40_u32 {
        assert!(client.is_enabled(user % 20, "x"));
    }
    client.close().await;
    let report = newest(&server).unwrap();
    let counts = &report["counts"][0];
    assert_eq!((&counts["count"], &counts["users"]), (&41.into(), &21.into()));
    let page = include_str!("../../../../docs/privacy.md");
    let names = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for name in [names(&report), names(counts)].concat() {
        assert!(page.contains(&format!("`{name}`")), "docs/privacy.md does not say what `{name}` holds");
    }
}

#[tokio::test]
async fn the_number_of_users_is_not_sent_unless_it_is_asked_for() {
    let server = Server::start().await;
    live(builder(&server)).await.close().await;
    assert_eq!(newest(&server).unwrap()["counts"][0].get("users"), None);
}

#[tokio::test]
async fn a_report_whose_answer_is_lost_comes_again_as_it_was() {
    let server = Server::start().await;
    server.answer("exposures", Answer::Hang);
    let client = live(builder(&server).report_every(Some(Duration::from_millis(100)))).await;
    let lost = until("a report comes", || std::future::ready(newest(&server))).await;
    assert!(client.is_enabled("user-8", "x"));
    trouble(&client, Area::Exposures, |_| true).await;
    server.answer("exposures", Answer::Well);
    status(&client, "both are taken", |status| status.exposures.sent == 2).await;
    let seen = server.seen("exposures").into_iter();
    let reports: Vec<Value> = seen.map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    let (last, same) = reports.split_last().unwrap();
    assert!(same.len() >= 2 && same.iter().all(|report| *report == lost), "{same:?}");
    assert_ne!(last["report"], lost["report"]);
}

#[tokio::test]
async fn counts_that_the_service_does_not_want_are_dropped_and_said() {
    let server = Server::start().await;
    server.answer("exposures", Answer::Say("HTTP/1.1 422 Unprocessable Content", String::new()));
    let client = live(builder(&server).report_every(Some(Duration::from_millis(100)))).await;
    let found = status(&client, "they are dropped", |status| status.exposures.dropped == 1).await;
    assert_eq!(found.exposures.waiting, 0);
}

#[tokio::test]
async fn closing_sends_what_is_left() {
    let server = Server::start().await;
    live(builder(&server)).await.close().await;
    assert_eq!(newest(&server).unwrap()["counts"][0]["count"], 1);
}

#[tokio::test]
async fn closing_ends_even_when_the_service_hangs() {
    let server = Server::start().await;
    let limits = teal_flags::client::Limits { close: Duration::from_millis(50), ..super::limits() };
    let client = live(builder(&server).limits(limits)).await;
    server.answer("exposures", Answer::Hang);
    let flags = client.flags().clone();
    client.close().await;
    assert!(flags.is_enabled("user-7", "x"));
}

#[tokio::test]
async fn who_does_not_want_to_report_does_not() {
    let server = Server::start().await;
    live(builder(&server).report_every(None)).await.close().await;
    assert!(server.seen("exposures").is_empty());
}
