//! Serves a router on a listener: bounded in connections and in their lives, and ended whatever clients do.
//!
//! ```text
//! accept --> too many of this address: closed --> a task of its own: TLS handshake, then requests
//! ```
//! Whatever a client does slowly, it does in its own task: nobody else waits for it.

mod files;
mod slots;
mod tcp;

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub(super) use files::room_for;
pub(super) use slots::network;

use self::slots::{Slot, Slots};
use super::tls::Tls;

/// What a door puts up with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Connections at once; more wait in the kernel's queue. Far below the number of files that a process may have open,
    /// which the way to HAProxy needs as well.
    pub(super) most: usize,
    /// Connections of one address (IPv6: of one /64) at once; more are closed.
    pub(super) most_each: usize,
    /// Connections that only this machine may take: others are closed where no more are free, so that an operator here gets through.
    pub(super) kept_for_here: usize,
    /// After this a connection takes no further request; a client that goes on reconnects.
    pub(super) life: Duration,
    /// What is under way then may take this much longer.
    pub(super) last_answer: Duration,
}

impl Bounds {
    /// For operators and metrics. The longest answer is the wait for an event, and some.
    pub(super) const FEW: Self = Self {
        most: 64,
        most_each: 64,
        kept_for_here: 0,
        life: Duration::from_secs(120),
        last_answer: Duration::from_secs(35),
    };
}

/// How long the head of a request may take, and a connection may wait for its next one.
const HEAD: Duration = Duration::from_secs(10);
/// The largest head, in bytes.
const HEAD_BYTES: usize = 128 * 1024;
/// How long the TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long answers under way may take once the agent ends.
const GRACE: Duration = Duration::from_secs(2);

/// Where a connection comes from, in the extensions of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// From an address.
    Address(IpAddr),
    /// Through a unix socket, from a process of this user, where the system knows it.
    Local(Option<u32>),
}

/// A listener that knows where its connections come from.
pub(super) trait Origin: Listener {
    fn peer(stream: &Self::Io, address: &Self::Addr) -> Peer;

    /// Sets what the connection needs of the system.
    fn prepare(_stream: &Self::Io) {}
}

impl Origin for tokio::net::TcpListener {
    fn peer(_stream: &Self::Io, address: &Self::Addr) -> Peer {
        Peer::Address(address.ip().to_canonical())
    }

    fn prepare(stream: &Self::Io) {
        tcp::prepare(stream);
    }
}

impl Origin for tokio::net::UnixListener {
    fn peer(stream: &Self::Io, _address: &Self::Addr) -> Peer {
        Peer::Local(stream.peer_cred().ok().map(|peer| peer.uid()))
    }
}

/// Serves until `shutdown`, and then for at most [`GRACE`] longer.
pub(super) async fn serve<L: Origin>(
    mut listener: L,
    router: Router,
    bounds: Bounds,
    tls: Option<Tls>,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    let slots = Slots::new(bounds.most_each);
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= bounds.most {
            shutdown.run_until_cancelled(connections.join_next()).await;
        }
        let Some((stream, address)) = shutdown.run_until_cancelled(listener.accept()).await else { break };
        let peer = L::peer(&stream, &address);
        let is_last = connections.len() + bounds.kept_for_here >= bounds.most;
        let Some(slot) = slots.take(peer).filter(|_| !is_last || is_here(peer)) else { continue };
        L::prepare(&stream);
        let (router, tls, shutdown) = (router.clone(), tls.clone(), shutdown.clone());
        connections.spawn(connection(stream, (peer, slot), router, bounds, tls, shutdown));
    }
    drop(listener);
    let answered = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, answered).await.is_err() {
        tracing::info!(cut = connections.len(), "connections were still open when the agent ended");
    }
    connections.shutdown().await;
}

fn is_here(peer: Peer) -> bool {
    match peer {
        Peer::Address(address) => address.is_loopback(),
        Peer::Local(_) => true,
    }
}

async fn connection<S>(
    stream: S,
    (peer, _slot): (Peer, Option<Slot>),
    router: Router,
    bounds: Bounds,
    tls: Option<Tls>,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(tls) = tls else { return requests(stream, peer, router, bounds, shutdown).await };
    let handshake = timeout(HANDSHAKE, tls.accept(stream));
    // What goes wrong is the client's to say: anybody can bring it about.
    let Some(Ok(Ok(stream))) = shutdown.run_until_cancelled(handshake).await else { return };
    requests(stream, peer, router, bounds, shutdown).await;
}

async fn requests<S>(stream: S, peer: Peer, router: Router, bounds: Bounds, shutdown: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answers = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        answers.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
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
mod tests;
