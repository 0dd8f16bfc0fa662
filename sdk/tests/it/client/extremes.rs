//! Bounds that nobody can count to, revisions that nobody can exceed, and answers in other languages than HTTP.

use std::time::Duration;

use serde_json::json;
use teal_flags::client::{Area, Client, ClientError, Limits, Link, Readiness};
use teal_testkit::{folder, until};

use super::server::{Answer, STREAM, Server, document, event};
use super::{becomes, builder, live, status, trouble};

/// No bounds at all, as one would write it.
fn boundless() -> Limits {
    let ever = Duration::MAX;
    Limits {
        connect: ever,
        first_byte: ever,
        silence: ever,
        whole: ever,
        size: usize::MAX,
        backoff_base: Duration::ZERO,
        backoff_cap: ever,
        stream_retry: ever,
        refused_retry: ever,
        close: ever,
    }
}

#[tokio::test]
async fn without_bounds_flags_come_and_are_kept_all_the_same() {
    let (server, folder) = (Server::start().await, folder());
    let start = || {
        let builder = builder(&server).limits(boundless()).poll_every(Duration::MAX).report_every(Some(Duration::MAX));
        builder.snapshot_file(folder.path().join("kept")).file(folder.path().join("flags.json")).start()
    };
    std::fs::write(folder.path().join("flags.json"), r#"{"flags": [{"name": "y", "enabled": true}]}"#).unwrap();
    let client = start();
    assert_eq!(client.ready(Duration::MAX).await, Readiness::Live);
    becomes(&client, "y", true).await;
    // An event that is whole, and the beginning of one that is not.
    server.push(document("a", 6, false));
    becomes(&client, "x", false).await;
    client.close().await;
    for way in ["stream", "snapshot"] {
        server.answer(way, Answer::SayAndHang(STREAM, "data: {".into()));
    }
    let client = start();
    status(&client, "the snapshot is read", |status| status.source == Readiness::Snapshot).await;
    assert_eq!((client.status().revision, client.status().stopped), (6, false));
    drop(client);
}

#[tokio::test]
async fn without_bounds_polls_and_refusals_stop_nothing() {
    let server = Server::start().await;
    server.answer("stream", Answer::Say("HTTP/1.1 404 Not Found\r\nContent-Length: 0", String::new()));
    let client = live(builder(&server).limits(boundless()).poll_every(Duration::MAX)).await;
    status(&client, "it polls", |status| status.link == Link::Polling).await;
    assert!(!client.status().stopped);
    let server = Server::start().await;
    server.require("secret");
    let client = builder(&server).limits(boundless()).start();
    trouble(&client, Area::Service, |error| matches!(error, ClientError::Refused { .. })).await;
    assert!(!client.status().stopped);
}

#[test]
fn who_blocks_for_ever_is_told_all_the_same() {
    let client = Client::builder(None).limits(boundless()).start();
    assert_eq!(client.ready_blocking(Duration::MAX), Readiness::DefaultsOnly);
    client.close_blocking();
}

#[tokio::test]
async fn a_revision_as_high_as_can_be_ends_with_its_instance() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    server.push(document("a", u64::MAX, true));
    status(&client, "it is taken", |status| status.revision == u64::MAX).await;
    server.push(document("a", 0, false));
    trouble(&client, Area::Service, |error| matches!(error, ClientError::Older { here: u64::MAX, offered: 0, .. }))
        .await;
    server.push(
        json!({"instance": "a", "revision": u64::MAX, "since": u64::MAX, "flags": [{"name": "y", "enabled": true}]}),
    );
    becomes(&client, "y", true).await;
    server.push(document("b", 0, false));
    becomes(&client, "x", false).await;
}

/// Whatever answers so is in trouble, and flags stay as they are until it is well again.
async fn check(answer: Answer, expected: fn(&ClientError) -> bool) {
    let server = Server::start().await;
    let first = event("snapshot", &document("a", 5, true));
    server.answer("stream", Answer::Say(STREAM, first));
    server.answer("snapshot", answer.clone());
    let client = live(builder(&server)).await;
    server.answer("stream", answer);
    trouble(&client, Area::Service, expected).await;
    assert!(client.is_enabled("user-7", "x"));
    server.hold(document("a", 6, false));
    for way in ["stream", "snapshot"] {
        server.answer(way, Answer::Well);
    }
    becomes(&client, "x", false).await;
    until("it is well", || std::future::ready(client.status().troubles.is_empty().then_some(()))).await;
}

fn unreachable(error: &ClientError) -> bool {
    matches!(error, ClientError::Unreachable(_))
}

#[tokio::test]
async fn what_speaks_no_http_is_not_reachable() {
    check(Answer::Say("220 mail.example ESMTP", "250 OK\r\n".into()), unreachable).await;
}

#[tokio::test]
async fn headers_without_end_are_given_up() {
    let heads = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2_000_000));
    // The server wants a text that lives for ever; this one does, for one test.
    check(Answer::Say(Box::leak(heads.into_boxed_str()), String::new()), unreachable).await;
}

#[tokio::test]
async fn chunks_of_no_size_are_given_up() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked";
    check(Answer::Say(HEAD, "fffffffffffffffff\r\ndata: {".into()), unreachable).await;
    check(Answer::Say(HEAD, "-1\r\n".into()), unreachable).await;
}
