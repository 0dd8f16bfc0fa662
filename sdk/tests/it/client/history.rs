//! A service whose past is not ours: older, restored, emptied, or with a gap.

use serde_json::json;
use teal_flags::client::{Area, ClientError};
use teal_testkit::until;

use super::server::{Answer, Server, document};
use super::{becomes, builder, live, status, trouble};

#[tokio::test]
async fn an_older_revision_is_refused_and_confirms_nothing() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    server.push(document("a", 4, false));
    let text =
        trouble(&client, Area::Service, |error| matches!(error, ClientError::Older { here: 5, offered: 4, .. })).await;
    assert!(text.contains("revision 4 of a, and 5 is here"), "{text}");
    assert!(client.is_enabled("user-7", "x"));
    let before = client.status().staleness;
    server.push(json!(null));
    server.push(document("a", 6, false));
    becomes(&client, "x", false).await;
    let after = status(&client, "all is well", |status| status.troubles.is_empty()).await;
    assert!(before.is_some() && after.revision == 6);
}

#[tokio::test]
async fn an_older_document_is_refused_by_polls_too() {
    let server = Server::start().await;
    server.answer("stream", Answer::Say("HTTP/1.1 404 Not Found", String::new()));
    let client = live(builder(&server)).await;
    server.hold(document("a", 4, false));
    trouble(&client, Area::Service, |error| matches!(error, ClientError::Older { .. })).await;
    assert!(client.is_enabled("user-7", "x"));
    server.hold(document("a", 6, false));
    becomes(&client, "x", false).await;
}

#[tokio::test]
async fn a_restored_database_is_another_instance_and_is_believed() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    server.push(document("b", 2, false));
    becomes(&client, "x", false).await;
    let status = client.status();
    assert_eq!((status.instance.as_deref(), status.revision), (Some("b"), 2));
    assert_eq!(status.troubles, []);
}

#[tokio::test]
async fn an_emptied_database_makes_no_flag_unknown() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    server.push(json!({"instance": "b", "revision": 0, "flags": []}));
    status(&client, "the new instance is heard", |status| status.instance.as_deref() == Some("b")).await;
    assert!(client.is_enabled("user-7", "x"));
    server.push(json!({"instance": "b", "revision": 1, "since": 0, "flags": [], "deleted": ["x"]}));
    becomes(&client, "x", false).await;
}

#[tokio::test]
async fn a_gap_is_closed_by_fetching_everything() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    server.hold(document("a", 9, false));
    server.push(json!({"instance": "a", "revision": 9, "since": 8, "flags": []}));
    becomes(&client, "x", false).await;
    assert_eq!(server.seen("snapshot").len(), 1);
    let well = status(&client, "all is well", |status| status.troubles.is_empty()).await;
    assert_eq!(well.last_error.unwrap().error, ClientError::Gap { here: 5, since: Some(8) });
}

#[tokio::test]
async fn changes_arrive_as_they_are_made_and_listeners_hear_of_them() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = heard.clone();
    let subscription = client.on_change(move |change| hears.lock().unwrap().push(change.clone()));
    server.push(json!({"instance": "a", "revision": 6, "since": 5, "flags": [{"name": "x", "enabled": false}]}));
    becomes(&client, "x", false).await;
    let change = until("it is heard", || std::future::ready(heard.lock().unwrap().pop())).await;
    assert_eq!((change.flags.as_slice(), change.revision.revision), (["x".to_owned()].as_slice(), 6));
    drop(subscription);
    server.push(json!({"instance": "a", "revision": 7, "since": 6, "flags": [{"name": "x", "enabled": true}]}));
    becomes(&client, "x", true).await;
    assert!(heard.lock().unwrap().is_empty());
}
