//! A service that takes its time, or all of it.

use std::time::Duration;

use teal_flags::client::{Area, Builder, ClientError, Limits, Link, Readiness};

use super::server::{Answer, JSON, STREAM, Server, document, event};
use super::{becomes, live, status, trouble};

/// A client with little patience.
fn builder(server: &Server) -> Builder {
    let patience = Duration::from_millis(500);
    super::builder(server).limits(Limits { silence: patience, whole: patience, ..super::limits() })
}

fn timed_out(error: &ClientError) -> bool {
    matches!(error, ClientError::TimedOut { .. })
}

#[tokio::test]
async fn a_service_that_never_answers_costs_the_caller_nothing() {
    let server = Server::start().await;
    server.answer("stream", Answer::Hang);
    server.answer("snapshot", Answer::SayAndHang(JSON, String::new()));
    let client = builder(&server).start();
    trouble(&client, Area::Service, timed_out).await;
    assert_eq!(client.ready(Duration::ZERO).await, Readiness::DefaultsOnly);
    assert!(!client.is_enabled("user-7", "x"));
    server.answer("stream", Answer::Well);
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_left_and_opened_anew() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    let text = trouble(&client, Area::Service, timed_out).await;
    assert!(text.contains("an event or heartbeat"), "{text}");
    assert!(client.is_enabled("user-7", "x"));
    status(&client, "it streams again", |status| status.link == Link::Streaming && status.troubles.is_empty()).await;
}

/// A good start, then an event that never ends.
fn unfinished() -> String {
    let half = event("delta", &document("a", 6, false));
    format!("{}{}", event("snapshot", &document("a", 5, true)), &half[..half.len() - 10])
}

#[tokio::test]
async fn a_stream_that_stops_within_an_event_changes_nothing() {
    let server = Server::start().await;
    server.answer("stream", Answer::SayAndHang(STREAM, unfinished()));
    let client = live(builder(&server)).await;
    trouble(&client, Area::Service, timed_out).await;
    assert!(client.is_enabled("user-7", "x"));
    server.hold(document("a", 6, false));
    server.answer("stream", Answer::Well);
    becomes(&client, "x", false).await;
}

#[tokio::test]
async fn an_event_that_drips_for_ever_is_given_up() {
    let server = Server::start().await;
    server.answer("stream", Answer::Drip(STREAM, unfinished()));
    let client = live(builder(&server)).await;
    let text = trouble(&client, Area::Service, timed_out).await;
    assert!(text.contains("the end of an event"), "{text}");
    assert!(client.is_enabled("user-7", "x"));
}

#[tokio::test]
async fn a_document_that_drips_for_ever_is_given_up() {
    let server = Server::start().await;
    server.answer("stream", Answer::Say("HTTP/1.1 404 Not Found", String::new()));
    server.answer("snapshot", Answer::Drip(JSON, "{".into()));
    let client = builder(&server).start();
    let text = trouble(&client, Area::Service, timed_out).await;
    assert!(text.contains("the end of the document"), "{text}");
    server.answer("snapshot", Answer::Well);
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
}
