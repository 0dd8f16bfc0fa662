//! A service that wants something else: another token, patience, another address.

use std::time::Duration;

use teal_flags::client::{Area, ClientError, Readiness};
use teal_testkit::folder;

use super::server::{Answer, Server};
use super::{builder, live, status, trouble};

#[tokio::test]
async fn a_refused_token_is_said_and_its_successor_is_found() {
    let (server, folder) = (Server::start().await, folder());
    server.require("new-t0ken");
    let file = folder.path().join("token");
    std::fs::write(&file, "old-t0ken\n").unwrap();
    let client = builder(&server).token_file(&file).start();
    let text = trouble(&client, Area::Service, |error| matches!(error, ClientError::Refused { status: 401 })).await;
    assert!(text.contains("does not know the token"), "{text}");
    std::fs::write(folder.path().join("token.new"), "new-t0ken\n").unwrap();
    std::fs::rename(folder.path().join("token.new"), &file).unwrap();
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert_eq!(server.seen("stream").len(), 2, "it was not tried again and again meanwhile");
    assert!(!format!("{client:?}").contains("t0ken"));
}

#[tokio::test]
async fn a_token_file_that_is_missing_is_said_and_found_when_it_comes() {
    let (server, folder) = (Server::start().await, folder());
    let file = folder.path().join("token");
    let client = builder(&server).token_file(&file).start();
    let text = trouble(&client, Area::Service, |error| matches!(error, ClientError::Token { .. })).await;
    assert!(text.contains("No such file"), "{text}");
    std::fs::write(&file, "t0ken").unwrap();
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert_eq!(server.seen("stream")[0].headers["authorization"], "Bearer t0ken");
}

#[tokio::test]
async fn a_busy_service_is_left_alone_for_as_long_as_it_says() {
    let server = Server::start().await;
    let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2";
    server.answer("stream", Answer::Say(busy, String::new()));
    let client = builder(&server).start();
    let asked = Some(Duration::from_secs(2));
    let is_busy = |error: &ClientError| *error == ClientError::Busy { status: 429, retry_after: asked };
    trouble(&client, Area::Service, is_busy).await;
    server.answer("stream", Answer::Well);
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert_eq!(server.seen("stream").len(), 2, "it was asked once, and once more after that");
}

#[tokio::test]
async fn a_redirect_is_said_and_not_followed() {
    let mut server = Server::start().await;
    let client = live(builder(&server).token("t0ken")).await;
    let moved = "HTTP/1.1 302 Found\r\nLocation: /api/v1/feature-flags/elsewhere?session=secret";
    for way in ["stream", "snapshot"] {
        server.answer(way, Answer::Say(moved, String::new()));
    }
    server.kill().await;
    server.revive().await;
    let text = trouble(&client, Area::Service, |error| matches!(error, ClientError::Redirected { .. })).await;
    assert!(text.contains("/api/v1/feature-flags/elsewhere;") && !text.contains("secret"), "{text}");
    assert!(server.seen("elsewhere").is_empty());
    assert!(client.is_enabled("user-7", "x"));
    server.answer("stream", Answer::Well);
    status(&client, "all is well", |status| status.troubles.is_empty()).await;
}
