//! What the four peers serve from: the same six sample apps in turn, the new colour started anew for each cell.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use teal_agent::demo::load;
use teal_agent::demo::process::Process;
use teal_testkit::until;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::edge::{Edge, REPLICAS};
use super::plan::{Cell, Contestant};
use super::rates::Poller;

/// The peers' applications and whoever polls them.
pub(crate) struct Peers {
    program: PathBuf,
    folder: PathBuf,
    /// Their HAProxy.
    pub(crate) edge: Edge,
    old: Vec<Process>,
    new: Vec<Process>,
    /// The poller of a peer that has one; dropped with it.
    polling: JoinSet<anyhow::Result<()>>,
}

impl Peers {
    /// Nothing runs yet; `program` is `teal`, which is the sample app too.
    pub(crate) fn new(program: &Path, folder: &Path, edge: Edge) -> anyhow::Result<Self> {
        let folder = folder.join("peers");
        fs::create_dir(&folder)?;
        Ok(Self {
            program: program.to_owned(),
            folder,
            edge,
            old: Vec::new(),
            new: Vec::new(),
            polling: JoinSet::new(),
        })
    }

    /// Everything as it is before a switch: the old colour serves, the new one has just started.
    pub(crate) async fn prepare(&mut self, peer: Contestant, cell: &Cell, seed: u64) -> anyhow::Result<()> {
        self.edge.route(peer, "old").await?;
        self.faults(&cell.faults(peer))?;
        self.new.clear();
        if self.old.is_empty() {
            self.old = self.start("old", 0, seed)?;
        }
        self.new = self.start("new", REPLICAS, seed)?;
        for port in self.edge.first_server..self.edge.first_server + 2 * REPLICAS {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let answers = || async { load::ask_once(address, "/version").await.ok().filter(|status| *status == 200) };
            until("the peers' applications answer", answers).await;
        }
        self.edge.forgive(peer).await
    }

    /// The switch. Who polls starts to.
    pub(crate) async fn switch(&mut self, peer: Contestant) -> anyhow::Result<()> {
        let before = self.edge.counters(peer).await?;
        self.edge.route(peer, "new").await?;
        let poller = match peer {
            Contestant::Argo => Poller::argo(before),
            Contestant::Flagger => Poller::flagger(before),
            _ => return Ok(()),
        };
        self.polling.spawn(poll(self.edge.clone(), peer, poller));
        Ok(())
    }

    /// Ends the cell, whether or not the peer did; fails where its poller did.
    pub(crate) async fn finish(&mut self, peer: Contestant) -> anyhow::Result<()> {
        while let Some(ended) = self.polling.try_join_next() {
            ended??;
        }
        self.polling.shutdown().await;
        self.edge.route(peer, "old").await
    }

    /// Gives the old and the new colour their faults.
    pub(crate) fn faults(&self, faults: &[String; 2]) -> anyhow::Result<()> {
        for (version, fault) in ["old", "new"].into_iter().zip(faults) {
            fs::write(self.folder.join(version), fault)?;
        }
        Ok(())
    }

    fn start(&self, version: &str, offset: u16, seed: u64) -> anyhow::Result<Vec<Process>> {
        let start = |slot| {
            let port = self.edge.first_server + offset + slot;
            let mut command = Command::new(&self.program);
            command.arg("sample-app").args(["--version", version, "--colour", version, "--faults"]).arg(&self.folder);
            let numbers = [("--port", u64::from(port)), ("--slot", u64::from(slot + 1)), ("--seed", seed)];
            command.args(numbers.iter().flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]));
            Ok(Process::start("a sample app", &mut command, &self.folder.join(format!("{version}{slot}.log")))?)
        };
        (0..REPLICAS).map(start).collect()
    }
}

async fn poll(edge: Edge, peer: Contestant, mut poller: Poller) -> anyhow::Result<()> {
    let mut next = Instant::now() + poller.interval;
    loop {
        sleep_until(next).await;
        if poller.poll(edge.counters(peer).await?) {
            return edge.route(peer, "old").await;
        }
        next += poller.interval;
    }
}
