//! The flag service of a real agent, and an application whose SDK listens to it.

mod access;
mod cli;
mod dev;
mod doors;
mod following;
mod hostile;
mod ofrep;
mod questions;
mod schemathesis;
mod service;
mod shapes;
mod shared;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use teal_agent::access::{FirstToken, Token};
use teal_flags::client::{Builder, Client, Limits, Link};
use teal_testkit::{Folder, folder, free_ports, until};

use crate::said;

/// The first admin's token of all agents of this process.
pub(crate) static TOKEN: LazyLock<Token> = LazyLock::new(|| Token::random().unwrap());

/// An agent that serves flags, in a folder of its own.
pub(crate) struct Agent {
    folder: Folder,
    child: Option<Child>,
    /// Runs with `--dev`: who is here needs no token.
    is_dev: bool,
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
}

impl Agent {
    /// Written, and not yet running.
    fn new() -> Self {
        let ports = free_ports(5);
        let first = *ports.start();
        let folder = folder();
        let text = include_str!("../bad_input/shop.toml")
            .replace("{folder}", &folder.path().display().to_string())
            .replace("{teal}", env!("CARGO_BIN_EXE_teal"))
            .replace("{app}", &format!("{first}-{}", first + 1))
            .replace("{edge}", &(first + 2).to_string())
            .replace("{agent}", &(first + 3).to_string());
        let address = SocketAddr::from(([127, 0, 0, 1], first + 4));
        let first = FirstToken::from(&*TOKEN);
        let text = format!("{text}\n[flags]\nlisten = \"{address}\"\nfirst_token = \"{first}\"\n");
        std::fs::write(folder.path().join("teal.toml"), text).unwrap();
        // Nothing here is encrypted, but reqwest wants to know who would.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bearer = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {}", TOKEN.reveal()).parse().unwrap())]);
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        let http = http.default_headers(bearer).build().unwrap();
        Self { folder, child: None, is_dev: false, address, http }
    }

    /// For programs that send no token.
    async fn open_here() -> Self {
        let mut agent = Self::new();
        agent.is_dev = true;
        agent.start().await;
        agent
    }

    pub(crate) async fn started() -> Self {
        let mut agent = Self::new();
        agent.start().await;
        agent
    }

    pub(crate) async fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("agent.log")).unwrap();
        let words: &[&str] = if self.is_dev { &["agent", "--dev"] } else { &["agent"] };
        let child = said::command(self.folder.path(), words).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        let address = self.address;
        until("the agent serves flags", || async move { tokio::net::TcpStream::connect(address).await.ok() }).await;
        let socket = self.path("state/agent.sock");
        until("the agent takes orders", || async { tokio::net::UnixStream::connect(&socket).await.ok() }).await;
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and it ends well.
    pub(crate) async fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let status = until("the agent has ended", || {
            let ended = child.try_wait().unwrap();
            async move { ended }
        })
        .await;
        assert!(status.success(), "{status}");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("state/flags.db")
    }

    /// A request below `/api/v1/feature-flags`.
    pub(crate) fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}/api/v1/feature-flags{rest}", self.address))
    }

    pub(crate) async fn get(&self, rest: &str) -> Value {
        let answer = self.request(Method::GET, rest).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{rest}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn patch(&self, flag: &str, fields: Value) -> Value {
        let answer = self.request(Method::PATCH, &format!("/{flag}")).json(&fields).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{fields}");
        answer.json().await.unwrap()
    }

    /// More of `[flags]`.
    fn configure(&self, more: &str) {
        let path = self.path("teal.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}{more}\n")).unwrap();
    }

    /// An application of the environment `prod`.
    fn application(&self) -> Client {
        application(self.address)
    }
}

/// An application of the environment `prod` that follows whoever listens there, and reports often.
pub(crate) fn application(address: SocketAddr) -> Client {
    builder("http", address).token(TOKEN.reveal()).start()
}

/// The same, not yet started and without a token.
fn builder(scheme: &str, address: SocketAddr) -> Builder {
    let limits = Limits {
        backoff_base: Duration::from_millis(50),
        backoff_cap: Duration::from_millis(200),
        ..Limits::default()
    };
    Client::builder(format!("{scheme}://{address}").as_str())
        .environment("prod")
        .report_every(Some(Duration::from_millis(100)))
        .limits(limits)
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let log = std::fs::read_to_string(self.path("agent.log")).unwrap_or_default();
        if std::thread::panicking() {
            eprintln!("{log}");
            return;
        }
        // Whatever was done to an agent in any test: nobody's id and no secret is in its log.
        let told =
            log.match_indices("user-").find(|(at, id)| log[at + id.len()..].starts_with(|c: char| c.is_ascii_digit()));
        assert!(told.is_none() && !log.contains(&TOKEN.reveal()), "a user or a token is in the log:\n{log}");
    }
}

/// Waits until the application's stream stands, at this revision or a later one.
pub(crate) async fn listens(application: &Client, revision: u64) {
    until(&format!("the application listens at revision {revision}"), || async {
        let status = application.status();
        (status.link == Link::Streaming && status.revision >= revision && status.troubles.is_empty()).then_some(())
    })
    .await;
}

/// Waits until a flag answers this.
pub(crate) async fn answers(application: &Client, flag: &str, expected: bool) {
    until(&format!("{flag} is {expected}"), || async {
        (application.is_enabled("user-7", flag) == expected).then_some(())
    })
    .await;
}

/// A database with all that belongs to it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let file = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        let _ = std::fs::remove_file(file(to));
        if file(from).exists() {
            std::fs::copy(file(from), file(to)).unwrap();
        }
    }
}
