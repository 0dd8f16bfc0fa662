//! A service that is not there, or goes away.

use std::time::Duration;

use teal_flags::client::{Area, Client, ClientError, Link, Readiness};
use teal_testkit::{folder, until};

use super::server::{Server, document};
use super::{becomes, builder, live, status, trouble};

#[tokio::test]
async fn a_service_dead_at_the_start_leaves_defaults_and_is_heard_when_it_comes() {
    let mut server = Server::dead();
    let client = builder(&server).start();
    let text = trouble(&client, Area::Service, |error| matches!(error, ClientError::Unreachable(_))).await;
    assert!(text.contains("not reachable") && text.contains("refused"), "{text}");
    assert!(!text.contains("feature-flags"), "an address is nobody's business: {text}");
    assert_eq!(client.ready(Duration::ZERO).await, Readiness::DefaultsOnly);
    assert_eq!(client.status().staleness, None);
    server.revive().await;
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert!(client.is_enabled("user-7", "x"));
    let well = status(&client, "all is well", |status| status.troubles.is_empty()).await;
    assert!(well.last_error.is_some() && well.staleness.is_some());
}

#[tokio::test]
async fn a_service_dead_at_the_next_start_leaves_what_it_said_last() {
    let (mut server, folder) = (Server::start().await, folder());
    live(builder(&server).snapshot_dir(folder.path())).await.close().await;
    server.kill().await;

    let file = folder.path().join("flags.json");
    std::fs::write(&file, r#"{"flags": [{"name": "x", "enabled": false}, {"name": "y", "enabled": true}]}"#).unwrap();
    let client = builder(&server).snapshot_dir(folder.path()).file(&file).start();
    becomes(&client, "y", true).await;
    assert!(client.is_enabled("user-7", "x"), "what the service said goes before the file");
    let status = client.status();
    assert_eq!((status.source, status.instance.as_deref(), status.revision), (Readiness::Snapshot, Some("a"), 5));
    assert!(status.staleness.is_some());
}

#[tokio::test]
async fn another_environments_snapshot_is_not_taken() {
    let (mut server, folder) = (Server::start().await, folder());
    let file = folder.path().join("snapshot");
    live(builder(&server).snapshot_file(&file)).await.close().await;
    server.kill().await;
    let client = builder(&server).environment("staging").snapshot_file(&file).start();
    let text = trouble(&client, Area::Snapshot, |_| true).await;
    assert!(text.contains("another service or environment"), "{text}");
    assert!(!client.is_enabled("user-7", "x"));
}

#[tokio::test]
async fn a_corrupt_snapshot_is_put_aside_and_written_anew() {
    let (server, folder) = (Server::start().await, folder());
    let file = folder.path().join("snapshot");
    std::fs::write(&file, "teal-flags-snapshot 1 rubbish").unwrap();
    let client = live(builder(&server).snapshot_file(&file)).await;
    assert!(folder.path().join("snapshot.corrupt").exists());
    status(&client, "it is written", |status| file.exists() && status.troubles.is_empty()).await;
}

#[tokio::test]
async fn a_service_that_dies_later_leaves_the_last_state_and_is_resumed() {
    let mut server = Server::start().await;
    let client = live(builder(&server)).await;
    server.kill().await;
    let down = status(&client, "the loss is noticed", |status| status.link == Link::Waiting).await;
    assert_eq!(down.source, Readiness::Live);
    assert!(client.is_enabled("user-7", "x"));
    server.revive().await;
    status(&client, "it streams again", |status| status.link == Link::Streaming && status.troubles.is_empty()).await;
    let resumed = server.seen("stream").pop().unwrap();
    assert_eq!(resumed.headers["last-event-id"], "a:5");
    assert_eq!(resumed.path, "/api/v1/feature-flags/stream?environment=prod");
}

#[tokio::test]
async fn a_change_while_the_service_was_away_is_caught_up_with() {
    let mut server = Server::start().await;
    let client = live(builder(&server)).await;
    server.kill().await;
    server.hold(document("a", 6, false));
    server.revive().await;
    becomes(&client, "x", false).await;
}

#[tokio::test]
async fn a_client_that_is_dropped_hangs_up() {
    let server = Server::start().await;
    let client = live(builder(&server)).await;
    let flags = client.flags().clone();
    drop(client);
    until("the stream is closed", || {
        server.push(serde_json::Value::Null);
        std::future::ready((server.listeners() == 0).then_some(()))
    })
    .await;
    assert!(flags.is_enabled("user-7", "x"), "the flags stay as they are");
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_said_at_once() {
    for (address, expected) in [
        ("http://flags.internal", "allow_plain_http()"),
        ("flags.internal", "write it as https://HOST"),
        ("https://me:secret@flags.internal", "token_file()"),
    ] {
        let client = Client::builder(address).start();
        assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::DefaultsOnly);
        let status = client.status();
        let text = status.troubles[0].error.to_string();
        assert!(text.contains(expected) && !text.contains("secret"), "{text}");
        assert_eq!(status.link, Link::Off);
    }
}
