//! Faults: what happens to an environment, drawn from the seed, until the trouble ends.

use std::time::Duration;

use super::outage::Outage;
use super::platform::INSTANCES;
use super::scenario::Faults;
use super::world::{What, World};
use crate::colour::Colour;
use crate::machine::event::Feed;

/// One fault; the number is an edge's or an agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Crash(usize),
    CrashSoon(usize),
    /// An agent's process does not run for a while.
    Sleep(usize),
    /// An agent reaches neither the store nor the platform, and perhaps no other agent either.
    Cut(usize),
    Forgetful,
    Storm,
    ProxyDown(usize),
    Reload(usize),
    Unreachable(usize),
    DiskFull(usize),
    StoreDown,
    StoreSlow,
    Backup,
    Restore,
    AllDie {
        component: usize,
        colour: Colour,
    },
    OneDies {
        component: usize,
        colour: Colour,
    },
    FeedLost(usize),
    Lossy,
    Outage(Outage),
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
        let Faults {
            crashes, proxies, disks, store, platform, evidence, outages, silence, clocks, sleep, cuts, ..
        } = self.scenario.faults;
        let who = if self.seats.len() > 1 { self.random.index(self.seats.len()) } else { 0 };
        let of_stores: &[Trouble] = if self.is_shared() {
            &[Trouble::StoreDown, Trouble::StoreSlow, Trouble::Forgetful, Trouble::Storm]
        } else {
            &[Trouble::StoreDown, Trouble::StoreSlow, Trouble::Backup, Trouble::Restore]
        };
        let outage = Trouble::Outage(self.draw_outage(component));
        let kinds: [(bool, &[Trouble]); 11] = [
            (crashes, &[Trouble::Crash(who), Trouble::CrashSoon(who), Trouble::CrashSoon(who)]),
            (proxies, &[Trouble::ProxyDown(edge), Trouble::Reload(edge), Trouble::Unreachable(edge)]),
            (disks, &[Trouble::DiskFull(edge)]),
            (store, of_stores),
            (platform, &[Trouble::AllDie { component, colour }, Trouble::OneDies { component, colour }]),
            (evidence, &[Trouble::FeedLost(edge), Trouble::Lossy]),
            (outages && self.outages.may_strike(self.now), &[outage]),
            (silence, &[Trouble::Mute]),
            (clocks, &[Trouble::ClockJump]),
            (sleep, &[Trouble::Sleep(who)]),
            (cuts, &[Trouble::Cut(who)]),
        ];
        let possible: Vec<&[Trouble]> = kinds.iter().filter(|(on, _)| *on).map(|(_, kinds)| *kinds).collect();
        if possible.is_empty() {
            return None;
        }
        let kind = self.random.pick(&possible);
        Some(self.random.pick(kind))
    }

    fn draw_outage(&mut self, component: usize) -> Outage {
        let component = self.random.chance(0.3).then_some(component);
        let (percents, millis): (&[u8], &[u64]) = if self.scenario.faults.partial {
            (&[20, 30, 50, 70], &[500, 1000, 2000, 5000])
        } else {
            (&[100], &[20, 50, 50, 200, 1000, 2000, 5000])
        };
        let lasts = Duration::from_millis(self.random.pick(millis));
        Outage { component, percent: self.random.pick(percents), lasts }
    }

    /// Begins a fault and says how long it lasts.
    fn strike(&mut self, trouble: Trouble) -> Duration {
        match trouble {
            Trouble::Crash(who) => self.die(who),
            Trouble::CrashSoon(who) => self.seats[who].crash_after = Some(self.random.below(6)),
            Trouble::Sleep(who) => {
                self.falls_asleep(who);
                return if self.random.chance(0.7) {
                    self.random.millis(500, 8000)
                } else {
                    self.random.millis(8000, 60_000)
                };
            }
            Trouble::Cut(who) => {
                self.is_cut(who, true);
                self.seats[who].alone = self.random.chance(0.5);
                return if self.random.chance(0.7) {
                    self.random.millis(500, 8000)
                } else {
                    self.random.millis(8000, 60_000)
                };
            }
            Trouble::Forgetful => {
                self.store.forgetful = true;
                return self.random.millis(500, 15_000);
            }
            Trouble::Storm => {
                self.store.storm = true;
                return self.random.millis(500, 15_000);
            }
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
                let long = self.is_shared() && self.random.chance(0.2);
                return if long { Duration::from_secs(60) } else { self.random.millis(500, 15_000) };
            }
            Trouble::StoreSlow => {
                self.store.slow = true;
                return self.random.millis(500, 15_000);
            }
            Trouble::Backup => self.store.back_up(),
            Trouble::Restore => {
                // Once is bad luck; twice, a number could stand for two releases that both ran.
                if !self.checks.restored {
                    self.die(0);
                }
                let seat = &mut self.seats[0];
                if seat.agent.is_none() && !self.checks.restored && self.store.restore(&mut seat.desk) {
                    self.checks.is_restored();
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
            Trouble::Outage(outage) => {
                self.outages.strike(self.now, outage);
                return outage.lasts;
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
            Trouble::Forgetful => self.store.forgetful = false,
            Trouble::Storm => self.store.storm = false,
            Trouble::Sleep(who) => self.wakes(who),
            Trouble::Cut(who) => self.is_cut(who, false),
            Trouble::FeedLost(edge) => {
                self.edges[edge].feed = Feed::Live;
                self.checks.feed_live(edge);
            }
            Trouble::Lossy => self.lossy = false,
            Trouble::Outage(_) => self.outages.end(self.now),
            Trouble::Mute => self.mute = false,
            _ => {}
        }
    }

    /// The trouble ends, all of it at once; from here on everything has to settle.
    pub(super) fn heal(&mut self) {
        self.note("the trouble ends");
        self.in_trouble = false;
        for who in 0..self.seats.len() {
            self.seats[who].crash_after = None;
            if self.is_shared() {
                self.over(Trouble::Cut(who));
            }
        }
        for edge in 0..self.edges.len() {
            for trouble in [Trouble::ProxyDown(edge), Trouble::Unreachable(edge), Trouble::DiskFull(edge)] {
                self.over(trouble);
            }
            self.over(Trouble::FeedLost(edge));
        }
        for trouble in
            [Trouble::StoreDown, Trouble::StoreSlow, Trouble::Forgetful, Trouble::Storm, Trouble::Lossy, Trouble::Mute]
        {
            self.over(trouble);
        }
        self.outages.end(self.now);
        for component in 0..self.scenario.settings.components.len() {
            for colour in Colour::BOTH {
                self.revive(component, colour);
            }
        }
        for who in 0..self.seats.len() {
            self.wakes(who);
        }
        self.after(Duration::from_secs(1), What::People);
        self.after(Duration::from_secs(150), What::Finish);
    }

    fn revive(&mut self, component: usize, colour: Colour) {
        let slot = self.platform.slot(component, colour);
        if slot.version.is_some() && !self.platform.quality(slot.version.as_ref()).crashes {
            self.platform.set_ready(component, colour, slot.wanted, self.now);
            self.tell_capacity(component, colour);
        }
    }
}
