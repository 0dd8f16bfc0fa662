use std::sync::Arc;

use super::*;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn door(
    router: Router,
    bounds: Bounds,
) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    (address, shutdown.clone(), tokio::spawn(serve(listener, router, bounds, None, shutdown)))
}

/// A connection that has asked, was answered, and stays.
async fn kept(address: std::net::SocketAddr) -> std::io::Result<TcpStream> {
    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await?;
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"HTTP/1.1 200");
    Ok(client)
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_does_not_hold_up_the_end() {
    let shown = Arc::new(());
    let state = shown.clone();
    let (address, shutdown, task) = door(Router::new().route("/", get(async move || drop(state))), Bounds::FEW).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: t").await.unwrap();
    let _idle = kept(address).await.unwrap();
    shutdown.cancel();
    timeout(GRACE * 2, task).await.unwrap().unwrap();
    assert_eq!(Arc::strong_count(&shown), 1, "no connection holds what the door showed");
}

#[tokio::test]
async fn a_client_with_a_thousand_connections_gets_no_more_than_its_share() {
    let (address, shutdown, task) = door(Router::new().route("/", get(async || "here")), Bounds::FEW).await;
    let mut held = Vec::new();
    for _ in 0..Bounds::FEW.most {
        held.push(kept(address).await.unwrap());
    }
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(b"GET / HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    assert!(timeout(Duration::from_millis(200), late.read_to_string(&mut answer)).await.is_err());
    held.pop();
    timeout(HEAD, late.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn who_holds_its_share_is_closed_and_gets_back_in_when_it_lets_go() {
    let bounds = Bounds { most_each: 2, ..Bounds::FEW };
    let (address, shutdown, task) = door(Router::new().route("/", get(async || "here")), bounds).await;
    let mut held = vec![kept(address).await.unwrap(), kept(address).await.unwrap()];
    assert!(kept(address).await.is_err(), "closed without an answer");
    held.pop();
    teal_testkit::until("there is room again", || async { kept(address).await.ok() }).await;
    shutdown.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let (address, shutdown, task) = door(Router::new().route("/", get(async || "here")), Bounds::FEW).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: t\r\nx: {}\r\n\r\n", "x".repeat(2 * HEAD_BYTES));
    // The other side may close before all of it is written.
    let _ = client.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    shutdown.cancel();
    task.await.unwrap();
}
