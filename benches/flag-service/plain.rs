//! What an answer costs at least: an axum handler that returns a constant JSON, served as the agent serves.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The largest head of a request, as the agent's door has it.
const HEAD_BYTES: usize = 128 * 1024;

const ANSWER: &str =
    r#"{"id":8,"name":"telehealth","enabled":true,"value":true,"variant":"on","reason":"SPLIT","version":2}"#;

/// The running server; ends when it is dropped.
pub(crate) struct Plain {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

pub(crate) fn start() -> anyhow::Result<Plain> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let answer = || async { ([(header::CONTENT_TYPE, "application/json")], ANSWER) };
    let router = Router::new().route("/constant", get(answer).post(answer));
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let mut http = hyper::server::conn::http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10)).max_buf_size(HEAD_BYTES);
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    Ok(Plain { address, _runtime: runtime })
}
