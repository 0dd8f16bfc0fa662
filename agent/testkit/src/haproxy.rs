//! A real HAProxy in a throwaway folder: started, reloaded, killed, frozen, asked.
//!
//! ```text
//! haproxy -f main.cfg -f kit.cfg          kit.cfg adds an admin socket, so that readiness, `runtime` and `-x` always work
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::{Folder, until};

/// How HAProxy is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One process in the foreground; a reload starts another one with `-sf` and `-x`.
    Single,
    /// `-W -S master.sock`, as systemd runs it; a reload is a SIGUSR2 to the master.
    MasterWorker,
}

/// A running HAProxy. Dropping it kills every process of it.
#[derive(Debug)]
pub struct HaProxy {
    folder: Folder,
    mode: Mode,
    /// Files between `main.cfg` and `kit.cfg`.
    beside: Vec<PathBuf>,
    /// The newest last; the older ones finish what they had before a reload.
    processes: Vec<Child>,
    worker: u32,
}

/// The HAProxy under test: `$TEAL_HAPROXY`, else the one that is installed.
#[must_use]
pub fn haproxy_path() -> PathBuf {
    std::env::var_os("TEAL_HAPROXY").map_or_else(|| PathBuf::from("/usr/sbin/haproxy"), PathBuf::from)
}

/// Sends one line to a Runtime API socket and reads to the end.
///
/// # Errors
/// Not connected, or cut off.
pub async fn runtime(socket: &Path, line: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

impl HaProxy {
    /// Starts HAProxy on `config` and waits until it serves. The files that the text names should stand in `folder`.
    ///
    /// # Panics
    /// With what HAProxy said when it does not start.
    pub async fn start(folder: Folder, config: &str, mode: Mode) -> Self {
        Self::try_start(folder, config, mode).await.unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same for a test that expects a refusal.
    ///
    /// # Errors
    /// What HAProxy said when it does not start.
    pub async fn try_start(folder: Folder, config: &str, mode: Mode) -> Result<Self, String> {
        write(folder.path(), "main.cfg", config);
        let socket = folder.path().join("kit.sock");
        let admin = format!("global\n  stats socket {} level admin expose-fd listeners\n", socket.display());
        write(folder.path(), "kit.cfg", &admin);
        let mut proxy = Self { folder, mode, beside: Vec::new(), processes: Vec::new(), worker: 0 };
        proxy.boot().await?;
        Ok(proxy)
    }

    /// The folder of its files.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The kit's own Runtime API socket, of level admin.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.path().join("kit.sock")
    }

    /// The master's socket in [`Mode::MasterWorker`].
    #[must_use]
    pub fn master_socket(&self) -> PathBuf {
        self.path().join("master.sock")
    }

    /// The process id of the newest process that serves (the worker, not the master).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.worker
    }

    /// Asks the Runtime API with the rights of an admin.
    ///
    /// # Panics
    /// When HAProxy does not answer.
    pub async fn runtime(&self, line: &str) -> String {
        let answer = runtime(&self.admin_socket(), line).await;
        answer.unwrap_or_else(|error| panic!("`{line}` to {}: {error}", self.admin_socket().display()))
    }

    /// What HAProxy wrote to its standard error since the first start.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("haproxy.log")).unwrap_or_default()
    }

    /// Writes another configuration, to be used from the next reload or restart on.
    pub fn rewrite(&self, config: &str) {
        write(self.path(), "main.cfg", config);
    }

    /// Another file of the folder behind `main.cfg`, as `haproxy -f theirs -f ours` has it; from the next restart on, and in
    /// [`Mode::Single`] from the next reload on: a master goes on with the command line that it was started with.
    pub fn beside(&mut self, name: &str) {
        self.beside.push(self.path().join(name));
    }

    /// Reloads without losing a connection and waits until only the new process takes new ones; gives its id.
    ///
    /// The old process stays until its connections end.
    ///
    /// # Panics
    /// With what HAProxy said when the new process does not start.
    pub async fn reload(&mut self) -> u32 {
        let old = self.worker;
        match self.mode {
            Mode::Single => {
                let socket = self.admin_socket();
                let args = [PathBuf::from("-x"), socket, PathBuf::from("-sf"), PathBuf::from(old.to_string())];
                self.spawn(&args);
            }
            Mode::MasterWorker => signal(self.master(), Signal::USR2),
        }
        self.wait_for_worker(Some(old)).await.unwrap_or_else(|said| panic!("{said}"))
    }

    /// Kills every process at once, as a crash does. In-flight requests are lost.
    pub async fn kill(&mut self) {
        for mut process in self.processes.drain(..) {
            let _ = process.kill().await;
        }
        // A master's workers end by themselves once it is gone.
        let worker = self.worker;
        until("the killed HAProxy is gone", || async move { (!alive(worker)).then_some(()) }).await;
    }

    /// Kills what runs and starts anew with the files as they are; gives the new process id.
    ///
    /// # Panics
    /// With what HAProxy said when it does not start.
    pub async fn restart(&mut self) -> u32 {
        self.kill().await;
        self.boot().await.unwrap_or_else(|said| panic!("{said}"))
    }

    /// Stops the serving process in its tracks (SIGSTOP): sockets connect, nothing answers.
    pub fn freeze(&self) {
        signal(self.worker, Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        signal(self.worker, Signal::CONT);
    }

    async fn boot(&mut self) -> Result<u32, String> {
        match self.mode {
            Mode::Single => self.spawn(&[PathBuf::from("-db")]),
            Mode::MasterWorker => self.spawn(&[PathBuf::from("-W"), PathBuf::from("-S"), self.master_socket()]),
        }
        self.wait_for_worker(None).await
    }

    fn master(&self) -> u32 {
        self.processes.last().and_then(Child::id).unwrap_or_else(|| panic!("HAProxy is gone: {}", self.log()))
    }

    fn spawn(&mut self, more: &[PathBuf]) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path().join("haproxy.log"));
        let log = log.unwrap_or_else(|error| panic!("no log in {}: {error}", self.path().display()));
        let mut command = Command::new(haproxy_path());
        for file in
            [&self.path().join("main.cfg")].into_iter().chain(&self.beside).chain([&self.path().join("kit.cfg")])
        {
            command.arg("-f").arg(file);
        }
        command.args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", haproxy_path().display()));
        self.processes.push(child);
    }

    /// Waits until ten answers in a row come from one process that is not `old` and is not stopping.
    ///
    /// While an old and a new process share the socket's name, successive connections reach either.
    async fn wait_for_worker(&mut self, old: Option<u32>) -> Result<u32, String> {
        let socket = self.admin_socket();
        let (mut seen, mut times) = (0, 0);
        for _ in 0..3_000 {
            if let Some(status) = self.ended() {
                return Err(format!("HAProxy ended with {status}:\n{}", self.log()));
            }
            match serving_pid(&socket).await.filter(|pid| Some(*pid) != old) {
                Some(pid) if pid == seen => times += 1,
                Some(pid) => (seen, times) = (pid, 1),
                None => (seen, times) = (0, 0),
            }
            if times == 10 {
                self.worker = seen;
                if self.mode == Mode::MasterWorker {
                    // The worker serves earlier than its master listens to signals: a SIGUSR2 in between is lost.
                    let socket = self.master_socket();
                    until("the master answers", || master_answers(&socket)).await;
                }
                return Ok(seen);
            }
            if times == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        Err(format!("HAProxy did not become ready:\n{}", self.log()))
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.processes.last_mut().and_then(|process| process.try_wait().ok().flatten())
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // A frozen worker would not notice that its master is killed.
        if alive(self.worker) {
            self.thaw();
        }
    }
}

async fn serving_pid(socket: &Path) -> Option<u32> {
    let info = tokio::time::timeout(Duration::from_secs(1), runtime(socket, "show info")).await.ok()?.ok()?;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok());
    (field("Stopping:") == Some(0)).then(|| field("Pid:")).flatten()
}

async fn master_answers(socket: &Path) -> Option<()> {
    let mut stream = UnixStream::connect(socket).await.ok()?;
    stream.write_all(b"show proc\n").await.ok()?;
    // The master leaves the connection open after its answer.
    let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0; 64])).await;
    matches!(read, Ok(Ok(1..))).then_some(())
}

fn alive(pid: u32) -> bool {
    // A zombie has ended; only its parent has not asked yet.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{folder, free_port, get};

    fn config(port: u16) -> String {
        format!(
            "defaults\n  mode http\n  timeout client 5s\n  timeout server 5s\n  timeout connect 1s\n\
             frontend f\n  bind 127.0.0.1:{port}\n  http-request return status 200\n"
        )
    }

    async fn lives_through_reload_kill_and_freeze(mode: Mode) {
        let port = free_port();
        let addr = ([127, 0, 0, 1], port).into();
        let mut proxy = HaProxy::start(folder(), &config(port), mode).await;
        let first = proxy.pid();
        assert_eq!(get(addr, "/").await.unwrap().status, 200);
        let second = proxy.reload().await;
        assert_ne!(first, second);
        assert_eq!(get(addr, "/").await.unwrap().status, 200);
        proxy.kill().await;
        assert!(get(addr, "/").await.is_err());
        proxy.restart().await;
        proxy.freeze();
        let answer = tokio::time::timeout(Duration::from_millis(50), get(addr, "/")).await;
        assert!(answer.is_err(), "a frozen process answers nothing");
        proxy.thaw();
        assert_eq!(get(addr, "/").await.unwrap().status, 200);
        proxy.freeze();
        let last = proxy.pid();
        drop(proxy);
        until("a dropped HAProxy is gone", || async move { (!alive(last)).then_some(()) }).await;
    }

    #[tokio::test]
    async fn a_single_process_lives_through_reload_kill_and_freeze() {
        lives_through_reload_kill_and_freeze(Mode::Single).await;
    }

    #[tokio::test]
    async fn a_master_and_its_worker_live_through_reload_kill_and_freeze() {
        lives_through_reload_kill_and_freeze(Mode::MasterWorker).await;
    }

    #[tokio::test]
    async fn a_broken_text_is_refused_with_its_line() {
        assert_eq!(crate::check(&config(free_port())).await, Ok(()));
        let said = crate::check("defaults\n  no such keyword\n").await.unwrap_err();
        assert!(said.contains("main.cfg:2"), "{said}");
    }
}
