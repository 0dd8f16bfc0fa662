//! Agents as processes: a service or a relay, in a folder of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use teal_testkit::{Folder, Postgres, folder, free_ports};

use super::exchange::Connection;

/// Where the flags are.
pub(crate) const FLAGS: &str = "/api/v1/feature-flags";

/// A running agent.
pub(crate) struct Agent {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: Folder,
}

impl Agent {
    /// Starts one whose `[flags]` has these lines, and waits until it answers.
    pub(crate) fn start(program: &Path, flags: &str) -> anyhow::Result<Self> {
        let folder = folder();
        let ports = free_ports(2);
        let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (address, metrics) = (local(*ports.start()), local(*ports.end()));
        let text = format!(
            "app = \"bench\"\nstate = \"{}\"\n[agent]\nlisten = \"{metrics}\"\n[flags]\nlisten = \"{address}\"\n{flags}\n",
            folder.path().join("state").display()
        );
        std::fs::write(folder.path().join("teal.toml"), text)?;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new(program);
        // What is measured sends no token: looking one up is a hash and a map.
        command.args(["agent", "--dev"]).current_dir(folder.path()).env_remove("TEAL_CONFIG");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let mut agent = Self { child, address, folder };
        let end = Instant::now() + Duration::from_secs(60);
        while !agent.answers() {
            let said = || std::fs::read_to_string(agent.folder.path().join("log")).unwrap_or_default();
            if let Some(status) = agent.child.try_wait()? {
                bail!("the agent ended with {status}:\n{}", said());
            }
            anyhow::ensure!(Instant::now() < end, "the agent does not answer:\n{}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    fn answers(&self) -> bool {
        Connection::open(self.address).and_then(|mut connection| connection.json("GET", FLAGS, "")).is_ok()
    }

    /// Makes so many flags beside those that are there.
    pub(crate) fn fill(&self, flags: usize) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.address)?;
        for number in 0..flags {
            let body = format!(r#"{{"name":"bench-{number}","enabled":true,"rollout_percentage":25}}"#);
            connection.json("POST", FLAGS, &body)?;
        }
        Ok(())
    }

    /// Memory that it has, in KiB.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A throwaway PostgreSQL with a database, and the file that tells an agent where it is.
pub(crate) struct Database {
    _server: Postgres,
    file: tempfile::NamedTempFile,
}

impl Database {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let server = Postgres::start();
        // Made with mode 0600.
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), server.database().address())?;
        Ok(Self { _server: server, file })
    }

    /// For `[flags]`.
    pub(crate) fn lines(&self) -> String {
        format!("postgres_file = \"{}\"", self.file.path().display())
    }
}

/// A thousand streams are as many files, here and in the agents, which inherit the limit.
pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
