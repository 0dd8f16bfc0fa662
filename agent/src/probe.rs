//! Confirming probes: some requests, straight to a colour's servers, answered in time or not at all.
//!
//! ```text
//!            +-- request 0 --> server 0      each on a new connection: a pooled one would hide
//!  probe() --+-- request 1 --> server 1      a server that no longer accepts
//!            +-- request 2 --> server 0 ...
//! ```
//! A server has few of them at once. Many keep a short queue of connections (five is a common one), and the kernel drops what comes
//! beyond it: that would be our doing, and look like a server that fails.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Marks a request as Teal's own, so that an application can keep it out of its statistics.
pub const MARKER: HeaderName = HeaderName::from_static("x-teal-probe");

/// How long the other requests are waited for when enough have passed: all are on their way, unless a server hangs.
pub const GRACE: Duration = Duration::from_millis(10);

/// Requests that a server has at once, before [`PACE`] lets more go: with users' own fewer than a queue of five takes.
const AT_ONCE: usize = 3;

/// After so long the next ones go although those before have no answer: a server that hangs costs no more than this a few.
const PACE: Duration = Duration::from_millis(15);

/// How many requests are sent, and when their answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// How many are sent.
    pub requests: u8,
    /// Once so many have passed the others have no more than [`GRACE`].
    pub enough: u8,
}

/// How long a probe may take. Every request has both limits to itself, from when it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To connect. Then it is tried once more: who finds the queue full is dropped, and asked again by the kernel only after a second.
    pub connect: Duration,
    /// From the start until the head of the answer has arrived, connecting included.
    pub total: Duration,
}

impl Default for Limits {
    /// 100 ms to connect: a port that refuses does so at once, and a machine that does much else may take that long to
    /// accept. 1 s in all, the latency limit of a route that has none of its own.
    fn default() -> Self {
        Self { connect: Duration::from_millis(100), total: Duration::from_secs(1) }
    }
}

/// Why a probe request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeRequestError {
    /// A probe changes nothing, so it may only read.
    #[error("a probe's method must be GET or HEAD, not {0}")]
    Method(Method),
    /// Not `/something`.
    #[error("`{0}` is not a path to probe: it must start with `/`, without spaces or fragment")]
    Path(String),
    /// Not a host name, with or without port.
    #[error("`{0}` is not a host name")]
    Host(String),
}

/// One safe request, checked once so that sending it cannot fail for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    method: Method,
    path: Uri,
    headers: HeaderMap,
}

impl ProbeRequest {
    /// A request for `path` (with query, if any) of `host`; `headers` are sent along, [`MARKER`] is added.
    ///
    /// # Errors
    /// When the method does more than read, or when path or host cannot stand in a request.
    pub fn new(method: Method, path: &str, host: &str, mut headers: HeaderMap) -> Result<Self, ProbeRequestError> {
        if method != Method::GET && method != Method::HEAD {
            return Err(ProbeRequestError::Method(method));
        }
        let valid = path.starts_with('/') && !path.contains('#');
        let uri = path.parse().ok().filter(|_| valid).ok_or_else(|| ProbeRequestError::Path(path.to_owned()))?;
        let not_a_host = || ProbeRequestError::Host(host.to_owned());
        if host.is_empty() || host.parse::<http::uri::Authority>().is_err() {
            return Err(not_a_host());
        }
        headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| not_a_host())?);
        headers.insert(MARKER, HeaderValue::from_static("1"));
        Ok(Self { method, path: uri, headers })
    }

    fn to_http(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Sends as many requests as asked for, spread over `addresses` and `requests`, and counts those that pass.
///
/// A request passes when the head of an answer below 500 arrives in time. The body is not waited for: a
/// stream that never ends is healthy. With no address or nothing to ask none passes; ask the smoke suite then.
pub async fn probe(addresses: &[SocketAddr], requests: &[ProbeRequest], ask: Ask, limits: Limits) -> u8 {
    if addresses.is_empty() || requests.is_empty() {
        return 0;
    }
    let places: Vec<Semaphore> = addresses.iter().map(|_| Semaphore::new(AT_ONCE)).collect();
    let places = &places;
    let sent = (0..usize::from(ask.requests)).map(|i| {
        let (at, request) = (i % addresses.len(), &requests[i % requests.len()]);
        let before = u32::try_from(i / addresses.len() / AT_ONCE).unwrap_or(u32::MAX);
        async move {
            let _place = timeout(PACE * before, places[at].acquire()).await;
            self::ask(addresses[at], request, limits).await
        }
    });
    let mut sent: FuturesUnordered<_> = sent.collect();
    let mut passed = 0;
    while passed < ask.enough {
        let Some(pass) = sent.next().await else { return passed };
        passed += u8::from(pass);
    }
    let others = async {
        while let Some(pass) = sent.next().await {
            passed += u8::from(pass);
        }
    };
    // What is still missing then has not passed.
    let _ = timeout(GRACE, others).await;
    passed
}

/// Sends one request and says whether it passes, as each of [`probe`]'s does.
pub async fn ask(address: SocketAddr, request: &ProbeRequest, limits: Limits) -> bool {
    timeout(limits.total, passes(address, request, limits.connect)).await.unwrap_or(false)
}

async fn passes(address: SocketAddr, request: &ProbeRequest, connect: Duration) -> bool {
    let again = async |_late| timeout(connect, TcpStream::connect(address)).await;
    let first = timeout(connect, TcpStream::connect(address)).await;
    let Ok(Ok(stream)) = (if let Err(late) = first { again(late).await } else { first }) else { return false };
    // Without it the kernel may hold a small request back; where it cannot be set the probe still works.
    let _ = stream.set_nodelay(true);
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await else {
        return false;
    };
    let answer = sender.send_request(request.to_http());
    tokio::pin!(answer, connection);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // A connection that ends may have delivered the answer in the same moment.
        _ = &mut connection => answer.await,
    };
    answer.is_ok_and(|response| response.status().as_u16() < 500)
}

#[cfg(test)]
mod tests;
