//! A relay between a flag service and applications, each a process of its own, through what happens to any of them.
//!
//! ```text
//! flags::Agent (service, SQLite) <-- Relay (teal agent with `upstream`) <-- applications (SDK), curl
//! Upstream (of the tests) <---------'   where a service would have to be brought to misbehave
//! ```

mod counts;
mod disk;
mod following;
mod upstream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use teal_testkit::{Folder, folder, free_ports, until};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::flags::TOKEN;
use crate::said;

/// A relay in a folder of its own: an agent that is nothing else.
pub(crate) struct Relay {
    folder: Folder,
    child: Option<Child>,
    address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    http: reqwest::Client,
}

impl Relay {
    /// Written, and not yet running. `more` stands in `[flags]`.
    fn new(upstream: &[SocketAddr], more: &str) -> Self {
        let ports = free_ports(2);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (address, metrics) = (local(*ports.start()), local(*ports.end()));
        let folder = folder();
        let upstream: Vec<String> = upstream.iter().map(|address| format!("\"http://{address}\"")).collect();
        std::fs::write(folder.path().join("upstream.token"), TOKEN.reveal()).unwrap();
        let token =
            if more.contains("upstream_token_file") { "" } else { "upstream_token_file = \"upstream.token\"\n" };
        let text = format!(
            "app = \"shop\"\nstate = \"{}\"\n[agent]\nlisten = \"{metrics}\"\n[flags]\nlisten = \"{address}\"\nupstream = [{}]\n\
             upstream_report_every = \"100ms\"\n{token}{more}\n",
            folder.path().join("state").display(),
            upstream.join(", ")
        );
        std::fs::write(folder.path().join("teal.toml"), text).unwrap();
        // Nothing here is encrypted, but reqwest wants to know who would.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { folder, child: None, address, metrics, http }
    }

    pub(crate) async fn started(upstream: SocketAddr) -> Self {
        let mut relay = Self::new(&[upstream], "");
        relay.start().await;
        relay
    }

    async fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("relay.log")).unwrap();
        let child = said::command(self.folder.path(), &["agent"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        for address in [self.address, self.metrics] {
            until("the relay serves", || async move { TcpStream::connect(address).await.ok() }).await;
        }
    }

    /// kill -9.
    fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and it ends well.
    async fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let status = until("the relay has ended", || {
            let ended = child.try_wait().unwrap();
            async move { ended }
        })
        .await;
        assert!(status.success(), "{status}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn request(&self, method: Method, rest: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}/api/v1/feature-flags{rest}", self.address))
    }

    async fn ask(&self, rest: &str) -> Response {
        self.request(Method::GET, rest).send().await.unwrap()
    }

    async fn get(&self, rest: &str) -> Value {
        let answer = self.ask(rest).await;
        assert_eq!(answer.status(), StatusCode::OK, "{rest}");
        answer.json().await.unwrap()
    }

    /// What OFREP answers for `telehealth`.
    async fn ofrep(&self) -> Value {
        let address = format!("http://{}/ofrep/v1/evaluate/flags/telehealth", self.address);
        let context = serde_json::json!({"context": {"targetingKey": "u1"}});
        self.http.post(address).json(&context).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until it tells this revision, or a later one.
    async fn tells(&self, revision: u64) {
        until(&format!("the relay tells revision {revision}"), || async {
            let answer = self.request(Method::GET, "").send().await.ok()?;
            (answer.json::<Value>().await.ok()?["revision"].as_u64()? >= revision).then_some(())
        })
        .await;
    }

    /// A line of `/metrics`.
    async fn metric(&self, name: &str) -> Option<u64> {
        let text = self.http.get(format!("http://{}/metrics", self.metrics)).send().await.ok()?.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Waits until it is in touch with the service, or is not.
    pub(crate) async fn is_connected(&self, connected: bool) {
        until(&format!("connected: {connected}"), || async {
            (self.metric("teal_relay_connected ").await? == u64::from(connected)).then_some(())
        })
        .await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("relay:\n{}", std::fs::read_to_string(self.path("relay.log")).unwrap_or_default());
        }
    }
}

/// A stream as its bytes come.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Opens one for who knows this.
    async fn open(address: SocketAddr, known: &str) -> Self {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET /api/v1/feature-flags/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nlast-event-id: {known}\r\n\r\n",
            TOKEN.reveal()
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        Self(BufReader::new(socket))
    }

    /// The next event that is no mere sign of life.
    async fn next_news(&mut self) -> [String; 3] {
        loop {
            let event = self.next().await;
            if event[1] != "ping" {
                return event;
            }
        }
    }

    /// The next event: id, name, data.
    async fn next(&mut self) -> [String; 3] {
        let mut event: [String; 3] = Default::default();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).await.unwrap() > 0, "the stream ended");
            for (place, name) in event.iter_mut().zip(["id: ", "event: ", "data: "]) {
                if let Some(value) = line.strip_prefix(name) {
                    value.trim_end().clone_into(place);
                }
            }
            if !event[2].is_empty() {
                return event;
            }
        }
    }
}
