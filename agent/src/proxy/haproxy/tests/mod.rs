//! The adapter against a real HAProxy, and against sockets that misbehave.

mod edge;
mod evidence;
mod faults;
mod force;
mod rendered;
mod runtime;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::machine::action::Direction;
use teal_rollout::machine::event::{EdgeReport, Event, Observation};
use teal_rollout::policy::Policy;
use teal_testkit::{Backend, Folder, HaProxy, Mode, free_port, until};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::edge::{EdgeHandle, spawn};
use super::map_file;
use super::settings::{BadWhen, EdgeComponent, EdgeSettings, LatencyLimits, LogSource};
use crate::proxy::EdgeOrder;

const OLD: &str = "v1:42.1.open:blue:blue:0:salt:0";
const NEW: &str = "v1:43.1.open:blue:green:100000:salt:0";
const BAD: &str = "v1:43.1.bad:blue:green:0:salt:0";

fn policy(text: &str) -> Policy {
    text.parse().unwrap()
}

/// HAProxy in front of a blue and a green back end, routed by the map: all to the candidate where its share is
/// 100 %, all to the stable colour otherwise.
struct Lab {
    proxy: HaProxy,
    blue: Backend,
    green: Backend,
    front: SocketAddr,
    settings: EdgeSettings,
}

impl Lab {
    async fn start(mode: Mode) -> Self {
        Self::in_folder(teal_testkit::folder(), mode, |_| {}).await
    }

    async fn in_folder(folder: Folder, mode: Mode, change: impl FnOnce(&mut EdgeSettings)) -> Self {
        let (blue, green) = (Backend::start("blue").await, Backend::start("green").await);
        let front = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut settings = settings(folder.path());
        settings.master_socket = (mode == Mode::MasterWorker).then(|| folder.path().join("master.sock"));
        change(&mut settings);
        map_file::write(&settings.map, &policy(OLD)).unwrap();
        let config = config(&settings, front, blue.addr(), green.addr());
        let proxy = HaProxy::start(folder, &config, mode).await;
        Self { proxy, blue, green, front, settings }
    }

    /// GETs `path` and gives the status.
    async fn get(&self, path: &str) -> u16 {
        teal_testkit::get(self.front, path).await.map_or(0, |reply| reply.status)
    }

    /// Rewrites HAProxy's configuration for the next restart or reload.
    fn reconfigure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.proxy.path().join("main.cfg")).unwrap();
        assert!(text.contains(from), "{text}");
        self.proxy.rewrite(&text.replace(from, to));
    }

    /// The value that requests are routed by.
    async fn value(&self) -> String {
        let answer = self.proxy.runtime(&format!("get map {} policy", self.settings.map.display())).await;
        super::answer::map_value(&answer, "").unwrap().unwrap_or_default()
    }

    /// Writes the value past the adapter, as a person would.
    async fn by_hand(&self, value: &str) {
        let answer = self.proxy.runtime(&format!("set map {} policy {value}", self.settings.map.display())).await;
        assert_eq!(answer.trim(), "");
    }

    async fn wait_for_value(&self, value: &str) {
        until(value, || async { (self.value().await == value).then_some(()) }).await;
    }
}

pub(super) fn settings(folder: &Path) -> EdgeSettings {
    EdgeSettings {
        environment: "t".into(),
        components: vec![EdgeComponent {
            name: "api".into(),
            limits: LatencyLimits::uniform(Duration::from_millis(300)),
            bad: BadWhen::default(),
        }],
        map: folder.join("t.map"),
        socket: folder.join("teal.sock"),
        ports: Vec::new(),
        master_socket: None,
        log: LogSource::Ring,
        timeout: EdgeSettings::TIMEOUT,
    }
}

/// The line of a configuration of ours, and that of one rendered before `teal2`.
const LINE: &str = "teal2 %pid %[var(txn.epoch)] api %[var(txn.colour)] %[var(txn.group)] %ST %Ta %Tw %Tc %Tr %ts %rc %s \
    %[var(txn.started)] %[date(0,us)] %HM";
const LINE_BEFORE: &str = "teal1 %[var(txn.epoch)] api %[var(txn.colour)] 2 %ST %Ta %Tr %ts %rc %HM %s";

fn config(settings: &EdgeSettings, front: SocketAddr, blue: SocketAddr, green: SocketAddr) -> String {
    let (map, socket) = (settings.map.display(), settings.socket.display());
    let log = match &settings.log {
        LogSource::Ring => "ring@teal_t_log".to_owned(),
        LogSource::Datagram(path) => path.display().to_string(),
    };
    format!(
        "global
  stats socket {socket} mode 660 level operator
  stats maxconn 64
  log {log} format raw local0
ring teal_t_log
  format raw
  maxlen 512
  size 1048576
defaults
  mode http
  timeout connect 500ms
  timeout client 20s
  timeout server 2s
  option abortonclose
  retries 2
  option redispatch 1
  retry-on conn-failure empty-response
frontend teal_t
  bind {front}
  log global
  http-request set-var(txn.group) int(2) unless {{ path /quiet }}
  http-request set-var(txn.pol) str(policy),map({map},v1:0.0.open:blue:blue:0:t:0)
  http-request set-var(txn.epoch) var(txn.pol),field(2,:)
  http-request set-var(txn.colour) var(txn.pol),field(3,:)
  http-request set-var(txn.colour) var(txn.pol),field(4,:) if {{ var(txn.pol),field(5,:) 100000 }}
  log-format \"{LINE}\"
  http-request set-var(txn.started) date(0,us)
  use_backend teal_t_api_%[var(txn.colour)]
backend teal_t_api_blue
  server s1 {blue}
backend teal_t_api_green
  server s1 {green} check inter 50ms
"
    )
}

/// A running adapter and everything it said.
struct Rig {
    handle: Option<EdgeHandle>,
    orders: mpsc::Sender<EdgeOrder>,
    seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
    _collector: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Seen {
    reports: Vec<EdgeReport>,
    requests: Vec<Observation>,
}

impl Rig {
    fn start(settings: &EdgeSettings) -> Self {
        let (orders, taken) = mpsc::channel(16);
        let (events, mut said) = mpsc::channel(1024);
        let stop = CancellationToken::new();
        let handle = spawn(settings, 0, taken, events, stop.clone()).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let into = Arc::clone(&seen);
        let collector = tokio::spawn(async move {
            while let Some(event) = said.recv().await {
                match event {
                    Event::Edge(report) => into.lock().unwrap().reports.push(report),
                    Event::Requests(block) => into.lock().unwrap().requests.extend(block.requests),
                    other => panic!("an edge does not say {other:?}"),
                }
            }
        });
        Self { handle: Some(handle), orders, seen, stop, _collector: AbortOnDropHandle::new(collector) }
    }

    fn handle(&self) -> &EdgeHandle {
        self.handle.as_ref().unwrap()
    }

    async fn order(&self, policy_text: &str, direction: Direction) {
        self.orders.send(EdgeOrder { policy: policy(policy_text), direction }).await.unwrap();
    }

    /// Waits for a report like this.
    async fn report(&self, what: &str, like: impl Fn(&EdgeReport) -> bool) -> EdgeReport {
        until(what, || async { self.seen.lock().unwrap().reports.iter().find(|r| like(r)).cloned() }).await
    }

    /// Waits until the newest report is like this.
    async fn settled(&self, what: &str, like: impl Fn(&EdgeReport) -> bool) -> EdgeReport {
        until(what, || async { self.seen.lock().unwrap().reports.last().filter(|r| like(r)).cloned() }).await
    }

    fn requests(&self) -> Vec<Observation> {
        self.seen.lock().unwrap().requests.clone()
    }

    async fn wait_for_requests(&self, what: &str, like: impl Fn(&[Observation]) -> bool) -> Vec<Observation> {
        until(what, || async { Some(self.requests()).filter(|seen| like(seen)) }).await
    }

    async fn stop(mut self) {
        self.stop.cancel();
        if let Some(handle) = self.handle.take() {
            handle.ended().await;
        }
    }
}

fn bad(requests: &[Observation], colour: Colour) -> usize {
    requests.iter().filter(|o| o.bad && o.colour == colour).count()
}

/// A unix socket that answers each connection by this rule; the answer is cut where the rule says.
struct FakeSocket {
    path: PathBuf,
    _server: AbortOnDropHandle<()>,
}

impl FakeSocket {
    /// `answer` gets the line; `None` keeps the connection open and says nothing.
    fn start(path: PathBuf, answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let answer = Arc::new(answer);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                connections.spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    match answer(line.trim_end()) {
                        Some(text) => drop(stream.write_all(text.as_bytes()).await),
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Self { path, _server: AbortOnDropHandle::new(server) }
    }
}
