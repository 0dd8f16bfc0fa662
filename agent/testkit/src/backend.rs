//! A scripted HTTP server: what it answers changes at run time, and it remembers what it was asked.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// What a [`Backend`] does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status; the body is the back end's name.
    Status(u16),
    /// Nothing, ever; the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

/// What arrived for one path.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many requests.
    pub count: u64,
    /// The last one's method.
    pub method: String,
    /// The last one's headers, names in lower case.
    pub headers: HeaderMap,
}

#[derive(Debug)]
struct Script {
    name: String,
    answer: Answer,
    delay: Duration,
    paths: BTreeMap<String, Answer>,
    seen: BTreeMap<String, Seen>,
}

/// A scripted back end on a free port of loopback; it ends when dropped.
///
/// Each answer carries the back end's name in the body and in the header `x-backend`.
#[derive(Debug)]
pub struct Backend {
    addr: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: Option<AbortOnDropHandle<()>>,
}

impl Backend {
    /// Starts one that answers 200.
    ///
    /// # Panics
    /// When loopback cannot be bound.
    pub async fn start(name: &str) -> Self {
        Self::start_on(name, crate::free_port()).await
    }

    /// The same on a port that was chosen before.
    ///
    /// # Panics
    /// When the port is taken.
    pub async fn start_on(name: &str, port: u16) -> Self {
        let script = Script {
            name: name.to_owned(),
            answer: Answer::Status(200),
            delay: Duration::ZERO,
            paths: BTreeMap::new(),
            seen: BTreeMap::new(),
        };
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut backend = Self { addr, script: Arc::new(Mutex::new(script)), server: None };
        backend.listen().await;
        backend
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on, every path without an answer of its own gets this one.
    pub fn answer(&self, answer: Answer) {
        self.script().answer = answer;
    }

    /// From now on, exactly this path gets this answer, whatever the others get.
    pub fn answer_on(&self, path: &str, answer: Answer) {
        self.script().paths.insert(path.to_owned(), answer);
    }

    /// From now on, every answer waits this long first.
    pub fn delay(&self, delay: Duration) {
        self.script().delay = delay;
    }

    /// What arrived for exactly this path (the query set aside).
    #[must_use]
    pub fn seen(&self, path: &str) -> Seen {
        self.script().seen.get(path).cloned().unwrap_or_default()
    }

    /// Requests that arrived for exactly this path.
    #[must_use]
    pub fn count(&self, path: &str) -> u64 {
        self.seen(path).count
    }

    /// Requests that arrived for all paths but these (health checks, say).
    #[must_use]
    pub fn count_without(&self, ignored: &[&str]) -> u64 {
        let script = self.script();
        script.seen.iter().filter(|(path, _)| !ignored.contains(&path.as_str())).map(|(_, seen)| seen.count).sum()
    }

    /// Forgets what arrived.
    pub fn reset(&self) {
        self.script().seen.clear();
    }

    /// Closes the port and every connection: new ones are refused.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    /// Listens again on the same port after [`Backend::stop`].
    ///
    /// # Panics
    /// When somebody else took the port meanwhile.
    pub async fn listen(&mut self) {
        self.stop().await;
        let addr = self.addr;
        let listener = TcpListener::bind(addr).await.unwrap_or_else(|error| panic!("cannot listen on {addr}: {error}"));
        let script = Arc::clone(&self.script);
        self.server = Some(AbortOnDropHandle::new(tokio::spawn(accept(listener, script))));
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>) {
    // Dropped with this task: the connections end with the listener.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let script = Arc::clone(&script);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&script), request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(script: Arc<Mutex<Script>>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (name, answer, delay) = lock(&script).record(&request);
    tokio::time::sleep(delay).await;
    match answer {
        Answer::Hang => std::future::pending().await,
        Answer::Close => Err(io::ErrorKind::ConnectionAborted.into()),
        Answer::Status(status) => Response::builder()
            .status(status)
            .header("x-backend", &name)
            .body(Full::from(name))
            .map_err(io::Error::other),
    }
}

impl Script {
    fn record(&mut self, request: &Request<Incoming>) -> (String, Answer, Duration) {
        let path = request.uri().path();
        let answer = self.paths.get(path).copied().unwrap_or(self.answer);
        let seen = self.seen.entry(path.to_owned()).or_default();
        seen.count += 1;
        seen.method = request.method().to_string();
        seen.headers = request.headers().clone();
        (self.name.clone(), answer, self.delay)
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, get};

    #[tokio::test]
    async fn it_answers_by_its_script_and_counts() {
        let backend = Backend::start("green").await;
        assert_eq!(get(backend.addr(), "/a?q=1").await.unwrap().body, "green");
        backend.answer(Answer::Status(500));
        backend.answer_on("/healthz", Answer::Status(204));
        let mut client = Client::connect(backend.addr()).await.unwrap();
        assert_eq!(client.get("/a").await.unwrap().status, 500);
        assert_eq!(client.get("/healthz").await.unwrap().status, 204);
        backend.answer(Answer::Close);
        assert!(client.get("/a").await.is_err());
        assert_eq!((backend.count("/a"), backend.count_without(&["/healthz"])), (3, 3));
    }

    #[tokio::test]
    async fn a_stopped_one_refuses_until_it_listens_again() {
        let mut backend = Backend::start("blue").await;
        let mut kept = Client::connect(backend.addr()).await.unwrap();
        kept.get("/").await.unwrap();
        backend.stop().await;
        assert!(get(backend.addr(), "/").await.is_err());
        assert!(kept.get("/").await.is_err());
        backend.listen().await;
        assert_eq!(get(backend.addr(), "/").await.unwrap().status, 200);
    }
}
