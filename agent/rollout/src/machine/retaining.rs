//! The retention: the old colour is kept stage by stage, and scaled up again before traffic goes back to it.
//!
//! ```text
//!   full --stage is over--> reduced --last stage is over--> stopped
//!                             |
//!                   rollback: '-> full is ordered --all of it ready--> BAD: the edges are moved back
//!                                    '-- it does not come: told; the new colour goes on serving
//! ```
//! What was ordered stands in the document ([`Kept`]) with a number, so that an order repeated after a restart, or by the
//! next leader, is the same order, and one of an agent that was asleep is old. Where the new colour has nothing ready at
//! all, what is ready of the old one serves at once, and the rest follows.

use std::time::Duration;

use super::{Action, Machine, News};
use crate::colour::Colour;
use crate::document::{Cause, Component, Phase};
use crate::retention::{Full, Kept, Replicas, key};
use crate::time::Time;

impl Machine {
    pub(super) fn retaining(&mut self) {
        if !self.acts() {
            // Somebody else's, and theirs to end.
            if self.elapsed >= self.settings.retained_for() {
                self.enter(Phase::Idle);
                self.persist();
            }
        } else if self.doc.is_coming_back() {
            self.coming_back();
        } else if self.doc.paused.is_none() && self.is_not_needed() {
            if self.elapsed >= self.settings.retained_for() { self.end_retention() } else { self.next_stage() }
        }
    }

    /// Whether less of the old colour would be missed by nobody just now.
    fn is_not_needed(&self) -> bool {
        // The way back is not given up while it may be needed the next moment.
        let serving = self.participants().all(|(id, c)| self.facts.is_ready(id, c.candidate.colour));
        // An edge of another agent that nobody hears of may have gone back already, and stands on the old colour.
        let heard = !self.is_shared() || self.facts.silent(self.last.time, |edge| self.settings.owns(edge)).is_none();
        // Nor is what an edge still gives requests: after a restored backup not every edge may have been told of the switch.
        let left = self.participants().all(|(id, c)| !self.facts.serves(id, c.stable.colour));
        serving && heard && left
    }

    fn end_retention(&mut self) {
        let release = self.doc.epoch.release;
        let stop = |(component, c): (usize, &Component)| Action::Stop { component, colour: c.stable.colour, release };
        let stops = self.participants().map(stop).chain(self.stop_others()).collect();
        for component in &mut self.doc.components {
            if component.takes_part() {
                component.stable.version = None;
            }
        }
        self.doc.kept = None;
        self.enter(Phase::Idle);
        self.persist_then(stops);
    }

    /// The stage that has come: its number, and what is kept in it.
    fn stage(&self) -> Option<(u32, Replicas)> {
        let mut end = Duration::ZERO;
        let mut stages = (0..).zip(&self.settings.retain);
        let (number, stage) = stages.find(|(_, stage)| {
            end = end.saturating_add(stage.length);
            self.elapsed < end
        })?;
        Some((number, stage.replicas))
    }

    /// When the stage ends, in counted time of the phase.
    pub(super) fn stage_end(&self) -> Option<Duration> {
        let ends = self.settings.retain.iter().scan(Duration::ZERO, |end, stage| {
            *end = end.saturating_add(stage.length);
            Some(*end)
        });
        ends.filter(|_| self.doc.phase == Phase::Retaining).find(|end| *end > self.elapsed)
    }

    fn next_stage(&mut self) {
        let Some((stage, replicas)) = self.stage() else { return };
        let kept = match &self.doc.kept {
            Some(kept) if stage <= kept.stage || kept.replicas == replicas => return,
            Some(kept) => Kept { stage, order: self.next_order(), replicas, ..kept.clone() },
            None => {
                let Some(kept) = self.first_kept(stage, replicas) else { return };
                if kept.full.values().all(|full| replicas.of(full.instances) == full.instances) {
                    return;
                }
                kept
            }
        };
        self.doc.kept = Some(kept);
        self.announce(News::Kept(replicas));
        self.persist_keeping();
    }

    /// The first order; `None` before the platform has said what is full.
    fn first_kept(&self, stage: u32, replicas: Replicas) -> Option<Kept> {
        let full = |(id, c): (usize, &Component)| {
            let capacity = self.facts.of(id, c.stable.colour)?;
            // One short of its number may count what is on its way out as well: not what it had when it served.
            let is_whole = capacity.wanted > 0 && capacity.ready >= capacity.wanted;
            let is_it = capacity.version == c.stable.version && is_whole;
            let servers = self.facts.servers_up(id, c.stable.colour);
            is_it.then(|| (c.name.clone(), Full { instances: capacity.wanted, servers }))
        };
        let full = self.participants().map(full).collect::<Option<_>>()?;
        Some(Kept { stage, order: self.next_order(), replicas, full, back: None })
    }

    /// Orders what the document says of the old colour, once in a life and a lead: repeated it is the same order.
    pub(super) fn scale(&mut self) {
        if self.leads() && self.is_durable() && self.knows_less() && (self.doc.is_bad() || self.doc.is_coming_back()) {
            self.order_full();
            if !self.knows_less() {
                return self.persist_keeping();
            }
        }
        let release = self.doc.epoch.release;
        let Some(kept) = self.doc.kept.clone().filter(|_| self.leads() && self.acts()) else { return };
        if self.scaled == Some((release, kept.order)) {
            return;
        }
        let may = if kept.replicas == Replicas::Full {
            // More of what serves is no step forward, and is not waited for.
            self.is_durable() || self.doc.is_bad()
        } else {
            let heard = !self.is_shared() || self.facts.heard_since(self.stored_at, |edge| self.settings.owns(edge));
            let is_kept = self.doc.phase == Phase::Retaining && self.doc.paused.is_none();
            self.is_durable() && is_kept && heard && self.is_not_needed()
        };
        if !may {
            return;
        }
        self.scaled = Some((release, kept.order));
        let scale = |(component, c): (usize, &Component)| {
            let (colour, version) = (c.stable.colour, c.stable.version.clone()?);
            let full = kept.full.get(&c.name).map_or(0, |full| full.instances);
            let (replicas, order) = (kept.replicas, kept.order);
            Some(Action::Scale { component, colour, version, replicas, full, release, order })
        };
        let orders: Vec<Action> = self.participants().filter_map(scale).collect();
        self.out.extend(orders);
    }

    /// Whether a component's old colour has, or may have, less than what is full. It may also be another agent that had it
    /// reduced, of which this one has not heard yet.
    pub(super) fn is_thin(&self, id: usize) -> bool {
        let c = &self.doc.components[id];
        let capacity = self.facts.of(id, c.stable.colour).filter(|said| said.release == self.doc.epoch.release);
        let Some(kept) = &self.doc.kept else { return capacity.is_some_and(|said| said.scaled > 0) };
        let Full { instances, servers } = kept.full.get(&c.name).copied().unwrap_or(Full { instances: 1, servers: 0 });
        // An edge gives all of them to the ones that it sees.
        let is_seen = self.facts.servers_up(id, c.stable.colour) >= servers;
        let is_full = is_seen
            && capacity.is_some_and(|said| {
                said.scaled >= kept.order
                    && said.version == c.stable.version
                    && said.wanted >= instances
                    && said.ready >= said.wanted
            });
        c.takes_part() && (kept.replicas.of(instances) < instances || !is_full)
    }

    /// Whether going back means to scale up first.
    pub(super) fn must_scale_up(&self) -> bool {
        self.doc.phase == Phase::Retaining && !self.doc.is_bad() && self.participants().any(|(id, _)| self.is_thin(id))
    }

    /// Has the old colour scaled up, and traffic taken back to it once it is full.
    pub(super) fn come_back(&mut self, cause: Cause) {
        if self.doc.is_coming_back() {
            return;
        }
        self.order_full();
        if let Some(kept) = &mut self.doc.kept {
            kept.back = Some(cause.clone());
        }
        self.coming_for = Duration::ZERO;
        // Once more where it was ordered before: it did not come then.
        self.scaled = None;
        self.announce(News::ScalingUp(cause));
        self.persist_keeping();
    }

    /// The same where nobody ordered it; once, because what did not come then will not by being ordered again.
    pub(super) fn come_back_by_itself(&mut self, cause: Cause) {
        if self.is_full_ordered() {
            if !self.doc.is_coming_back() {
                self.no_way_back(cause);
            }
        } else if self.leads() {
            self.come_back(cause);
        }
    }

    /// Nothing is ready anywhere: whatever of the old colour comes is welcome.
    pub(super) fn order_full_at_last(&mut self) {
        if self.leads() && self.doc.phase == Phase::Retaining && self.doc.kept.is_some() && !self.is_full_ordered() {
            self.order_full();
            self.persist_keeping();
        }
    }

    fn is_full_ordered(&self) -> bool {
        self.doc.kept.as_ref().is_some_and(|kept| kept.replicas == Replicas::Full)
    }

    /// The old colour is to be full again.
    pub(super) fn order_full(&mut self) {
        let stage = self.stage().map_or(u32::MAX, |(stage, _)| stage);
        let order = if self.is_full_ordered() && !self.knows_less() { None } else { Some(self.next_order()) };
        let kept = self.doc.kept.take().or_else(|| self.first_kept(stage, Replicas::Full));
        let Some(kept) = kept else { return };
        let order = order.unwrap_or(kept.order);
        let stage = stage.max(kept.stage);
        self.doc.kept = Some(Kept { stage, order, replicas: Replicas::Full, ..kept });
    }

    /// The last order to scale that the platform says it carried out in this release.
    fn carried_out(&self) -> u32 {
        let release = self.doc.epoch.release;
        let said = self.participants().filter_map(|(id, c)| self.facts.of(id, c.stable.colour));
        said.filter(|said| said.release == release).map(|said| said.scaled).max().unwrap_or(0)
    }

    fn last_order(&self) -> u32 {
        self.doc.kept.as_ref().map_or(0, |kept| kept.order)
    }

    fn next_order(&self) -> u32 {
        self.last_order().max(self.carried_out()).saturating_add(1)
    }

    /// An order was carried out that the document does not know of: of another agent at the same moment, or from before
    /// the store was set back.
    fn knows_less(&self) -> bool {
        self.carried_out() > self.last_order()
    }

    fn coming_back(&mut self) {
        let Some(cause) = self.doc.coming_back().cloned() else { return };
        if self.is_durable() && !self.must_scale_up() {
            let took: Vec<_> = self.participants().map(|(_, c)| key(&c.name, c.stable.colour)).collect();
            self.note_ready(took, self.coming_for);
            return self.call_bad(cause);
        }
        let reason = self.cannot_start(|c| &c.stable).or_else(|| {
            let after = self.settings.deploy_timeout;
            (self.coming_for >= after).then(|| {
                let why = self.reason_not_ready(|c| &c.stable).map(|why| format!(": {why}")).unwrap_or_default();
                format!("not at full capacity after {} s{why}", after.as_secs())
            })
        });
        if let Some(reason) = reason {
            if let Some(kept) = &mut self.doc.kept {
                kept.back = None;
            }
            self.announce(News::NotScaledUp(reason));
            self.persist_keeping();
        }
    }

    /// What became of scaling up or starting: how long it took.
    pub(super) fn note_ready(&mut self, colours: Vec<String>, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.doc.ready_in.extend(colours.into_iter().map(|colour| (colour, millis)));
    }

    /// When scaling up has taken too long.
    pub(super) fn coming_deadline(&self) -> Option<Time> {
        let left = self.settings.deploy_timeout.checked_sub(self.coming_for).filter(|left| !left.is_zero())?;
        self.doc.is_coming_back().then(|| self.last.time + left)
    }

    /// An order to go back that was taken, and not yet stored, is not lost to another's write.
    pub(super) fn come_back_again(&mut self) {
        let Some((release, cause)) = self.asked_back.clone() else { return };
        let is_done = self.doc.is_bad() || self.doc.is_coming_back();
        if is_done || self.doc.epoch.release != release || self.doc.phase != Phase::Retaining {
            self.asked_back = None;
        } else if self.is_durable() && self.must_scale_up() {
            self.come_back(cause);
        }
    }

    /// Where an emergency is left for: not for less than what is full, for as long as that may come.
    pub(super) fn is_still_thin(&self, id: usize, colour: Colour) -> bool {
        let c = &self.doc.components[id];
        colour == c.stable.colour && self.is_thin(id) && self.elapsed < self.settings.deploy_timeout
    }
}
