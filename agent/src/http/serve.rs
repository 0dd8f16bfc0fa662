//! Serves a router on a listener: bounded in connections and in their lives, and ended whatever clients do.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What a door puts up with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Connections at once; more wait in the kernel's queue. Far below the number of files that a process may have open,
    /// which the way to HAProxy needs as well.
    most: usize,
    /// After this a connection takes no further request; a client that goes on reconnects.
    life: Duration,
    /// What is under way then may take this much longer.
    last_answer: Duration,
}

impl Bounds {
    /// For operators and metrics. The longest answer is the wait for an event, and some.
    pub(super) const FEW: Self =
        Self { most: 64, life: Duration::from_secs(120), last_answer: Duration::from_secs(35) };
    /// For flags, whose streams last.
    pub(super) const FLAGS: Self =
        Self { most: 512, life: Duration::from_secs(3600), last_answer: Duration::from_secs(35) };
}

/// How long the head of a request may take, and a connection may wait for its next one.
const HEAD: Duration = Duration::from_secs(10);
/// How long answers under way may take once the agent ends.
const GRACE: Duration = Duration::from_secs(2);

/// Where a connection comes from, in the extensions of its requests: an address without its port, or nothing for a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer(pub(super) String);

/// An address that a listener accepts connections from.
pub(super) trait Origin {
    fn peer(&self) -> Peer;
}

impl Origin for std::net::SocketAddr {
    fn peer(&self) -> Peer {
        Peer(self.ip().to_canonical().to_string())
    }
}

impl Origin for tokio::net::unix::SocketAddr {
    fn peer(&self) -> Peer {
        Peer(String::new())
    }
}

/// Serves until `shutdown`, and then for at most [`GRACE`] longer.
pub(super) async fn serve<L: Listener<Addr: Origin>>(
    mut listener: L,
    router: Router,
    bounds: Bounds,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= bounds.most {
            shutdown.run_until_cancelled(connections.join_next()).await;
        }
        let Some((stream, address)) = shutdown.run_until_cancelled(listener.accept()).await else { break };
        connections.spawn(connection(stream, address.peer(), router.clone(), bounds, shutdown.clone()));
    }
    drop(listener);
    let answered = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, answered).await.is_err() {
        tracing::info!(cut = connections.len(), "connections were still open when the agent ended");
    }
    connections.shutdown().await;
}

async fn connection<S>(stream: S, peer: Peer, router: Router, bounds: Bounds, shutdown: CancellationToken)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let answers = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        answers.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A connection that breaks is the client's business, and how it ends the client knows best.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => {}
        () = sleep(bounds.life) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(bounds.last_answer, connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn door(router: Router) -> (std::net::SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        (address, shutdown.clone(), tokio::spawn(serve(listener, router, Bounds::FEW, shutdown)))
    }

    #[tokio::test]
    async fn a_client_that_never_finishes_its_request_does_not_hold_up_the_end() {
        let kept = std::sync::Arc::new(());
        let state = kept.clone();
        let (address, shutdown, task) = door(Router::new().route("/", get(async move || drop(state)))).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: t").await.unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        idle.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        shutdown.cancel();
        timeout(GRACE * 2, task).await.unwrap().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&kept), 1, "no connection holds what the door showed");
    }

    #[tokio::test]
    async fn a_client_with_a_thousand_connections_gets_no_more_than_its_share() {
        let (address, shutdown, task) = door(Router::new().route("/", get(async || "here"))).await;
        let mut held = Vec::new();
        for _ in 0..Bounds::FEW.most {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
            client.read_exact(&mut [0; 12]).await.unwrap();
            held.push(client);
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
}
