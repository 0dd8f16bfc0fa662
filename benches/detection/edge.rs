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
            write!(text, "\nbackend {name}_old from {defaults}\n{}", self.servers('o', 0, ""))?;
            writeln!(text, "\nbackend {name}_new from {defaults}")?;
            // A check without parameters is `inter 2s fall 3 rise 2`, and `observe` without is `error-limit 10`.
            let check = "check inter 2s fall 3";
            let how = match peer {
                Contestant::Check => check.to_owned(),
                Contestant::Observe => format!("{check} observe layer7 error-limit 10 on-error mark-down"),
                _ => String::new(),
            };
            text += &self.servers('n', REPLICAS, &how);
            if peer.checks() {
                // Only what could be left is observed: an outage of both colours leaves the old one up.
                text += &self.servers('o', 0, &format!("{check} backup"));
                text += "  option allbackups\n  option httpchk GET /healthz\n";
            }
        }
        Ok(text)
    }

    fn servers(&self, letter: char, offset: u16, how: &str) -> String {
        let first = self.first_server + offset;
        (0..REPLICAS).map(|slot| format!("  server {letter}{} 127.0.0.1:{} {how}\n", slot + 1, first + slot)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_is_configured_as_it_is_described() {
        let folder = tempfile::tempdir().unwrap();
        let text = Edge::new(folder.path(), 20_000).write("d").unwrap();
        let of = |name: &str| {
            let (_, rest) = text.split_once(&format!("\nbackend {name}_new from d\n")).unwrap();
            rest.split("\n\n").next().unwrap().trim_end().to_owned()
        };
        assert_eq!(of("argo"), of("flagger"));
        assert!(of("argo").starts_with("  server n1 127.0.0.1:20007") && !of("argo").contains("check"));
        for name in ["check", "observe"] {
            let servers = of(name);
            assert_eq!(servers.matches("check inter 2s fall 3").count(), 6, "{servers}");
            let is_old = |line: &&str| line.starts_with("  server o");
            assert!(servers.lines().filter(is_old).all(|line| line.ends_with("check inter 2s fall 3 backup")));
            let observed = servers.matches("observe layer7 error-limit 10 on-error mark-down").count();
            assert_eq!(observed, if name == "observe" { 3 } else { 0 }, "{servers}");
        }
        let fronts = [Contestant::Check, Contestant::Observe, Contestant::Argo, Contestant::Flagger];
        assert_eq!(
            fronts.map(|peer| Edge::new(folder.path(), 20_000).frontend(peer).port()),
            [20_000, 20_001, 20_002, 20_003]
        );
    }
}
