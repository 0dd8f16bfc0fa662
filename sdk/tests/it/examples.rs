//! The examples do what they say.

use std::time::Duration;

use teal_flags::client::Client;
use teal_flags::testing::TestFlags;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[path = "../../examples/axum.rs"]
#[expect(dead_code, reason = "its main listens on a port that may be taken")]
mod axum_example;
#[path = "../../examples/plain.rs"]
mod plain;

#[test]
fn plain_code_reads_a_file_and_asks() {
    plain::main().unwrap();
}

/// The body of the answer to a visit of this user.
async fn visit(address: std::net::SocketAddr, user: &str) -> serde_json::Value {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /visit HTTP/1.1\r\nhost: x\r\nx-user: {user}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

#[tokio::test]
async fn a_web_application_answers_each_user_by_flag() {
    let overrides = TestFlags::new().off("telehealth").into_overrides();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum_example::app(overrides.flags().clone());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let set = overrides.set_for("user-7", "telehealth", true);
    assert_eq!(visit(address, "user-7").await["visit"], "by video");
    assert_eq!(visit(address, "user-8").await["visit"], "at the clinic");
    drop(set);
    assert_eq!(visit(address, "user-7").await["visit"], "at the clinic");
    server.abort();
}

#[tokio::test]
async fn the_file_beside_the_examples_is_one_that_a_client_reads() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/flags.json");
    let client = Client::builder(None).environment("prod").file(file).start();
    client.ready(Duration::from_secs(10)).await;
    assert!(client.is_enabled("user-7", "billing-integration"));
    assert_eq!(client.status().troubles, []);
    client.close().await;
}
