//! The lease: who leads, judged by each agent on its own monotonic clock.
//!
//! ```text
//!   holder renews every second, and leads for FOR after the last time it asked
//!   the others watch it; whoever has seen no renewal for EXPIRES takes it
//! ```
//! EXPIRES is longer than FOR, and both are counted from a moment that is not later than what they count from: no clock has
//! to agree with another one.

use std::time::Duration;

use super::scenario::Sabotage;
use super::world::{What, World};
use crate::machine::Event;
use crate::time::Time;

pub(super) const RENEW: Duration = Duration::from_secs(1);
const FOR: Duration = Duration::from_secs(4);
const EXPIRES: Duration = Duration::from_secs(6);

/// As it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lease {
    /// A life.
    holder: Option<u64>,
    renewals: u64,
}

/// What an agent knows of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watched {
    lease: Lease,
    since: Time,
    /// Until when this agent leads.
    pub(super) until: Option<Time>,
}

impl World {
    /// Whether it does by the world's own clock.
    pub(super) fn may_lead(&self, who: usize) -> bool {
        !self.is_shared() || self.seats[who].watched.until.is_some_and(|until| self.now < until)
    }

    pub(super) fn renew(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        let life = seat.life;
        if !(seat.cut || self.store.down) {
            let seen = self.store.lease;
            let mine = seen.holder == Some(life);
            let expired = seen == seat.watched.lease && self.now.since(seat.watched.since) >= EXPIRES;
            if mine || expired || seen.holder.is_none() {
                self.store.lease = Lease { holder: Some(life), renewals: seen.renewals + 1 };
                seat.watched = Watched { lease: self.store.lease, since: self.now, until: Some(self.now + FOR) };
                if !mine {
                    self.tally.elections += 1;
                    self.note(format!("agent {who} leads"));
                    self.only_one_leads(who);
                }
                self.tell_lead(who, true);
            } else if seen != seat.watched.lease {
                seat.watched = Watched { lease: seen, since: self.now, until: None };
                self.tell_lead(who, false);
            }
        }
        self.after(RENEW, What::Renew { life });
    }

    fn tell_lead(&mut self, who: usize, leads: bool) {
        let Some(agent) = &self.seats[who].agent else { return };
        let now = self.agent_now(who, agent.born).time;
        let long = Duration::from_secs(3600);
        let until = match self.scenario.sabotage {
            Some(Sabotage::FollowerMovesForward) => Some(now + long),
            Some(Sabotage::StaleLeaderActs) => leads.then_some(now + long),
            _ => leads.then_some(now + FOR),
        };
        self.deliver(who, Event::Lead { until });
    }

    fn only_one_leads(&mut self, who: usize) {
        let other = (0..self.seats.len()).find(|other| *other != who && self.leads_still(*other));
        if let Some(other) = other {
            self.violate(13, format!("agents {who} and {other} lead at the same time"));
        }
    }

    fn leads_still(&self, who: usize) -> bool {
        self.seats[who].agent.is_some() && self.may_lead(who)
    }
}
