//! Where an agent runs: agents come and go there, die and fall asleep; what is written down stays.

use std::collections::BTreeMap;
use std::time::Duration;

use super::agent::Agent;
use super::lease::Watched;
use super::scenario::Sabotage;
use super::store::Desk;
use super::world::{What, World};
use crate::colour::Colour;
use crate::document::Document;
use crate::machine::{Action, Event};
use crate::time::Time;

/// One agent's place, with the edges it routes.
pub(super) struct Seat {
    pub(super) agent: Option<Agent>,
    /// Of the agent that runs, or ran last; no two lives of any seat are the same.
    pub(super) life: u64,
    /// Dies before this many more actions are done.
    pub(super) crash_after: Option<u64>,
    pub(super) desk: Desk,
    /// What happens to a process that does not run just now, in order.
    asleep: Option<Vec<What>>,
    /// Neither the store nor the platform can be reached.
    pub(super) cut: bool,
    /// Nor other agents.
    pub(super) alone: bool,
    pub(super) watched: Watched,
    /// Until when the platform is busy with an order for a colour: orders for it do not overtake each other.
    busy: BTreeMap<(usize, Colour), Time>,
    /// How far the wall clock is off.
    pub(super) skew_millis: i64,
    /// Rollback orders that a planted bug holds back.
    pub(super) withheld: Vec<Action>,
}

impl Seat {
    pub(super) fn new(desk: Desk, skew_millis: i64) -> Self {
        Self {
            agent: None,
            life: 0,
            crash_after: None,
            desk,
            asleep: None,
            cut: false,
            alone: false,
            watched: Watched::default(),
            busy: BTreeMap::new(),
            skew_millis,
            withheld: Vec::new(),
        }
    }

    pub(super) const fn is_awake(&self) -> bool {
        self.agent.is_some() && self.asleep.is_none()
    }

    pub(super) fn forget_sleep(&mut self) {
        self.asleep = None;
    }

    /// Keeps for later what happens to a sleeper; gives back what happens now.
    pub(super) fn defer(&mut self, what: What) -> Option<What> {
        match &mut self.asleep {
            Some(later) => {
                later.push(what);
                None
            }
            None => Some(what),
        }
    }
}

impl World {
    pub(super) fn owner(&self, edge: usize) -> usize {
        edge % self.seats.len()
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.scenario.agents > 0
    }

    /// How long an order to the platform takes: among agents it may be slow.
    pub(super) fn platform_takes(&mut self, who: usize, component: usize, colour: Colour, soon: Duration) -> Duration {
        if !self.is_shared() {
            return soon;
        }
        // An order that lies about is what this bug needs.
        let often = if self.scenario.sabotage == Some(Sabotage::StopsWhateverIsThere) { 0.8 } else { 0.2 };
        let slow = self.scenario.faults.platform && self.random.chance(often);
        let takes = if slow { self.random.millis(500, 10_000) } else { soon };
        let busy = self.seats[who].busy.entry((component, colour)).or_default();
        *busy = (self.now + takes).max(*busy);
        busy.since(self.now)
    }

    /// When the platform is done with all that it was ordered: a slow one takes longer than documents have to rest.
    pub(super) fn obeyed(&self) -> Time {
        self.seats.iter().flat_map(|seat| seat.busy.values()).copied().max().unwrap_or(Time::ZERO)
    }

    pub(super) fn seat_of(&self, life: u64) -> Option<usize> {
        self.seats.iter().position(|seat| seat.agent.is_some() && seat.life == life)
    }

    pub(super) fn document(&self, who: usize) -> Option<&Document> {
        self.seats[who].agent.as_ref().map(|agent| agent.machine.document())
    }

    /// The agent that may move forward just now; a single one always may.
    pub(super) fn leader(&self) -> Option<usize> {
        (0..self.seats.len()).find(|who| self.seats[*who].agent.is_some() && self.may_lead(*who))
    }

    pub(super) fn falls_asleep(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        if seat.agent.is_some() {
            seat.asleep.get_or_insert_default();
        }
        self.tally.sleeps += 1;
    }

    /// It goes on as if nothing had happened, with all that has.
    pub(super) fn wakes(&mut self, who: usize) {
        for what in self.seats[who].asleep.take().unwrap_or_default() {
            self.happen(what);
        }
    }

    pub(super) fn is_cut(&mut self, who: usize, cut: bool) {
        self.seats[who].cut = cut;
        if !cut {
            self.seats[who].alone = false;
            for component in 0..self.scenario.settings.components.len() {
                for colour in Colour::BOTH {
                    self.tell_capacity_to(who, component, colour);
                }
            }
        }
    }

    pub(super) fn tell_capacity_to(&mut self, who: usize, component: usize, colour: Colour) {
        let seat = &self.seats[who];
        if seat.cut {
            return;
        }
        let life = seat.life;
        let mut capacity = self.platform.capacity(component, colour);
        if !self.is_shared() && capacity.scaled == 0 {
            capacity.release = 0;
        }
        if self.scenario.sabotage == Some(Sabotage::CallsItFull) && capacity.ready > 0 {
            capacity.ready = capacity.wanted;
        }
        // One queue for all of the platform's words: they do not overtake each other.
        self.after(Duration::from_millis(5), What::Event { life, event: Event::Capacity(capacity) });
    }

    pub(super) fn unix_millis_of(&self, who: usize) -> u64 {
        let wall = u64::try_from(self.now.since(Time::ZERO).as_millis()).unwrap_or(0);
        (self.unix_millis + wall).saturating_add_signed(self.seats[who].skew_millis)
    }
}
