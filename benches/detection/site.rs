//! Everything that runs for the cells of one base: one HAProxy, Teal's agent and applications, the peers' applications.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use teal_agent::api::Order;
use teal_agent::demo::configuration::free_ports;
use teal_agent::demo::load;
use teal_agent::demo::process::Process;
use teal_agent::proxy::haproxy::program::HaProxy;
use tempfile::TempDir;

use super::edge::Edge;
use super::peers::Peers;
use super::plan::{Cell, Contestant, Kind};
use super::teal::{DEFAULTS, Teal};

/// How long HAProxy may take to answer.
const READY: Duration = Duration::from_secs(10);

/// What runs. The fields are in the order in which they end.
pub(crate) struct Site {
    teal: Teal,
    peers: Peers,
    _haproxy: Process,
    _folder: TempDir,
}

/// One contestant before its switch.
pub(crate) struct Stand {
    /// Where its users come in.
    pub(crate) frontend: SocketAddr,
    /// What its old and its new colour call themselves.
    pub(crate) versions: [String; 2],
}

impl Site {
    /// Starts all of it; `program` is `teal`, no good release is watched for longer than `longest`.
    pub(crate) async fn open(program: &Path, haproxy: &HaProxy, longest: Duration) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("teal-detection-").tempdir()?;
        let first = free_ports(Teal::PORTS + Edge::PORTS)?;
        let (mut teal, rendered) = Teal::plan(program, folder.path(), first, longest)?;
        let edge = Edge::new(folder.path(), first + Teal::PORTS);
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, rendered + &edge.write(DEFAULTS)?)?;
        haproxy.check(&file)?;
        let mut command = Command::new(&haproxy.path);
        command.arg("-db").arg("-f").arg(&file);
        let mut process = Process::start("HAProxy", &mut command, &folder.path().join("haproxy.log"))?;
        let users = teal.frontend;
        process.until(READY, async || load::ask_once(users, "/").await.is_ok()).await?;
        let peers = Peers::new(program, folder.path(), edge)?;
        teal.start(program).await?;
        Ok(Self { teal, peers, _haproxy: process, _folder: folder })
    }

    /// Everything as it is before the switch.
    pub(crate) async fn prepare(&mut self, contestant: Contestant, cell: &Cell, seed: u64) -> anyhow::Result<Stand> {
        if contestant == Contestant::Teal {
            let versions = self.teal.prepare(cell)?;
            return Ok(Stand { frontend: self.teal.frontend, versions });
        }
        self.peers.prepare(contestant, cell, seed).await?;
        let versions = ["old", "new"].map(str::to_owned);
        Ok(Stand { frontend: self.peers.edge.frontend(contestant), versions })
    }

    /// Sends everybody to the new colour, now or as soon as the contestant thinks fit.
    pub(crate) async fn switch(&mut self, contestant: Contestant) -> anyhow::Result<()> {
        if contestant == Contestant::Teal { self.teal.switch().await } else { self.peers.switch(contestant).await }
    }

    /// Whether the contestant itself says that it has taken the traffic back; the others are only looked at.
    pub(crate) async fn is_back(&self, contestant: Contestant) -> anyhow::Result<bool> {
        Ok(contestant != Contestant::Teal || self.teal.is_back().await?)
    }

    /// What both colours stand on fails, or is mended. The old colour is the first to fail and the last to recover: at
    /// no moment does only the new one fail.
    pub(crate) fn outage(&self, contestant: Contestant, cell: &Cell, stand: &Stand, over: bool) -> anyhow::Result<()> {
        let [failing, mended] = [cell.outage(contestant), cell.faults(contestant)];
        let steps = if over {
            [[&failing[0], &mended[1]], [&mended[0], &mended[1]]]
        } else {
            [[&failing[0], &mended[1]], [&failing[0], &failing[1]]]
        };
        for step in steps {
            let faults = step.map(Clone::clone);
            match contestant {
                Contestant::Teal => self.teal.faults(&stand.versions, &faults)?,
                _ => self.peers.faults(&faults)?,
            }
        }
        Ok(())
    }

    /// Ends the cell; gives the contestant's own word for why it went back, where it has one.
    pub(crate) async fn finish(&mut self, contestant: Contestant, cell: &Cell) -> anyhow::Result<Option<String>> {
        if contestant != Contestant::Teal {
            return self.peers.finish(contestant).await.map(|()| None);
        }
        let order = if matches!(cell.kind, Kind::Bad { .. }) { Order::Rollback } else { Order::Promote };
        self.teal.end(order).await
    }
}
