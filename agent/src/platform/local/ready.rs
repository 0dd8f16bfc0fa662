//! Whether an instance can serve: asked over HTTP, a new connection each time.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take.
const TIME_OUT: Duration = Duration::from_secs(1);

/// How often an instance that is not ready is asked.
const IMPATIENT: Duration = Duration::from_millis(100);

/// Answers in a row that a ready instance may owe before it counts as not ready; its process's end counts at once.
const MISSES: u32 = 3;

/// The readiness of one process of one instance.
#[derive(Debug)]
pub(super) struct Readiness {
    port: u16,
    path: String,
    interval: Duration,
    asked: bool,
    ready: bool,
    misses: u32,
    /// Why the last answer was none.
    reason: Option<String>,
}

impl Readiness {
    pub(super) fn new(port: u16, path: &str, interval: Duration) -> Self {
        Self { port, path: path.to_owned(), interval, asked: false, ready: false, misses: 0, reason: None }
    }

    /// A new process, or none: whatever was known is not true any more.
    pub(super) fn reset(&mut self) {
        (self.asked, self.ready, self.misses, self.reason) = (false, false, 0, None);
    }

    /// Whether this process has been asked at all.
    pub(super) const fn was_asked(&self) -> bool {
        self.asked
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// What keeps it from being ready, once that has been so for a few answers.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| !self.ready && self.misses >= MISSES)
    }

    /// How long to wait before the next question.
    pub(super) fn wait(&self) -> Duration {
        if self.ready { self.interval } else { self.interval.min(IMPATIENT) }
    }

    /// Asks once. Cancel safe: a question that is dropped has not been asked.
    pub(super) async fn ask(&mut self) {
        let answer = tokio::time::timeout(TIME_OUT, get(self.port, &self.path)).await;
        let reason = match answer {
            Ok(Ok(200..=399)) => None,
            Ok(Ok(status)) => Some(format!("answers {status}")),
            Ok(Err(error)) => Some(error),
            Err(_) => Some(format!("no answer within {} s", TIME_OUT.as_secs())),
        };
        self.judge(reason);
    }

    fn judge(&mut self, reason: Option<String>) {
        self.asked = true;
        self.misses = if reason.is_some() { self.misses.saturating_add(1) } else { 0 };
        self.ready = reason.is_none() || (self.ready && self.misses < MISSES);
        self.reason = reason.map(|reason| format!("GET {} on port {}: {reason}", self.path, self.port));
    }
}

async fn get(port: u16, path: &str) -> Result<u16, String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| error.kind().to_string())?;
    let handshake = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| error.to_string())?;
    let request = Request::get(path)
        .header(header::HOST, format!("127.0.0.1:{port}"))
        .header(header::USER_AGENT, concat!("teal-ready/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request);
    // The connection is this future's own: it goes when the answer's head is there, or with the time-out.
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        answer = &mut answer => answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string()),
        _ = &mut connection => answer.await.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn asked(answer: &'static str) -> Readiness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut readiness = Readiness::new(listener.local_addr().unwrap().port(), "/ready", Duration::from_secs(1));
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /ready HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(readiness.ask(), server);
        readiness
    }

    #[tokio::test]
    async fn two_and_three_hundreds_are_ready() {
        for (answer, ready) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true),
            ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", true),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", false),
            ("HTTP/1.1 503 Unavailable\r\n\r\n", false),
            ("", false),
            ("SSH-2.0-OpenSSH_9.2\r\n", false),
        ] {
            assert_eq!(asked(answer).await.is_ready(), ready, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_is_a_reason() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut readiness = Readiness::new(port, "/ready", Duration::from_secs(1));
        for _ in 0..MISSES {
            assert_eq!(readiness.reason(), None);
            readiness.ask().await;
        }
        assert_eq!(readiness.reason(), Some(format!("GET /ready on port {port}: connection refused").as_str()));
    }

    #[test]
    fn a_ready_instance_may_miss_twice() {
        let mut readiness = Readiness::new(1, "/", Duration::from_millis(500));
        let miss = || Some("answers 500".to_owned());
        readiness.judge(miss());
        assert!(!readiness.is_ready());
        assert_eq!(readiness.wait(), IMPATIENT);
        readiness.judge(None);
        assert_eq!(readiness.wait(), Duration::from_millis(500));
        for ready in [true, true, false, false] {
            readiness.judge(miss());
            assert_eq!(readiness.is_ready(), ready);
        }
        readiness.judge(None);
        assert!(readiness.is_ready());
        readiness.reset();
        assert!(!readiness.is_ready());
    }
}
