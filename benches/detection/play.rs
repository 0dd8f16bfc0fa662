//! Plays one cell: traffic, the switch, the fault, and what the users saw of it.
//!
//! ```text
//! prepare -> traffic on the old colour -> switch -> new colour serves -> off, isolated or time is up -> count
//!                                                          \-> an outage of both colours, for so long -/
//! ```

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use teal_agent::demo::load::{self, Counts, Load, LoadSettings};
use tokio::time::{Instant, sleep, timeout};

use super::measure::{Figures, millis, requests};
use super::plan::{Cell, Contestant, Kind};
use super::site::{Site, Stand};

/// One request in ten writes.
const PATHS: [&str; 10] =
    ["/home", "/orders", "/", "/home", "/orders", "POST /orders", "/home", "/orders", "/", "/home"];

/// Longer than the edge's own time-outs.
const GIVE_UP: Duration = Duration::from_secs(20);

/// How long an old colour must be seen before its waits can be held against another: twenty blocks of a second or more,
/// after the first 3,000 requests.
const LEARNS: Duration = Duration::from_secs(40);

/// How long a new colour that still serves, such as one rid of a replica, may go without a bad request to be done.
const ISOLATED: Duration = Duration::from_secs(8);

/// How long a good release is watched before an outage, and after it.
const BEFORE: Duration = Duration::from_secs(2);
const AFTER: Duration = Duration::from_secs(8);

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// The bad colour was left.
    Off,
    /// It serves on, without bad requests.
    Isolated,
    /// Neither, within the cap.
    Exposed,
    /// A good colour was kept.
    Stayed,
    /// A good colour was left, for good or for a while.
    Left,
}

/// One line of the results.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// Requests a second.
    pub(crate) rps: u32,
    /// Of the cell.
    pub(crate) cell: &'static str,
    /// As in the plan.
    pub(crate) contestant: &'static str,
    /// From 1.
    pub(crate) run: u32,
    /// How it ended.
    pub(crate) ending: Ending,
    /// What the users saw.
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// How long a bad colour was waited for, seconds.
    pub(crate) cap_s: u64,
    /// The contestant's own word.
    pub(crate) cause: Option<String>,
    /// The longest that a request took, from when it was to leave.
    pub(crate) longest_ms: f64,
    /// Requests that took a second or more: as much as the largest of Teal's limits here.
    pub(crate) waited_1s: u64,
    /// 99th percentile of how late the load generator itself was.
    pub(crate) lateness_p99_ms: f64,
    /// Why the figures mean nothing, if so.
    pub(crate) invalid: Option<String>,
    /// The machine's load average before it.
    pub(crate) load: String,
}

/// One try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    /// Who.
    pub(crate) contestant: Contestant,
    /// Against what.
    pub(crate) cell: Cell,
    /// Requests a second.
    pub(crate) rps: u32,
    /// From 1.
    pub(crate) run: u32,
    /// Traffic on the old colour before the switch.
    pub(crate) warm_up: Duration,
}

impl Try {
    /// Plays it.
    pub(crate) async fn play(self, site: &mut Site) -> anyhow::Result<Row> {
        let Self { contestant, cell, rps, run, warm_up } = self;
        let load_average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let stand = site.prepare(contestant, &cell, u64::from(run)).await?;
        let paths = PATHS.map(str::to_owned).to_vec();
        let (target, jitter) = (stand.frontend, Some(u64::from(run)));
        let load = load::start(LoadSettings { target, rps, jitter, paths, one_shot_every: 10, give_up: GIVE_UP })?;
        // What is slow is told by what was usual, and nobody seeds that: Teal watches the old colour for a while.
        let learns = contestant == Contestant::Teal && matches!(cell.kind, Kind::Bad { slow: Some(_) });
        sleep(if learns { warm_up.max(LEARNS) } else { warm_up }).await;

        let [_, new] = &stand.versions;
        let begun = load.mark();
        let nobody = load.counts().nobody.bad;
        site.switch(contestant).await?;
        let arrived = async {
            while Seen::of(&load.counts(), new, nobody).reached == 0 && load.counts().in_flight < u64::from(rps) / 4 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(30), arrived).await.context("the new colour was not switched to")?;
        let watched = match cell.kind {
            Kind::Bad { .. } => self.watch(site, &load, new, nobody).await?,
            Kind::Healthy(length) => {
                sleep(length.max(contestant.patience())).await;
                Ending::Stayed
            }
            Kind::Outage(length) => self.outage(site, &stand, length).await?,
        };
        let ended = load.mark();
        load.settle(ended).await;
        let stretch = load.stretch(begun, ended);
        let cause = site.finish(contestant, &cell).await?;

        let slow = if let Kind::Bad { slow } = cell.kind { slow } else { None };
        let figures = Figures::of(requests(&stretch, begun, new, slow));
        let left = watched == Ending::Stayed && figures.returned > 0;
        let cut = stretch.cut();
        Ok(Row {
            rps,
            cell: cell.name,
            contestant: contestant.name(),
            run,
            ending: if left { Ending::Left } else { watched },
            figures,
            cap_s: contestant.cap().as_secs(),
            cause,
            longest_ms: millis(cut.latency[2]),
            waited_1s: stretch.requests().filter(|sent| sent.took >= Duration::from_secs(1)).count() as u64,
            lateness_p99_ms: millis(cut.lateness),
            invalid: cut.valid().err().map(|invalid| invalid.to_string()),
            load: load_average.split(' ').next().unwrap_or_default().to_owned(),
        })
    }

    /// Until the bad colour is off, or does no more harm, or time is up.
    async fn watch(self, site: &Site, load: &Load, new: &str, nobody: u64) -> anyhow::Result<Ending> {
        let Self { contestant, rps, .. } = self;
        let begun = Instant::now();
        let (mut seen, mut reached_at, mut bad_at) = (Seen::default(), begun, begun);
        while begun.elapsed() < contestant.cap() {
            let counts = load.counts();
            let now = Seen::of(&counts, new, nobody);
            if now.reached > seen.reached {
                reached_at = Instant::now();
            }
            if now.bad > seen.bad {
                bad_at = Instant::now();
            }
            seen = now;
            // What hangs has not ended, but has been sent.
            let waiting = counts.in_flight > u64::from(rps) / 10 + 5;
            if !waiting && reached_at.elapsed() >= contestant.quiet() && site.is_back(contestant).await? {
                return Ok(Ending::Off);
            }
            if !waiting && seen.bad > 0 && bad_at.elapsed() >= ISOLATED {
                return Ok(Ending::Isolated);
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(Ending::Exposed)
    }

    async fn outage(self, site: &Site, stand: &Stand, length: Duration) -> anyhow::Result<Ending> {
        let patience = self.contestant.patience().saturating_sub(BEFORE + length);
        sleep(BEFORE).await;
        site.outage(self.contestant, &self.cell, stand, false)?;
        sleep(length).await;
        site.outage(self.contestant, &self.cell, stand, true)?;
        sleep(AFTER.max(patience)).await;
        Ok(Ending::Stayed)
    }
}

/// What has reached the new colour and ended.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    reached: u64,
    bad: u64,
}

impl Seen {
    /// `nobody`: failures without a version from before the switch.
    fn of(counts: &Counts, new: &str, nobody: u64) -> Self {
        let (tally, nobody) = (counts.version(new), counts.nobody.bad.saturating_sub(nobody));
        Self { reached: tally.requests + nobody, bad: tally.bad + nobody }
    }
}
