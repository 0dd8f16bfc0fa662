//! Stream or polls.

use teal_flags::client::{Link, Readiness};
use teal_testkit::until;

use super::server::{Answer, STREAM, Server, document};
use super::{becomes, builder, live, status};

/// The stream answers so: the client polls, sees changes, asks with the tag, and streams when it can.
async fn check(answer: Answer) {
    let server = Server::start().await;
    server.answer("stream", answer);
    let client = live(builder(&server)).await;
    status(&client, "it polls", |status| status.link == Link::Polling && status.troubles.is_empty()).await;
    until("it asks with the tag", || {
        let tagged = server
            .seen("snapshot")
            .iter()
            .any(|seen| seen.headers.get("if-none-match").is_some_and(|tag| tag == "\"a:5\""));
        std::future::ready(tagged.then_some(()))
    })
    .await;
    server.hold(document("a", 6, false));
    becomes(&client, "x", false).await;
    server.answer("stream", Answer::Well);
    status(&client, "it streams", |status| status.link == Link::Streaming).await;
    assert_eq!(client.status().revision, 6);
}

#[tokio::test]
async fn a_service_without_a_stream_is_polled() {
    check(Answer::Say("HTTP/1.1 404 Not Found\r\nContent-Length: 0", String::new())).await;
}

#[tokio::test]
async fn what_is_no_stream_is_polled() {
    check(Answer::Say("HTTP/1.1 200 OK\r\nContent-Type: text/html", "<html>".into())).await;
}

#[tokio::test]
async fn a_stream_that_a_proxy_holds_back_is_polled() {
    check(Answer::SayAndHang(STREAM, String::new())).await;
}

#[tokio::test]
async fn heartbeats_confirm_what_is_here() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    let some_time = std::time::Duration::from_millis(20);
    let old = status(&client, "it grows stale", |status| status.staleness.is_some_and(|age| age > some_time)).await;
    server.push(serde_json::Value::Null);
    status(&client, "it is fresh", |status| status.staleness < old.staleness).await;
    assert_eq!(client.status().troubles, []);
    assert_eq!(server.seen("stream").len(), 1);
}

#[tokio::test]
async fn a_snapshot_on_disk_that_is_still_the_newest_is_confirmed_and_not_sent_again() {
    let (server, folder) = (Server::start().await, teal_testkit::folder());
    live(builder(&server).snapshot_dir(folder.path())).await.close().await;
    let client = live(builder(&server).snapshot_dir(folder.path())).await;
    assert_eq!(server.seen("stream")[1].headers["last-event-id"], "a:5");
    assert_eq!(client.status().source, Readiness::Live);
}
