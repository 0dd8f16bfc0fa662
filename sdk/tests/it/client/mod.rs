//! The client against a service that does what services do: dies, hangs, talks nonsense, forgets.
//!
//! Each test says what the caller sees. Time-outs are short here; nothing is asserted about how long anything takes.

#![expect(clippy::unwrap_used, reason = "what the tests stand on fails the test")]

mod extremes;
mod files;
mod garbage;
mod gone;
mod history;
mod plain;
mod refusals;
mod relays;
mod reports;
mod server;
mod slow;
mod ways;

use std::time::Duration;

use server::Server;
use teal_flags::client::{Area, Builder, Client, ClientError, Limits, Readiness, Status};
use teal_testkit::until;

/// Bounds under which tests are quick.
fn limits() -> Limits {
    Limits {
        first_byte: Duration::from_millis(500),
        size: 100_000,
        backoff_base: Duration::from_millis(10),
        backoff_cap: Duration::from_millis(50),
        stream_retry: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// A client of this server.
fn builder(server: &Server) -> Builder {
    let address = server.address();
    Client::builder(address.as_str()).environment("prod").limits(limits()).poll_every(Duration::from_millis(100))
}

/// Waits until the status is as said.
async fn status(client: &Client, what: &str, is: impl Fn(&Status) -> bool) -> Status {
    until(what, || {
        let status = client.status();
        std::future::ready(is(&status).then_some(status))
    })
    .await
}

/// Waits until the client has a trouble of this kind there.
async fn trouble(client: &Client, area: Area, is: impl Fn(&ClientError) -> bool) -> String {
    let found = status(client, "it is in trouble", |status| {
        status.troubles.iter().any(|trouble| trouble.area == area && is(&trouble.error))
    });
    let troubles = found.await.troubles;
    troubles
        .into_iter()
        .find(|trouble| trouble.area == area)
        .map(|trouble| trouble.error.to_string())
        .unwrap_or_default()
}

/// Waits until a flag is on, or off.
async fn becomes(client: &Client, flag: &str, on: bool) {
    until("the flag is as said", || std::future::ready((client.is_enabled("user-7", flag) == on).then_some(()))).await;
}

/// A started client that has heard the server, whose flag `x` is on.
async fn live(builder: Builder) -> Client {
    let client = builder.start();
    assert_eq!(client.ready(teal_testkit::PATIENCE).await, Readiness::Live);
    assert!(client.is_enabled("user-7", "x"));
    client
}
