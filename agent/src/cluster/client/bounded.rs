//! One request: its token, and the time in which it must be answered.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::Connect;
use kube::client::{Body, DynBody};
use tokio::time::timeout;
use tower_service::Service;

use super::error::ConnectError;

/// The largest answer that is not a stream. A page of 500 large Pods has some 10 MB.
const LARGEST: usize = 64 << 20;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// No answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the API server did not answer within {0:?}")]
struct Late(Duration);

/// The hyper client with a limit around each request.
#[derive(Clone)]
pub(super) struct Bounded<C> {
    inner: legacy::Client<C, Body>,
    token: Option<Arc<Token>>,
    limit: Duration,
}

impl<C> Bounded<C> {
    pub(super) fn new(inner: legacy::Client<C, Body>, token: Option<Token>, limit: Duration) -> Self {
        Self { inner, token: token.map(Arc::new), limit }
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Service<Request<Body>> for Bounded<C> {
    type Response = Response<Box<DynBody>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(header) = self.token.as_ref().map(|token| token.header()) {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        let is_stream = request.uri().query().is_some_and(is_stream);
        let (answer, limit) = (self.inner.request(request), self.limit);
        Box::pin(async move {
            let whole = async {
                let (head, body) = answer.await?.into_parts();
                if is_stream && head.status.is_success() {
                    let body: Box<DynBody> = Box::new(body.map_err(BoxError::from));
                    return Ok(Response::from_parts(head, body));
                }
                let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
                let body: Box<DynBody> = Box::new(Full::<Bytes>::new(body).map_err(BoxError::from));
                Ok(Response::from_parts(head, body))
            };
            timeout(limit, whole).await.map_err(|_| Late(limit))?
        })
    }
}

/// Whether the answer goes on for as long as somebody listens; who asks for one minds its silence.
fn is_stream(query: &str) -> bool {
    query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1" | "follow=true"))
}

/// A bearer token in a file that others renew: the kubelet does, each hour or so.
#[derive(Debug)]
pub(super) struct Token {
    path: PathBuf,
    /// As it was read last: the file may be away for a moment while it is replaced.
    last: Mutex<HeaderValue>,
}

impl Token {
    pub(super) fn open(path: PathBuf) -> Result<Self, ConnectError> {
        match read(&path) {
            Ok(header) => Ok(Self { path, last: Mutex::new(header) }),
            Err(source) => Err(ConnectError::Token { path, source }),
        }
    }

    /// A read of a kilobyte for each of a few requests a minute; a token that was renewed thus counts at once.
    fn header(&self) -> HeaderValue {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(header) = read(&self.path) {
            *last = header;
        }
        last.clone()
    }
}

fn read(path: &std::path::Path) -> std::io::Result<HeaderValue> {
    let text = std::fs::read_to_string(path)?;
    let bad = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_owned());
    let token = text.trim();
    if token.is_empty() {
        return Err(bad("it is empty"));
    }
    let header = HeaderValue::try_from(format!("Bearer {token}"));
    let mut header = header.map_err(|_| bad("it holds more than a token"))?;
    header.set_sensitive(true);
    Ok(header)
}
