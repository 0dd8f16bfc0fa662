//! Faults and people: what happens to an environment, drawn from the seed, until the trouble ends.

use std::time::Duration;

use super::platform::{INSTANCES, Quality};
use super::scenario::Faults;
use super::world::{What, World};
use crate::colour::{Colour, Share};
use crate::document::Phase;
use crate::machine::Order;
use crate::machine::event::Feed;
use crate::policy::{Epoch, Verdict};
use crate::time::Time;

/// One fault; the number is an edge's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Crash,
    CrashSoon,
    ProxyDown(usize),
    Reload(usize),
    Unreachable(usize),
    DiskFull(usize),
    StoreDown,
    StoreSlow,
    Backup,
    Restore,
    AllDie { component: usize, colour: Colour },
    OneDies { component: usize, colour: Colour },
    FeedLost(usize),
    Lossy,
    Outage,
    Mute,
    ClockJump,
}

impl World {
    pub(super) fn trouble(&mut self) {
        if !self.in_trouble {
            return;
        }
        if let Some(trouble) = self.draw() {
            self.note(format!("trouble: {trouble:?}"));
            let lasts = self.strike(trouble);
            self.after(lasts, What::Over(trouble));
        }
        let next = self.random.millis(300, 5000);
        self.after(next, What::Trouble);
    }

    fn draw(&mut self) -> Option<Trouble> {
        let edge = self.random.index(self.edges.len());
        let component = self.random.index(self.scenario.settings.components.len());
        let colour = self.random.pick(&Colour::BOTH);
        let Faults { crashes, proxies, disks, store, platform, evidence, outages, silence, clocks, .. } =
            self.scenario.faults;
        let kinds: [(bool, &[Trouble]); 9] = [
            (crashes, &[Trouble::Crash, Trouble::CrashSoon, Trouble::CrashSoon]),
            (proxies, &[Trouble::ProxyDown(edge), Trouble::Reload(edge), Trouble::Unreachable(edge)]),
            (disks, &[Trouble::DiskFull(edge)]),
            (store, &[Trouble::StoreDown, Trouble::StoreSlow, Trouble::Backup, Trouble::Restore]),
            (platform, &[Trouble::AllDie { component, colour }, Trouble::OneDies { component, colour }]),
            (evidence, &[Trouble::FeedLost(edge), Trouble::Lossy]),
            (outages, &[Trouble::Outage]),
            (silence, &[Trouble::Mute]),
            (clocks, &[Trouble::ClockJump]),
        ];
        let possible: Vec<&[Trouble]> = kinds.iter().filter(|(on, _)| *on).map(|(_, kinds)| *kinds).collect();
        if possible.is_empty() {
            return None;
        }
        let kind = self.random.pick(&possible);
        Some(self.random.pick(kind))
    }

    /// Begins a fault and says how long it lasts.
    fn strike(&mut self, trouble: Trouble) -> Duration {
        match trouble {
            Trouble::Crash => self.die(),
            Trouble::CrashSoon => self.crash_after = Some(self.random.below(6)),
            Trouble::ProxyDown(edge) => {
                self.edges[edge].up = false;
                return self.random.millis(50, 4000);
            }
            Trouble::Reload(edge) => {
                if self.edges[edge].up {
                    self.edges[edge].load(self.now);
                }
            }
            Trouble::Unreachable(edge) => {
                self.edges[edge].reachable = false;
                return self.random.millis(100, 8000);
            }
            Trouble::DiskFull(edge) => {
                self.edges[edge].disk_full = true;
                return self.random.millis(500, 10_000);
            }
            Trouble::StoreDown => {
                self.store.down = true;
                return self.random.millis(500, 15_000);
            }
            Trouble::StoreSlow => {
                self.store.slow = true;
                return self.random.millis(500, 15_000);
            }
            Trouble::Backup => self.store.back_up(),
            Trouble::Restore => {
                // Once is bad luck; twice, a number could stand for two releases that both ran.
                if !self.checks.restored {
                    self.die();
                }
                if self.agent.is_none() && !self.checks.restored && self.store.restore() {
                    self.checks.restored = true;
                }
            }
            Trouble::AllDie { component, colour } => return self.kill(component, colour, 0),
            Trouble::OneDies { component, colour } => return self.kill(component, colour, 1),
            Trouble::FeedLost(edge) => {
                self.edges[edge].feed = Feed::Lost;
                self.checks.feed_lost(edge, self.now);
                self.report(edge);
                return self.random.millis(500, 30_000);
            }
            Trouble::Lossy => {
                self.lossy = true;
                return self.random.millis(1000, 10_000);
            }
            Trouble::Outage => {
                self.outage = true;
                self.outage_since = self.now;
                return Duration::from_millis(self.random.pick(&[50, 1000, 2000, 5000]));
            }
            Trouble::Mute => {
                self.mute = true;
                return self.random.millis(500, 12_000);
            }
            Trouble::ClockJump => {
                let hour = 3_600_000;
                self.unix_millis = (self.unix_millis + self.random.below(48 * hour)).saturating_sub(24 * hour);
            }
        }
        Duration::ZERO
    }

    /// Leaves `left` instances of a colour ready for a while.
    fn kill(&mut self, component: usize, colour: Colour, left: u32) -> Duration {
        let slot = self.platform.slot(component, colour);
        if slot.version.is_some() && slot.ready > left {
            let generation = slot.generation;
            self.platform.set_ready(component, colour, left, self.now);
            self.tell_capacity(component, colour);
            let back = self.random.millis(200, 9000);
            self.after(back, What::Ready { component, colour, generation, ready: INSTANCES });
        }
        Duration::ZERO
    }

    pub(super) fn over(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::ProxyDown(edge) if !self.edges[edge].up => self.edges[edge].load(self.now),
            Trouble::Unreachable(edge) => self.edges[edge].reachable = true,
            Trouble::DiskFull(edge) => self.edges[edge].disk_full = false,
            Trouble::StoreDown => self.store.down = false,
            Trouble::StoreSlow => self.store.slow = false,
            Trouble::FeedLost(edge) => {
                self.edges[edge].feed = Feed::Live;
                self.checks.feed_live(edge);
            }
            Trouble::Lossy => self.lossy = false,
            Trouble::Outage => {
                self.outage = false;
                self.outage_over = self.now;
            }
            Trouble::Mute => self.mute = false,
            _ => {}
        }
    }

    /// The trouble ends, all of it at once; from here on everything has to settle.
    pub(super) fn heal(&mut self) {
        self.note("the trouble ends");
        self.in_trouble = false;
        self.crash_after = None;
        for edge in 0..self.edges.len() {
            for trouble in [Trouble::ProxyDown(edge), Trouble::Unreachable(edge), Trouble::DiskFull(edge)] {
                self.over(trouble);
            }
            self.over(Trouble::FeedLost(edge));
        }
        for trouble in [Trouble::StoreDown, Trouble::StoreSlow, Trouble::Lossy, Trouble::Mute] {
            self.over(trouble);
        }
        if self.outage {
            self.over(Trouble::Outage);
        }
        for component in 0..self.scenario.settings.components.len() {
            for colour in Colour::BOTH {
                self.revive(component, colour);
            }
        }
        self.after(Duration::from_secs(1), What::People);
        self.after(Duration::from_secs(150), What::Finish);
    }

    fn revive(&mut self, component: usize, colour: Colour) {
        let slot = self.platform.slot(component, colour);
        if slot.version.is_some() && !self.platform.quality(slot.version.as_ref()).crashes {
            self.platform.set_ready(component, colour, INSTANCES, self.now);
            self.tell_capacity(component, colour);
        }
    }

    // --- people -------------------------------------------------------------------------------------

    pub(super) fn deploy_something(&mut self) {
        if !self.in_trouble {
            return;
        }
        let next = self.random.millis(6000, 25_000);
        self.after(next, What::Deploy);
        self.versions += 1;
        let version = format!("v{}", self.versions);
        let quality = self.draw_quality();
        self.platform.versions.insert(version.clone(), quality);
        let names: Vec<String> = self.scenario.settings.components.iter().map(|c| c.name.clone()).collect();
        let all = self.random.chance(0.6);
        let one = self.random.index(names.len());
        let named = names.into_iter().enumerate().filter(|(id, _)| all || *id == one);
        let versions = named.map(|(_, name)| (name, version.clone())).collect();
        self.order(Order::Deploy { versions, by: "ann".into() });
    }

    fn draw_quality(&mut self) -> Quality {
        if !self.scenario.faults.versions || self.random.chance(0.4) {
            return Quality::HEALTHY;
        }
        let healthy = Quality::HEALTHY;
        match self.random.below(6) {
            0 => Quality { crashes: true, ..healthy },
            1 => Quality { smokes: true, ..healthy },
            2 => Quality { errors: 1.0, late: Duration::from_secs(5), ..healthy },
            _ => Quality { errors: self.random.pick(&[0.2, 0.5, 1.0]), ..healthy },
        }
    }

    pub(super) fn people(&mut self) {
        if !self.in_trouble {
            return self.tidy_up();
        }
        let next = self.random.millis(1000, 12_000);
        self.after(next, What::People);
        if !self.scenario.faults.people {
            return;
        }
        let by = "ben".to_owned();
        match self.random.below(10) {
            0 | 1 => drop(self.order(Order::Rollback { by })),
            2 => drop(self.order(Order::Abort { by })),
            3 => drop(self.order(Order::Promote { by })),
            4 => drop(self.order(Order::Pause { by })),
            5 | 6 => drop(self.order(Order::Resume { by })),
            7 | 8 => self.edit_by_hand(),
            _ => self.force(),
        }
    }

    /// After the trouble a human ends what only a human can end, and looks again in a moment.
    fn tidy_up(&mut self) {
        self.after(Duration::from_secs(2), What::People);
        let settled = Time::ZERO + self.scenario.trouble + Duration::from_secs(15);
        let Some(agent) = &self.agent else { return };
        let (phase, paused) = (agent.machine.document().phase, agent.machine.document().paused.is_some());
        let by = "ann".to_owned();
        if paused {
            self.order(Order::Resume { by });
        } else if phase == Phase::Held {
            let bad = self.candidate_is_bad();
            let rolled_back =
                bad && self.order(Order::Rollback { by: by.clone() }).is_some_and(|answer| answer.is_ok());
            if !rolled_back {
                self.order(Order::Promote { by });
            }
        } else if phase == Phase::Idle && self.checks.document_rests(self.now) && self.now >= settled {
            self.after(Duration::ZERO, What::Finish);
        }
    }

    fn candidate_is_bad(&self) -> bool {
        let components = self.agent.iter().flat_map(|agent| agent.machine.document().components.iter());
        components.filter(|c| c.takes_part()).any(|c| !self.platform.quality(c.candidate.version.as_ref()).is_healthy())
    }

    /// `set map` by hand: another share in the same epoch.
    fn edit_by_hand(&mut self) {
        let edge = self.random.index(self.edges.len());
        let share = self.random.pick(&[Share::NONE, Share::NONE, Share::ALL, Share::percent(30)]);
        if !self.edges[edge].up {
            return;
        }
        self.note(format!("edge {edge} is set to {share} by hand"));
        let e = &mut self.edges[edge];
        for route in &mut e.running.routes {
            route.share = if route.stable == route.candidate { Share::NONE } else { share };
        }
        e.edited = true;
        e.since = self.now;
    }

    /// `teal edge force` to the old colour: BAD, in the running proxy and then on disk.
    fn force(&mut self) {
        let edge = self.random.index(self.edges.len());
        let ready = |(id, route): (usize, &crate::policy::Route)| self.platform.is_ready(id, route.stable);
        let e = &self.edges[edge];
        if !e.up || !e.running.routes.iter().enumerate().all(ready) {
            return;
        }
        self.note(format!("edge {edge} is forced to the old colour"));
        let e = &mut self.edges[edge];
        let Epoch { release, step, .. } = e.running.epoch.max(e.file.epoch);
        e.running.epoch = Epoch { release, verdict: Verdict::Bad, step: step + 1 };
        for route in &mut e.running.routes {
            route.share = Share::NONE;
        }
        if !e.disk_full {
            e.file = e.running.clone();
        }
        e.edited = true;
        e.since = self.now;
    }
}
