//! A service of the tests' own: one document, a token where wanted, and answers to counts that can be lost.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(super) const DOCUMENT: &str =
    r#"{"instance":"a","revision":3,"flags":[{"id":8,"name":"telehealth","enabled":true,"rollout_percentage":100}]}"#;

/// What happened to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    token: Option<&'static str>,
    /// Answers to counts that are not given although the counts have arrived.
    lose: u32,
    reports: Vec<Value>,
    /// How often it was asked for everything.
    asked: u32,
}

impl Upstream {
    pub(super) async fn start(token: Option<&'static str>, lose: u32) -> (Self, SocketAddr) {
        let upstream = Self(Arc::new(Mutex::new(State { token, lose, ..State::default() })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = upstream.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(shared.clone().connection(socket));
            }
        });
        (upstream, address)
    }

    /// Every report that arrived, word for word, answered or not.
    pub(super) fn reports(&self) -> Vec<Value> {
        self.0.lock().unwrap().reports.clone()
    }

    /// How often it was asked for everything, beside the stream.
    pub(super) fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }

    /// One request, then the end; a stream stays.
    async fn connection(self, socket: TcpStream) {
        let mut socket = BufReader::new(socket);
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if socket.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        socket.read_exact(&mut body).await.unwrap();
        let answer = self.answer(&head, &body);
        let Some(answer) = answer else { return };
        if socket.write_all(answer.as_bytes()).await.is_ok() && answer.contains("event-stream") {
            // Until the other side has gone.
            let _ = socket.read(&mut [0]).await;
        }
    }

    fn answer(&self, head: &[String], body: &[u8]) -> Option<String> {
        let mut state = self.0.lock().unwrap();
        let token = state.token.map(|token| format!("authorization: Bearer {token}"));
        if token.is_some_and(|token| !head.iter().any(|line| line.eq_ignore_ascii_case(&token))) {
            return Some("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned());
        }
        if head[0].starts_with("POST") {
            state.reports.push(serde_json::from_slice(body).unwrap());
            if state.lose > 0 {
                state.lose -= 1;
                return None;
            }
            return Some("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned());
        }
        let (kind, body) = if head[0].contains("/stream") {
            ("text/event-stream", format!("id: a:3\nevent: snapshot\ndata: {DOCUMENT}\n\n"))
        } else {
            state.asked += 1;
            ("application/json", DOCUMENT.to_owned())
        };
        Some(format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\n\r\n{body}"))
    }
}
