//! A small HTTP/1.1 client: one connection, one request at a time.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::AbortOnDropHandle;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// A header's value, or `""` where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// GET this path.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// Any method; the body is empty.
    #[must_use]
    pub fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new() }
    }

    /// With one more header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// Not connected, or no whole answer.
    pub async fn send(self, addr: SocketAddr) -> io::Result<Reply> {
        Client::connect(addr).await?.send(self).await
    }
}

/// GET on a connection of its own.
///
/// # Errors
/// Not connected, or no whole answer.
pub async fn get(addr: SocketAddr, path: &str) -> io::Result<Reply> {
    Request::get(path).send(addr).await
}

/// One keep-alive connection.
#[derive(Debug)]
pub struct Client {
    addr: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

impl Client {
    /// Opens the connection.
    ///
    /// # Errors
    /// Those of connecting.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let driver = tokio::spawn(async move {
            // What goes wrong on the connection is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self { addr, sender, _driver: AbortOnDropHandle::new(driver) })
    }

    /// GET this path.
    ///
    /// # Errors
    /// The connection was closed, or the answer was not whole.
    pub async fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send(Request::get(path)).await
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection was closed, or the answer was not whole.
    pub async fn send(&mut self, request: Request) -> io::Result<Reply> {
        let mut message = http::Request::builder().method(request.method).uri(request.path);
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            message = message.header("host", self.addr.to_string());
        }
        for (name, value) in request.headers {
            message = message.header(name, value);
        }
        let message = message.body(Full::default()).map_err(io::Error::other)?;
        self.sender.ready().await.map_err(io::Error::other)?;
        let (head, body) = self.sender.send_request(message).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }
}
