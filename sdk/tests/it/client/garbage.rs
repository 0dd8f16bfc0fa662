//! A service that talks nonsense: nothing of it replaces a good state.

use teal_flags::client::{Area, ClientError};

use super::server::{Answer, JSON, STREAM, Server, document, event};
use super::{becomes, builder, live, trouble};

/// After a good start both ways answer so: what is said, while `x` stays on.
async fn check(stream: String, snapshot: String, expected: &str) {
    let server = Server::start().await;
    let good = event("snapshot", &document("a", 5, true));
    server.answer("stream", Answer::Say(STREAM, format!("{good}{stream}")));
    server.answer("snapshot", Answer::Say(JSON, snapshot));
    let client = live(builder(&server)).await;
    let text = trouble(&client, Area::Service, |error| error.to_string().contains(expected)).await;
    assert!(text.contains(expected), "{text}");
    assert!(client.is_enabled("user-7", "x"));
    server.hold(document("a", 6, false));
    for way in ["stream", "snapshot"] {
        server.answer(way, Answer::Well);
    }
    becomes(&client, "x", false).await;
}

#[tokio::test]
async fn garbage_is_refused_with_the_reason() {
    check("event: delta\ndata: <html>\n\n".into(), "<html>".into(), "no JSON").await;
}

#[tokio::test]
async fn half_a_document_is_refused() {
    let half = document("a", 6, false).to_string();
    let half = &half[..half.len() / 2];
    check(format!("event: delta\ndata: {half}\n\n"), half.into(), "no JSON").await;
}

#[tokio::test]
async fn somebody_elses_json_is_refused() {
    let error = r#"{"error": "not today"}"#;
    check(format!("event: snapshot\ndata: {error}\n\n"), error.into(), "names no instance").await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let event = "event: snapshot\ndata: \u{0}\u{1}\u{fffd}\n\n";
    check(event.into(), "\u{0}".into(), "no JSON").await;
}

#[tokio::test]
async fn an_event_that_is_too_large_is_refused() {
    check(format!("data: {}\n\n", "x".repeat(200_000)), " ".repeat(200_000), "larger than 100000 bytes").await;
}

#[tokio::test]
async fn a_body_that_says_it_is_huge_is_not_even_read() {
    let server = Server::start().await;
    server.answer("stream", Answer::Say("HTTP/1.1 501 Not Implemented", String::new()));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999";
    server.answer("snapshot", Answer::SayAndHang(head, "{".into()));
    let client = builder(&server).start();
    trouble(&client, Area::Service, |error| matches!(error, ClientError::TooLarge { limit: 100_000 })).await;
}
