//! The peers' part of HAProxy's configuration, beside Teal's own in the same process, and its Runtime API.
//!
//! ```text
//! frontend NAME -- peers.map: NAME old|new --> backend NAME_old   o1 o2 o3
//!                                          \-> backend NAME_new   n1 n2 n3, and where HAProxy decides: o1 o2 o3 backup
//! ```
//! Time-outs, retries and error pages are Teal's (`from` its defaults), so that a fault means the same to everybody.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::plan::Contestant;
use super::rates::Counters;

/// Replicas of a colour.
pub(crate) const REPLICAS: u16 = 3;

/// Where the peers' traffic comes in and goes.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    socket: PathBuf,
    map: PathBuf,
    /// The peers' front ends in the order of [`Contestant::ALL`], without Teal's.
    first_frontend: u16,
    /// Three servers of the old colour, then three of the new one; the peers take turns.
    pub(crate) first_server: u16,
}

impl Edge {
    /// Ports that it needs, in a row.
    pub(crate) const PORTS: u16 = 4 + 2 * REPLICAS;

    /// In `folder`, on the ports from `first` on.
    pub(crate) fn new(folder: &Path, first: u16) -> Self {
        Self {
            socket: folder.join("peers.sock"),
            map: folder.join("peers.map"),
            first_frontend: first,
            first_server: first + 4,
        }
    }

    /// Where the users of a peer come in.
    pub(crate) fn frontend(&self, peer: Contestant) -> SocketAddr {
        let place = (0..).zip(Contestant::ALL).find(|(_, contestant)| *contestant == peer);
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.first_frontend + place.map_or(0, |(place, _)| place - 1)))
    }

    /// Writes the map, and gives the text that goes behind Teal's own.
    pub(crate) fn write(&self, defaults: &str) -> anyhow::Result<String> {
        let peers = || Contestant::ALL.into_iter().filter(|contestant| *contestant != Contestant::Teal);
        std::fs::write(&self.map, peers().map(|peer| format!("{} old\n", peer.name())).collect::<String>())?;
        let mut text = format!("\nglobal\n  stats socket {} mode 600 level admin\n", self.socket.display());
        for peer in peers() {
            let (name, bind, map) = (peer.name(), self.frontend(peer), self.map.display());
            write!(
                text,
                "\nfrontend {name} from {defaults}\n  bind {bind}\n  \
                 use_backend {name}_%[str({name}),map({map})]\n"
            )?;
            let old = self.servers('o', 0);
            let new = self.servers('n', REPLICAS);
            write!(text, "\nbackend {name}_old from {defaults}\n{old}\nbackend {name}_new from {defaults}\n")?;
            match peer {
                // A check without parameters is `inter 2s fall 3 rise 2`, and `observe` without is `error-limit 10`.
                Contestant::Check => text += "  option httpchk GET /healthz\n  default-server check inter 2s fall 3\n",
                Contestant::Observe => {
                    text += "  option httpchk GET /healthz\n  default-server check inter 2s fall 3 \
                             observe layer7 error-limit 10 on-error mark-down\n";
                }
                _ => {}
            }
            text += &new;
            if peer.checks() {
                // Only what could be left is observed: an outage of both colours leaves the old one up.
                text += "  option allbackups\n  default-server no-check\n";
                text += &old.replace('\n', " check inter 2s fall 3 backup\n");
            }
        }
        Ok(text)
    }

    fn servers(&self, letter: char, offset: u16) -> String {
        let first = self.first_server + offset;
        (0..REPLICAS).map(|slot| format!("  server {letter}{} 127.0.0.1:{}\n", slot + 1, first + slot)).collect()
    }

    /// Sends a peer's users to a colour.
    pub(crate) async fn route(&self, peer: Contestant, colour: &str) -> anyhow::Result<()> {
        self.order(&format!("set map {} {} {colour}", self.map.display(), peer.name())).await
    }

    /// Forgets what the checks have seen so far.
    pub(crate) async fn forgive(&self, peer: Contestant) -> anyhow::Result<()> {
        for server in ["n1", "n2", "n3", "o1", "o2", "o3"].into_iter().filter(|_| peer.checks()) {
            self.order(&format!("set server {}_new/{server} health up", peer.name())).await?;
        }
        Ok(())
    }

    /// What the new colour of a peer has answered so far.
    pub(crate) async fn counters(&self, peer: Contestant) -> anyhow::Result<Counters> {
        let csv = teal_testkit::runtime(&self.socket, &format!("show stat {}_new 2 -1", peer.name())).await?;
        Counters::read(&csv).with_context(|| format!("not the line of a back end: {csv}"))
    }

    async fn order(&self, line: &str) -> anyhow::Result<()> {
        let said = teal_testkit::runtime(&self.socket, line).await?;
        ensure!(said.trim().is_empty(), "HAProxy to `{line}`: {said}");
        Ok(())
    }
}
