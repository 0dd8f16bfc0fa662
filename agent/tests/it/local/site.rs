//! One environment on this machine for one test: its folder, its ports, its agent.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use teal_agent::platform::PlatformOrder;
use teal_agent::platform::local::{
    self, LocalComponent, LocalError, LocalHandle, LocalSettings, RestartPolicy, Running,
};
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Capacity, Event};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes, on a machine that does much else.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) const TEAL: &str = env!("CARGO_BIN_EXE_teal");

pub(super) struct Site {
    pub(super) dir: TempDir,
    pub(super) settings: LocalSettings,
    _claim: UdpSocket,
}

/// A port of its own and three behind it, free, and outside the range that connections take theirs from. The UDP
/// socket of the same number keeps other tests away.
fn claim_ports() -> (u16, UdpSocket) {
    let seed = u16::try_from(std::process::id() % 5000).unwrap();
    for attempt in 0..5000 {
        let first = 10_000 + (seed + attempt) % 5000 * 4;
        let Ok(claim) = UdpSocket::bind(("127.0.0.1", first)) else { continue };
        if (first..first + 4).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return (first, claim);
        }
    }
    panic!("no free ports between 10000 and 30000");
}

impl Site {
    /// A site whose one component is the sample app.
    pub(super) fn new() -> Self {
        let app = [TEAL, "sample-app", "--port", "{port}", "--version", "{version}", "--colour", "{colour}"];
        Self::running(&app)
    }

    pub(super) fn running(run: &[&str]) -> Self {
        let (first, claim) = claim_ports();
        let run = run.iter().map(|&word| word.to_owned()).collect();
        let mut component = LocalComponent::new("api", run, first..=first + 3);
        component.grace = Duration::from_secs(10);
        component.restart = RestartPolicy { first: Duration::from_millis(20), ..RestartPolicy::default() };
        let dir = tempfile::tempdir().unwrap();
        let settings = LocalSettings {
            environment: "prod".into(),
            // Longer than a socket's address may be.
            state_dir: dir.path().join("state".repeat(25)),
            components: vec![component],
            teal_binary: TEAL.into(),
        };
        Self { dir, settings, _claim: claim }
    }

    /// A site whose component is a line of shell; `exec $APP` in it becomes the sample app.
    pub(super) fn shell(script: &str) -> Self {
        let app = format!("{TEAL} sample-app --port {{port}} --version {{version}}");
        Self::running(&["/bin/sh", "-c", &script.replace("$APP", &app)])
    }

    pub(super) fn component(&mut self) -> &mut LocalComponent {
        &mut self.settings.components[0]
    }

    pub(super) fn port(&self, colour: Colour) -> u16 {
        self.settings.addresses(0, colour)[0].port()
    }

    pub(super) fn agent(&self) -> Agent {
        self.try_agent().unwrap()
    }

    pub(super) fn try_agent(&self) -> Result<Agent, LocalError> {
        let (orders, for_platform) = mpsc::channel(8);
        let (to_controller, events) = mpsc::channel(64);
        let token = CancellationToken::new();
        let handle = local::spawn(self.settings.clone(), for_platform, &to_controller, &token)?;
        Ok(Agent { orders, events, token, handle })
    }

    pub(super) async fn list(&self) -> Vec<Running> {
        local::list(&self.settings.state_dir, None).await.unwrap()
    }

    /// The only instance that runs.
    pub(super) async fn only(&self) -> Running {
        let mut all = self.list().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(super) fn last_lines(&self, colour: Colour) -> String {
        local::last_lines(&self.settings, 0, colour, 50).join("\n")
    }

    /// What the sample app says to `GET /version`: version and colour.
    pub(super) async fn version(&self, colour: Colour) -> String {
        let mut stream = TcpStream::connect(self.settings.addresses(0, colour)[0]).await.unwrap();
        stream.write_all(b"GET /version HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.rsplit_once("\r\n\r\n").unwrap().1.trim().to_owned()
    }
}

impl Drop for Site {
    /// Ends what the test has left, and fails it if anything is left then.
    fn drop(&mut self) {
        let state = self.settings.state_dir.clone();
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(local::stop_all(&state, None, Some(Duration::ZERO))).unwrap();
        });
        let ended = end.join();
        if !std::thread::panicking() {
            ended.unwrap();
            let left = processes_of(self.dir.path());
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

/// Processes, zombies aside, that have a folder in their command line or environment.
fn processes_of(dir: &Path) -> Vec<String> {
    let needle = dir.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut found = Vec::new();
    for process in entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok())) {
        let read = |file: &str| fs::read(process.path().join(file)).unwrap_or_default();
        let text = [read("cmdline"), read("environ")].concat();
        if String::from_utf8_lossy(&text).contains(needle) {
            found.push(String::from_utf8_lossy(&read("cmdline")).replace('\0', " "));
        }
    }
    found
}

pub(super) fn is_alive(pid: i32) -> bool {
    local::Process::of(pid).is_some()
}

pub(super) fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Waits until something holds, looking every few milliseconds.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}");
}

pub(super) struct Agent {
    pub(super) orders: mpsc::Sender<PlatformOrder>,
    pub(super) events: mpsc::Receiver<Event>,
    token: CancellationToken,
    handle: LocalHandle,
}

impl Agent {
    pub(super) async fn start(&self, colour: Colour, version: &str, release: u64) {
        let version = version.to_owned();
        self.orders.send(PlatformOrder::Start { component: 0, colour, version, release }).await.unwrap();
    }

    pub(super) async fn stop(&self, colour: Colour) {
        self.orders.send(PlatformOrder::Stop { component: 0, colour, release: 0 }).await.unwrap();
    }

    /// The next word on a colour.
    pub(super) async fn next(&mut self, colour: Colour) -> Capacity {
        loop {
            match tokio::time::timeout(PATIENCE, self.events.recv())
                .await
                .expect("no event")
                .expect("the adapter has gone")
            {
                Event::Capacity(capacity) if capacity.colour == colour => return capacity,
                _ => {}
            }
        }
    }

    /// The first word on a colour that is as wanted, and all those before it.
    pub(super) async fn until(
        &mut self,
        colour: Colour,
        wanted: impl Fn(&Capacity) -> bool,
    ) -> (Capacity, Vec<Capacity>) {
        let mut before = Vec::new();
        loop {
            let next = self.next(colour).await;
            if wanted(&next) {
                return (next, before);
            }
            assert!(before.len() < 1000, "{before:?}");
            before.push(next);
        }
    }

    pub(super) async fn ready(&mut self, colour: Colour, version: &str) -> Capacity {
        let wanted = |c: &Capacity| c.version.as_deref() == Some(version) && c.wanted > 0 && c.ready == c.wanted;
        self.until(colour, wanted).await.0
    }

    pub(super) async fn failure(&mut self, colour: Colour) -> Capacity {
        self.until(colour, |capacity| capacity.failure.is_some()).await.0
    }

    /// Ends as `teal agent` does on SIGTERM.
    pub(super) async fn end(self) {
        self.token.cancel();
        self.handle.join().await;
    }
}
