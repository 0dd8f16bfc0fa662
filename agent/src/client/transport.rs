//! One HTTP exchange over a unix socket.

use std::path::Path;

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::ClientError;

/// No answer of an agent comes near this; what is longer is not an agent.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// Sends one request on a new connection and reads the whole answer.
pub(super) async fn exchange(
    socket: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), ClientError> {
    let broken = |reason: &dyn ToString| ClientError::Broken { socket: socket.to_owned(), reason: reason.to_string() };
    let stream = UnixStream::connect(socket).await.map_err(|error| ClientError::connect(socket, &error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "teal")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("teal/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| broken(&error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let body =
            Limited::new(response.into_body(), LARGEST_ANSWER).collect().await.map_err(|error| broken(&error))?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(answer);
    // The connection is driven here and not by a task of its own, so that a time-out drops both.
    tokio::select! {
        answered = &mut answer => return answered,
        ended = connection => if let Err(error) = ended {
            return Err(broken(&error));
        },
    }
    answer.await
}
