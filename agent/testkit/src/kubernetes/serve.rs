//! HTTP: one port, connections that end when the server stops.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dispatch::{Asked, Outcome, dispatch};
use super::faults::Failure;
use super::refusal::Refusal;
use super::state::Shared;
use super::watch;

type Body = BoxBody<Bytes, std::io::Error>;

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up, as the test wants it")
    }
}

impl std::error::Error for HungUp {}

/// What listens and answers until it is stopped.
#[derive(Debug)]
pub(super) struct Serving {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Serving {
    /// Listens at `port` of loopback.
    pub(super) fn start(shared: &Arc<Shared>, port: u16) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let listener = socket.listen(1024)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let accepting = accept(listener, shared.clone(), stop.clone(), tasks.clone());
        tasks.spawn(accepting);
        Ok(Self { stop, tasks })
    }

    /// Closes the port and every connection.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    while let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await {
        // An answer of one small frame must not wait for the one before to be acknowledged.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let shared = shared.clone();
        let service = service_fn(move |request| respond(shared.clone(), request));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        let stop = stop.clone();
        tasks.spawn(async move {
            // How a connection ends is the client's affair, or the test's.
            drop(stop.run_until_cancelled(connection).await);
        });
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, HungUp> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
    let asked = Asked {
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        method: head.method,
        content_type: text(&head.headers, header::CONTENT_TYPE),
        token: text(&head.headers, header::AUTHORIZATION).trim_start_matches("Bearer ").to_owned(),
        user_agent: text(&head.headers, header::USER_AGENT),
        body,
    };
    let dispatched = dispatch(&shared, &asked);
    match dispatched.failure {
        Some(Failure::Hang) => std::future::pending::<()>().await,
        Some(Failure::Reset | Failure::Lost) => return Err(HungUp),
        Some(Failure::Slow(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let answered = match dispatched.outcome {
        Ok(Outcome::Watch(call)) => {
            watch::follow(&shared, &call).map(|events| json_response(200, BodyExt::boxed(StreamBody::new(events))))
        }
        Ok(Outcome::Json((code, object))) => Ok(json_response(code, watch::whole(to_bytes(&object)))),
        Ok(Outcome::Text(text)) => Ok(Response::new(watch::whole(Bytes::from(text)))),
        Err(refusal) => Err(refusal),
    };
    Ok(answered.unwrap_or_else(|refusal| refused(&refusal)))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn to_bytes(object: &Value) -> Bytes {
    Bytes::from(object.to_string())
}

fn json_response(code: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = json_response(refusal.code, watch::whole(to_bytes(&refusal.status())));
    if let Some(seconds) = refusal.seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
