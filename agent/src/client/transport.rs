//! One HTTP exchange over a unix socket.

use std::path::Path;
use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::ClientError;

/// No answer of an agent comes near this; what is longer is not an agent.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(20);

/// How long an agent that reads its configuration anew is called again.
const RELOAD: Duration = Duration::from_secs(1);

/// Why a request brought no answer.
enum Failure {
    /// The agent closed the connection before it took the request: it reads its configuration anew.
    NotTaken(ClientError),
    /// Anything else; the request may have been taken.
    Final(ClientError),
}

/// Sends one request and reads the whole answer, each time on a new connection; again only where it was not taken.
pub(super) async fn exchange(
    socket: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), ClientError> {
    let until = Instant::now() + RELOAD;
    let body = Bytes::from(body);
    loop {
        match once(socket, method.clone(), path, body.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::NotTaken(_)) if Instant::now() < until => tokio::time::sleep(PAUSE).await,
            Err(Failure::NotTaken(error) | Failure::Final(error)) => return Err(error),
        }
    }
}

async fn once(socket: &Path, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
    let asks = method == Method::GET;
    // What only asks may be asked again whatever became of it.
    let unanswered = |error: hyper::Error| {
        let again = error.is_canceled() || asks && (error.is_incomplete_message() || error.is_closed());
        let error = ClientError::Broken { socket: socket.to_owned(), reason: error.to_string() };
        if again { Failure::NotTaken(error) } else { Failure::Final(error) }
    };
    let broken = |reason: &dyn ToString| {
        Failure::Final(ClientError::Broken { socket: socket.to_owned(), reason: reason.to_string() })
    };
    let connected = UnixStream::connect(socket).await;
    let stream = connected.map_err(|error| Failure::Final(ClientError::connect(socket, &error)))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "teal")
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("teal/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body))
        .map_err(|error| broken(&error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(unanswered)?;
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
            return Err(unanswered(error));
        },
    }
    answer.await
}
