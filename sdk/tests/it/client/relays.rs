//! For relays: replicas of one service, what is told of age, and documents as they are heard.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use teal_flags::client::{ClientError, Link};
use teal_flags::model::Document;
use teal_flags::{Outcome, Revision};
use teal_testkit::until;

use super::server::{Answer, STREAM, Server, document};
use super::{becomes, builder, live, status};

#[tokio::test]
async fn where_one_replica_fails_the_next_is_asked() {
    let (dead, server) = (Server::dead(), Server::start().await);
    let mut other = Server::start().await;
    let client = live(builder(&dead).replica(server.address()).replica(other.address())).await;
    assert_eq!(server.listeners(), 1, "in their order");
    other.hold(document("a", 6, false));
    server.answer("stream", Answer::Say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0", String::new()));
    server.answer("snapshot", Answer::Say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0", String::new()));
    server.push(json!({"instance": "a", "revision": 9, "since": 8, "flags": []}));
    becomes(&client, "x", false).await;
    other.kill().await;
    status(&client, "it says what is wrong", |status| !status.troubles.is_empty()).await;
    assert!(!client.is_enabled("user-7", "x"));
}

#[tokio::test]
async fn a_relay_that_is_out_of_touch_says_for_how_long_and_the_client_says_it_too() {
    let server = Server::start().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nAge: 600";
    let said = |more: &str| format!("event: snapshot\ndata: {}\n\n{more}", document("a", 5, true));
    server.answer("stream", Answer::SayAndHang(head, said("")));
    let client = live(builder(&server)).await;
    let at_least =
        |seconds| move |status: &teal_flags::client::Status| status.staleness >= Some(Duration::from_secs(seconds));
    status(&client, "it is as stale as the relay", at_least(600)).await;
    drop(client);
    server.answer("stream", Answer::SayAndHang(STREAM, said("event: ping\ndata: {\"revision\":5,\"age\":3600}\n\n")));
    let client = live(builder(&server)).await;
    status(&client, "a ping says it", at_least(3600)).await;
}

#[tokio::test]
async fn each_document_that_is_taken_over_is_heard_in_order_and_what_was_known_first() {
    let server = Server::start().await;
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let listener = heard.clone();
    let known = Document::from_json(document("old", 1, false).to_string()).unwrap();
    let client = builder(&server).known(known, Duration::from_secs(60)).on_document(move |document, outcome| {
        let instance = document.instance.as_deref().unwrap_or_default();
        listener.lock().unwrap().push(format!("{instance}:{} {outcome:?}", document.revision));
    });
    let client = live(client).await;
    // An older one and one that does not fit are not taken over.
    server.push(json!({"instance": "a", "revision": 4, "since": 3, "flags": [{"name": "x", "enabled": false}]}));
    server.push(json!({"instance": "a", "revision": 6, "since": 5, "flags": [{"name": "x", "enabled": false}]}));
    becomes(&client, "x", false).await;
    let expected = [
        format!("old:1 {:?}", Outcome::Changed),
        format!("a:5 {:?}", Outcome::NewInstance),
        format!("a:6 {:?}", Outcome::Changed),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn the_service_is_asked_about_what_others_know_and_told_what_others_counted() {
    let server = Server::start().await;
    let client = live(builder(&server).report_every(None)).await;
    server.hold(document("b", 2, false));
    let known = Revision { instance: Some("a".into()), revision: 99 };
    client.ask_about(&known).await.unwrap();
    assert!(!client.is_enabled("user-7", "x"), "it is another instance, which is taken at once");
    let asked = |seen: &super::server::Seen| seen.headers.get("if-none-match").is_some_and(|tag| tag == "\"a:99\"");
    assert!(server.seen("snapshot").iter().any(asked));
    let report = json!({"report": "r-1", "counts": []}).to_string();
    client.forward(report.clone().into_bytes()).await.unwrap();
    until("it has come", || std::future::ready(server.seen("exposures").pop())).await;
    assert_eq!(server.seen("exposures")[0].body, report);
}

#[tokio::test]
async fn an_older_answer_given_aside_takes_nothing_from_the_stream() {
    let server = Server::start().await;
    let client = live(builder(&server).report_every(None)).await;
    status(&client, "it streams", |status| status.link == Link::Streaming).await;
    server.hold(document("a", 4, false));
    let known = Revision { instance: Some("a".into()), revision: 99 };
    let error = client.ask_about(&known).await.unwrap_err();
    assert!(matches!(error, ClientError::Older { here: 5, offered: 4, .. }), "{error}");
    assert!(client.is_enabled("user-7", "x"));
    assert_eq!(client.status().troubles, []);
    let some_time = Duration::from_millis(200);
    let old = status(&client, "it grows stale", |status| status.staleness > Some(some_time)).await;
    server.push(json!(null));
    status(&client, "the stream confirms what is here", |status| status.staleness < old.staleness).await;
}

#[tokio::test]
async fn what_is_kept_is_as_old_as_when_it_came() {
    let mut server = Server::start().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nAge: 600";
    server.answer("stream", Answer::SayAndHang(head, format!("event: snapshot\ndata: {}\n\n", document("a", 5, true))));
    let folder = teal_testkit::folder();
    let path = folder.path().join("kept");
    let client = live(builder(&server).snapshot_file(&path)).await;
    until("it is kept", || std::future::ready(path.exists().then_some(()))).await;
    drop(client);
    server.kill().await;
    let client = builder(&server).snapshot_file(&path).start();
    let old = |status: &teal_flags::client::Status| status.staleness >= Some(Duration::from_secs(600));
    status(&client, "what is on the disk is as old as when it came", old).await;
    assert!(client.is_enabled("user-7", "x"));
}
