//! Hard facts: capacity that is gone, and serving from the wrong colour because the right one has nothing ready.

use std::time::Duration;

use super::facts::RECOVERED_AFTER;
use super::{Machine, News};
use crate::colour::Share;
use crate::document::{Cause, Component, Phase};
use crate::time::Time;

/// After a start, how long "nothing ready" may mean that the platform has not finished looking.
const SETTLING: Duration = Duration::from_secs(3);

impl Machine {
    /// Invariant 1: never route to a colour with no ready capacity while the other has some.
    pub(super) fn mind_capacity(&mut self, now: Time) {
        if let Some((id, cause)) = self.hard_fact(now) {
            let is_gone = matches!(cause, Cause::Gone { .. });
            if !is_gone && self.must_scale_up() {
                // What is left of the new colour serves better than the few of the old one would.
                self.come_back_by_itself(cause);
            } else if self.facts.is_ready(id, self.doc.components[id].stable.colour) {
                self.call_bad(cause);
            } else {
                self.order_full_at_last();
                self.no_way_back(cause);
            }
        }
        self.leave_emergencies(now);
        self.enter_emergencies(now);
    }

    /// A component whose candidate serves and is beyond statistics; one that can go back before one that cannot.
    fn hard_fact(&self, now: Time) -> Option<(usize, Cause)> {
        let serves = matches!(self.doc.phase, Phase::Switching | Phase::Watching | Phase::Held | Phase::Retaining);
        if !serves || self.doc.is_bad() {
            return None;
        }
        let facts = self.participants().filter_map(|(id, c)| {
            let component = || c.name.clone();
            let capacity = self.facts.of(id, c.candidate.colour)?;
            if self.is_gone(id, c.candidate.colour, now) {
                Some((id, Cause::Gone { component: component() }))
            } else if capacity.crash_looping * 2 > capacity.wanted {
                Some((id, Cause::CrashLoop { component: component() }))
            } else {
                None
            }
        });
        let rank = |(id, cause): &(usize, Cause)| {
            let back = self.facts.is_ready(*id, self.doc.components[*id].stable.colour);
            (!back, !matches!(cause, Cause::Gone { .. }))
        };
        facts.min_by_key(rank)
    }

    /// Whether it is known what could serve. What the platform has not spoken of yet is not gone, and not ready either.
    pub(super) fn is_oriented(&self) -> bool {
        let known =
            |(id, c): (usize, &Component)| c.stable.version.is_none() || self.facts.of(id, c.stable.colour).is_some();
        let is_settled = self.last.time.since(self.started.at()) > SETTLING;
        self.started.is_done() && (is_settled || self.participants().all(known))
    }

    fn is_gone(&self, id: usize, colour: crate::colour::Colour, now: Time) -> bool {
        self.facts.is_gone(id, colour) && (self.facts.was_ready(id, colour) || now.since(self.started.at()) > SETTLING)
    }

    fn enter_emergencies(&mut self, now: Time) {
        let stranded: Vec<usize> = self
            .participants()
            .filter(|(id, c)| {
                // A first release has no colour that died, and a stopped candidate is no refuge.
                let both_exist = c.stable.version.is_some() && c.candidate.version.is_some();
                // In a switch the edges may still be waiting for a store or a disk.
                let stuck = self.doc.phase == Phase::Switching && !self.doc.emergency.contains(&c.name);
                both_exist
                    && (c.share < Share::ALL || stuck)
                    && self.is_gone(*id, c.stable.colour, now)
                    && self.facts.is_ready(*id, c.candidate.colour)
            })
            .map(|(id, _)| id)
            .collect();
        if !stranded.is_empty() {
            self.strand(&stranded);
            self.route_now();
        }
    }

    /// At the moment of a rollback: what has nothing ready on its old colour stays where it is served.
    pub(super) fn spare_the_dead(&mut self) {
        let dead: Vec<usize> = self
            .participants()
            .filter(|(id, c)| {
                let never_was = c.stable.version.is_none() && !self.facts.is_ready(*id, c.stable.colour);
                // Nor does all of its traffic go to a few instances, unless somebody has sent it there already.
                let too_few = self.is_thin(*id) && !self.facts.serves(*id, c.stable.colour);
                (never_was || too_few || self.facts.is_gone(*id, c.stable.colour))
                    && self.facts.is_ready(*id, c.candidate.colour)
            })
            .map(|(id, _)| id)
            .collect();
        if self.doc.outcome == Some(crate::document::Outcome::RolledBack) && !dead.is_empty() {
            self.strand(&dead);
        }
    }

    fn strand(&mut self, ids: &[usize]) {
        self.raise_step();
        for id in ids {
            let component = &mut self.doc.components[*id];
            component.share = Share::ALL;
            let name = component.name.clone();
            if !self.doc.emergency_spent {
                self.announce(News::Emergency { component: name.clone() });
            }
            self.doc.emergency.push(name);
        }
        self.doc.emergency_spent = true;
    }

    fn leave_emergencies(&mut self, now: Time) {
        // Not for five seconds yet, but the refuge is gone too: at once.
        let recovered = |id: usize, c: &Component| {
            self.facts.ready_since(id, c.stable.colour).is_some_and(|since| {
                let well = now.since(since) >= RECOVERED_AFTER && !self.is_still_thin(id, c.stable.colour);
                well || self.facts.is_gone(id, c.candidate.colour)
            })
        };
        let left: Vec<usize> = self
            .participants()
            .filter(|(id, c)| self.doc.emergency.contains(&c.name) && recovered(*id, c))
            .map(|(id, _)| id)
            .collect();
        if left.is_empty() {
            return;
        }
        self.raise_step();
        for id in left {
            let component = &mut self.doc.components[id];
            component.share = self.doc.share;
            let name = component.name.clone();
            self.doc.emergency.retain(|n| *n != name);
            self.announce(News::EmergencyOver { component: name });
        }
        self.route_now();
    }

    /// Bad, and nowhere to go: told once, looked at again with every event.
    pub(super) fn no_way_back(&mut self, cause: Cause) {
        if !self.no_way_back_told && self.leads() {
            self.no_way_back_told = true;
            self.announce(News::NoWayBack(cause));
        }
    }
}
