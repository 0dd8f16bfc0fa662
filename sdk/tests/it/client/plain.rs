//! Code without a runtime, and runtimes that end.

use std::time::Duration;

use teal_flags::client::{Client, Readiness};
use teal_testkit::{PATIENCE, folder};

use super::builder;
use super::server::Server;

#[test]
fn without_a_runtime_it_brings_its_own() {
    let (sent, address) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let service = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await;
            sent.send(server.address()).unwrap();
            ended.await.unwrap();
            server.seen("exposures").len()
        })
    });
    let address = address.recv().unwrap();
    let client = Client::builder(address.as_str()).start();
    assert_eq!(client.ready_blocking(PATIENCE), Readiness::Live);
    assert!(client.is_enabled("user-7", "x"));
    client.close_blocking();
    end.send(()).unwrap();
    assert_eq!(service.join().unwrap(), 1, "closing has sent the counts");
}

#[test]
fn a_runtime_that_ends_stops_the_client_and_not_the_flags() {
    let folder = folder();
    let file = folder.path().join("flags.json");
    std::fs::write(&file, r#"{"flags": [{"name": "x", "enabled": true}]}"#).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::builder(None).file(&file).runtime(runtime.handle().clone()).start();
    assert_eq!(client.ready_blocking(PATIENCE), Readiness::File);
    drop(runtime);
    assert!(client.status().stopped);
    assert!(client.is_enabled("user-7", "x"));
    client.close_blocking();
}

#[tokio::test]
async fn starting_does_not_wait_and_ready_waits_no_longer_than_it_is_told() {
    let server = Server::start().await;
    server.answer("stream", super::server::Answer::Hang);
    let client = builder(&server).start();
    assert!(!client.is_enabled("user-7", "x"));
    assert_eq!(client.ready(Duration::from_millis(20)).await, Readiness::DefaultsOnly);
}
