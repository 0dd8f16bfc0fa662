//! Requests, what becomes of them, and how much of it the agent hears; processes and the questions sent to them.

use std::time::Duration;

use super::edge::Held;
use super::outage::TOLD_LATE_MILLIS;
use super::platform::{INSTANCES, Scaling};
use super::scenario::Sabotage;
use super::world::{What, World};
use crate::colour::Colour;
use crate::machine::event::{Arm, Backend, Block, Feed, Observation};
use crate::machine::{Event, Probe};
use crate::policy::Route;
use crate::time::Time;

/// How often an edge's finished requests are handed on.
const BLOCK: Duration = Duration::from_millis(100);
/// How long the last requests of a colour stay in flight after it was taken off.
const IN_FLIGHT: Duration = Duration::from_millis(300);

impl World {
    pub(super) fn traffic(&mut self, edge: usize) {
        self.after(BLOCK, What::Traffic { edge });
        if !self.edges[edge].up {
            return;
        }
        let mut requests = Vec::new();
        for component in 0..self.edges[edge].running.routes.len() {
            let expected = self.scenario.rate * BLOCK.as_secs_f64();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most some hundreds a second"
            )]
            let count = expected.trunc() as u32 + u32::from(self.random.chance(expected.fract()));
            let route = self.edges[edge].running.routes[component];
            let (now, block) = (self.now.as_micros(), 100_000);
            let odds = Colour::BOTH.map(|colour| self.platform.errors(component, colour, self.now));
            for number in 0..count {
                let colour = self.side(route);
                // The block holds what finished since the last one, in its order.
                let at =
                    Time::from_micros(now.saturating_sub(block * u64::from(count - 1 - number) / u64::from(count)));
                let failing = self.outages.failing(component, at);
                let bad = self.random.chance(odds[colour as usize].max(failing));
                let seen = self.observation(edge, component, colour, bad);
                if bad && failing > 0.0 && self.scenario.faults.held_up {
                    let ends = at + self.random.millis(500, TOLD_LATE_MILLIS);
                    self.edges[edge].held.push(Held { began: at, ends, seen });
                } else {
                    requests.push(seen);
                }
            }
        }
        self.let_go(edge, &mut requests);
        if self.scenario.sabotage == Some(Sabotage::PromotesOnSilence) {
            for component in 0..self.edges[edge].running.routes.len() {
                let colour = self.edges[edge].running.routes[component].candidate;
                let invented = self.observation(edge, component, colour, false);
                requests.extend([invented; 5]);
            }
        } else if self.edges[edge].feed == Feed::Lost {
            return;
        }
        self.hand_on(edge, requests);
    }

    /// What was held up and ends now comes among the others.
    fn let_go(&mut self, edge: usize, requests: &mut Vec<Observation>) {
        let now = self.now;
        let (ended, held) = self.edges[edge].held.iter().partition(|held| held.ends <= now);
        self.edges[edge].held = held;
        let ended: Vec<Held> = ended;
        for Held { began, seen, .. } in ended {
            let age = now.since(began).as_micros().div_ceil(1000);
            let seen = Observation { waited: true, age_ms: u32::try_from(age).unwrap_or(u32::MAX), ..seen };
            requests.insert(self.random.index(requests.len() + 1), seen);
        }
    }

    fn observation(&self, edge: usize, component: usize, colour: Colour, bad: bool) -> Observation {
        let component = u8::try_from(component).unwrap_or(u8::MAX);
        let release = self.edges[edge].running.epoch.release;
        Observation::new(component, colour, release, bad)
    }

    fn hand_on(&mut self, edge: usize, requests: Vec<Observation>) {
        self.edges[edge].sequence += 1;
        let owner = self.owner(edge);
        if requests.is_empty() || self.seats[owner].agent.is_none() {
            return;
        }
        let observer = u16::try_from(edge).unwrap_or(u16::MAX);
        let event = Event::Requests(Block { observer, sequence: self.edges[edge].sequence, requests });
        for who in 0..self.seats.len() {
            if who == owner || !(self.seats[owner].alone || self.seats[who].alone) {
                let far = if who == owner { Duration::ZERO } else { self.random.millis(5, 50) };
                self.hand_to(who, far, event.clone());
            }
        }
    }

    fn hand_to(&mut self, who: usize, far: Duration, event: Event) {
        let life = self.seats[who].life;
        let mut delay = far + self.random.millis(0, 5);
        if self.lossy {
            if self.random.chance(0.2) {
                return;
            }
            if self.random.chance(0.3) {
                delay = self.random.millis(5, 2000);
            }
            if self.random.chance(0.3) {
                let again = self.random.millis(0, 3000);
                self.after(again, What::Event { life, event: event.clone() });
            }
        }
        self.after(delay, What::Event { life, event });
    }

    fn side(&mut self, route: Route) -> Colour {
        if self.random.below(100_000) < u64::from(route.share.get()) { route.candidate } else { route.stable }
    }

    pub(super) fn backends(&self, edge: usize) -> Vec<Backend> {
        let e = &self.edges[edge];
        let mut backends = Vec::new();
        for (component, route) in e.running.routes.iter().enumerate() {
            for colour in Colour::BOTH {
                let flows = route.serves(colour) || self.now.since(e.since) < IN_FLIGHT;
                let up = self.platform.slot(component, colour).ready;
                backends.push(Backend { component, colour, up, in_flight: u32::from(flows && up > 0) });
            }
        }
        backends
    }

    pub(super) fn probe(&mut self, who: usize, probe: &Probe) {
        if self.mute {
            return;
        }
        let (round, arm) = (probe.round, probe.arm);
        let failing = self.shows(probe.component, probe.colour);
        let mut passed = (0..probe.requests).map(|_| u8::from(!self.random.chance(failing))).sum();
        if self.scenario.sabotage == Some(Sabotage::BlamesSharedOutage) && arm == Arm::Old {
            passed = probe.requests;
        }
        if self.scenario.sabotage == Some(Sabotage::BelievesTheFirstStreak) && arm == Arm::New {
            passed = 0;
        }
        let life = self.seats[who].life;
        let takes = self.random.millis(1, 50);
        self.after(takes, What::Event { life, event: Event::Probed { round, arm, passed } });
    }

    /// The share of what may be probed that fails just now.
    fn shows(&self, component: usize, colour: Colour) -> f64 {
        self.platform.shown(component, colour, self.now).max(self.outages.failing(component, self.now))
    }

    /// One of the smoke suite's reading checks: it meets what any request meets.
    pub(super) fn sample(&mut self, who: usize, round: u64, component: usize, colour: Colour, release: u64) {
        if self.mute {
            return;
        }
        let failing = self.shows(component, colour);
        let passed = !self.random.chance(failing) || self.scenario.sabotage == Some(Sabotage::BelievesProbes);
        self.tally.samples += 1;
        let life = self.seats[who].life;
        let wait = self.random.millis(1, 50);
        let event = Event::Sampled { release, component, round, passed, wait };
        self.after(wait, What::Event { life, event });
    }

    pub(super) fn smoke(&mut self, who: usize, release: u64, targets: &[(usize, Colour)]) {
        if self.mute {
            return;
        }
        let failed = targets.iter().find(|(component, colour)| {
            let slot = self.platform.slot(*component, *colour);
            slot.ready == 0 || self.platform.quality(slot.version.as_ref()).smokes
        });
        let result = failed.map_or(Ok(()), |(component, _)| Err(format!("component {component} answered 500")));
        self.deliver(who, Event::Smoke { release, result });
    }

    // --- processes ----------------------------------------------------------------------------------

    pub(super) fn start(&mut self, component: usize, colour: Colour, version: &str, release: u64) {
        let stale = self.is_shared() && self.platform.is_stale(component, colour, release);
        if !stale && self.platform.start(component, colour, version, release, self.now) {
            let generation = self.platform.slot(component, colour).generation;
            if self.platform.quality(Some(&version.to_owned())).crashes {
                let later = self.random.millis(300, 2000);
                self.after(later, What::Looping { component, colour, generation });
            } else {
                let first = self.random.millis(100, 2000);
                self.after(first, What::Ready { component, colour, generation, ready: 1 });
                let all = first + self.random.millis(0, 1000);
                self.after(all, What::Ready { component, colour, generation, ready: INSTANCES });
            }
        }
        self.tell_capacity(component, colour);
    }

    pub(super) fn scale(&mut self, component: usize, colour: Colour, scaling: &Scaling) {
        if self.platform.scale(component, colour, scaling, self.now) {
            let generation = self.platform.slot(component, colour).generation;
            let all = self.random.millis(100, 3000);
            self.after(all, What::Ready { component, colour, generation, ready: INSTANCES });
        }
        self.tell_capacity(component, colour);
    }

    pub(super) fn stop(&mut self, component: usize, colour: Colour, release: u64) {
        let fenced = self.is_shared() && self.scenario.sabotage != Some(Sabotage::StopsWhateverIsThere);
        let stale = self.is_shared() && self.platform.is_stale(component, colour, release);
        if stale && !fenced && self.platform.slot(component, colour).version.is_some() {
            self.violate(4, format!("{colour} of component {component} is stopped as of an earlier release"));
        }
        if !(stale && fenced) {
            self.platform.stop(component, colour, self.now);
        }
        self.tell_capacity(component, colour);
    }

    pub(super) fn ready(&mut self, component: usize, colour: Colour, generation: u64, ready: u32) {
        let slot = self.platform.slot(component, colour);
        let ready = ready.min(slot.wanted);
        if slot.generation == generation && slot.ready < ready {
            self.platform.set_ready(component, colour, ready, self.now);
            self.tell_capacity(component, colour);
        }
    }

    pub(super) fn looping(&mut self, component: usize, colour: Colour, generation: u64) {
        let slot = self.platform.slot_mut(component, colour);
        if slot.generation == generation {
            slot.crash_looping = INSTANCES;
            self.tell_capacity(component, colour);
        }
    }

    pub(super) fn tell_capacity(&mut self, component: usize, colour: Colour) {
        for who in 0..self.seats.len() {
            self.release_withheld(who);
            self.tell_capacity_to(who, component, colour);
        }
    }
}
