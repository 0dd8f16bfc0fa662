//! Teal and four peers against the same faults, live: how many bad requests until traffic is off a bad release, and who
//! leaves a good one.
//!
//! ```text
//! plan -> site (one HAProxy, Teal's agent, six applications for the peers) -> play -> measure -> a line of JSON
//! ```
//! One contestant after the other within a run, run after run, so that a noisy minute falls on everybody.

pub(crate) mod edge;
pub(crate) mod measure;
pub(crate) mod peers;
pub(crate) mod plan;
pub(crate) mod play;
pub(crate) mod rates;
pub(crate) mod site;
pub(crate) mod teal;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use teal_agent::proxy::haproxy::program::HaProxy;

use plan::{CELLS, Cell, Contestant, Kind, SOAK};
use play::{Ending, Row, Try};
use site::Site;

/// What to play.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `teal`.
    pub(crate) program: PathBuf,
    /// Requests a second.
    pub(crate) rps: u32,
    /// Names of cells; empty is every one.
    pub(crate) cells: Vec<String>,
    /// In this order.
    pub(crate) contestants: Vec<Contestant>,
    /// Runs of Teal, and of a peer.
    pub(crate) runs: [u32; 2],
    /// Traffic on the old colour before each switch.
    pub(crate) warm_up: Duration,
    /// How long the row `soak` is.
    pub(crate) soak: Duration,
}

impl Settings {
    /// Plays all of it; each row is given to `take` as it comes.
    ///
    /// # Errors
    /// When something does not start, or does not do as it is told.
    pub(crate) async fn play(&self, haproxy: &HaProxy, mut take: impl FnMut(Row)) -> anyhow::Result<()> {
        let known = |name: &String| CELLS.iter().any(|cell| cell.name == name);
        let names = || CELLS.map(|cell| cell.name).join(", ");
        anyhow::ensure!(self.cells.iter().all(known), "--cells takes {}, not {:?}", names(), self.cells);
        raise_descriptor_limit();
        let mut cells: Vec<Cell> = CELLS.into_iter().filter(|cell| self.wants(cell)).collect();
        for cell in cells.iter_mut().filter(|cell| cell.name == SOAK) {
            cell.kind = Kind::Healthy(self.soak);
        }
        for same_base in cells.chunk_by(|one, next| one.base == next.base) {
            let mut site = Site::open(&self.program, haproxy, self.soak).await?;
            let mut done = BTreeSet::new();
            for run in 1..=self.runs.into_iter().max().unwrap_or_default() {
                for cell in same_base {
                    for contestant in self.contestants.iter().copied().filter(|who| run <= who.runs(cell, self.runs)) {
                        if done.contains(&(cell.name, contestant.name())) {
                            continue;
                        }
                        let (rps, warm_up) = (self.rps, self.warm_up);
                        let row = Try { contestant, cell: *cell, rps, run, warm_up }.play(&mut site).await?;
                        // It would only take the whole cap again.
                        if row.ending == Ending::Exposed && contestant != Contestant::Teal {
                            done.insert((cell.name, contestant.name()));
                        }
                        take(row);
                    }
                }
            }
        }
        Ok(())
    }

    fn wants(&self, cell: &Cell) -> bool {
        self.cells.is_empty() && cell.name != SOAK || self.cells.iter().any(|name| name == cell.name)
    }
}

/// A hang piles up connections here and twice in HAProxy, which inherits the limit.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
