//! Flags from a file and from memory.

use std::os::unix::fs::symlink;
use std::time::Duration;

use teal_flags::client::{Area, Client, Link, Readiness};
use teal_flags::model::{Document, Flag, Schedule, Timestamp};
use teal_testkit::{PATIENCE, folder};

use super::server::Server;
use super::{becomes, builder, live, status, trouble};

fn json(on: bool) -> String {
    format!(r#"{{"flags": [{{"name": "x", "enabled": {on}}}]}}"#)
}

#[tokio::test]
async fn a_config_map_is_followed_through_its_swaps() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    for (version, on) in [("..1", true), ("..2", false)] {
        std::fs::create_dir(at(version)).unwrap();
        std::fs::write(at(version).join("flags.json"), json(on)).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/flags.json", at("flags.json")).unwrap();
    let client = Client::builder(None).file(at("flags.json")).start();
    assert_eq!(client.ready(PATIENCE).await, Readiness::File);
    assert!(client.is_enabled("user-7", "x"));
    symlink("..2", at("..data_tmp")).unwrap();
    std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
    becomes(&client, "x", false).await;
    assert_eq!(client.status().link, Link::Off);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_said() {
    let folder = folder();
    let file = folder.path().join("flags.json");
    std::fs::write(&file, json(true)).unwrap();
    let client = Client::builder(None).file(&file).start();
    assert_eq!(client.ready(PATIENCE).await, Readiness::File);
    std::fs::write(&file, &json(false)[..20]).unwrap();
    let text = trouble(&client, Area::File, |_| true).await;
    assert!(text.contains("flags.json") && text.contains("still holds"), "{text}");
    assert!(client.is_enabled("user-7", "x"));
    std::fs::write(&file, json(false)).unwrap();
    becomes(&client, "x", false).await;
    status(&client, "all is well", |status| status.troubles.is_empty()).await;
}

#[tokio::test]
async fn a_missing_file_does_not_keep_anybody_waiting() {
    let client = Client::builder(None).file("/nowhere/flags.json").start();
    assert_eq!(client.ready(PATIENCE).await, Readiness::DefaultsOnly);
    trouble(&client, Area::File, |_| true).await;
}

#[tokio::test]
async fn a_document_from_memory_is_there_at_once() {
    let document = Document { flags: vec![Flag::new("x")], ..Document::default() };
    let client = Client::builder(None).document(document).start();
    assert!(client.is_enabled("user-7", "x"));
    assert_eq!(client.ready(PATIENCE).await, Readiness::File);
}

#[tokio::test]
async fn a_file_serves_until_the_service_is_heard() {
    let (mut server, folder) = (Server::dead(), folder());
    let file = folder.path().join("flags.json");
    std::fs::write(&file, json(false)).unwrap();
    let client = builder(&server).file(&file).start();
    status(&client, "the file is read", |status| status.source == Readiness::File).await;
    assert_eq!(client.ready(Duration::ZERO).await, Readiness::File);
    server.revive().await;
    becomes(&client, "x", true).await;
}

#[tokio::test]
async fn a_flag_that_begins_at_a_time_begins_then_by_itself() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let from = Timestamp::from_millis(i64::try_from(now).unwrap() + 1_500);
    let schedule = Schedule { from: Some(from), ..Schedule::default() };
    let document = Document { flags: vec![Flag { schedule, ..Flag::new("x") }], ..Document::default() };
    let client = Client::builder(None).document(document).start();
    becomes(&client, "x", true).await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_written_is_said_and_hinders_nothing() {
    let (server, folder) = (Server::start().await, folder());
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let client = live(builder(&server).snapshot_file(file.join("snapshot"))).await;
    trouble(&client, Area::Snapshot, |_| true).await;
    assert!(client.is_enabled("user-7", "x"));
}

#[tokio::test]
async fn a_flag_that_cannot_be_read_is_named_and_the_others_are_used() {
    let folder = folder();
    let file = folder.path().join("flags.json");
    let flags = r#"{"flags": [{"name": "x", "enabled": true}, {"name": "y", "rollout_percentage": 101}]}"#;
    std::fs::write(&file, flags).unwrap();
    let client = Client::builder(None).file(&file).start();
    becomes(&client, "x", true).await;
    let unusable = client.status().unusable;
    assert_eq!(unusable.len(), 1);
    assert_eq!(unusable[0].flag.as_deref(), Some("y"));
}
