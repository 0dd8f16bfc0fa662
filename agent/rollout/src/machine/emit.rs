//! How a change leaves the machine: what is told, what is made durable, and in which order the world is moved.

use std::time::Duration;

use super::{Action, Direction, Machine, News, Notice};
use crate::colour::Share;
use crate::document::{Cause, Component, Outcome, Phase};
use crate::policy::Verdict;

impl Machine {
    pub(super) fn enter(&mut self, phase: Phase) {
        self.doc.phase = phase;
        if !self.judges() {
            self.confirm.reset();
        }
        self.elapsed = Duration::ZERO;
        self.extended = false;
        self.smoke_passed = false;
        self.announce(News::Entered(phase));
    }

    pub(super) fn announce(&mut self, news: News) {
        let release = self.doc.epoch.release;
        if self.tells(&news) {
            self.out.push(Action::Announce(Notice { release, news }));
        }
    }

    pub(super) fn persist(&mut self) {
        self.doc.revision += 1;
        self.out.push(Action::Persist(Box::new(self.doc.clone())));
    }

    /// Forward: the document first, `actions` once it is durable.
    pub(super) fn persist_then(&mut self, actions: Vec<Action>) {
        self.held_back = actions;
        self.persist();
    }

    /// Back: the edges now, the document after.
    pub(super) fn route_back(&mut self) {
        self.held_back.clear();
        let orders = self.route(Direction::Back);
        if self.claim.is_some() {
            // No traffic has moved, and the number may be another agent's: the edges are told once the store has it.
            return self.persist_then(orders);
        }
        self.out.extend(orders);
        self.persist();
    }

    /// Sends the edges what is true already, whatever the store does: a hand is undone, a dead colour left. What is
    /// forward in the document and not yet durable is left out of it, and follows as its own step once it is.
    pub(super) fn route_now(&mut self) {
        let mut policy = self.doc.policy();
        let mut ahead = self.claim.is_some();
        let durable = self.is_durable();
        let stored_shares = self.stored_shares.iter_mut();
        for ((route, component), stored) in policy.routes.iter_mut().zip(&self.doc.components).zip(stored_shares) {
            // A share that was taken back is taken back, whatever the store had before.
            *stored = (*stored).min(route.share);
            if !durable && route.share > *stored && !self.doc.emergency.contains(&component.name) {
                route.share = *stored;
                ahead = true;
            }
        }
        if ahead && self.is_shared() {
            // The number of the step that waits stands for what the store will have, not for this.
            self.raise_step();
        }
        policy.epoch = self.urgent_epoch();
        let order = |edge| Action::Route { edge, policy: policy.clone(), direction: Direction::Back };
        let orders: Vec<Action> = self.own_edges().map(order).collect();
        self.out.extend(orders);
        let mut held_back = std::mem::take(&mut self.held_back);
        held_back.retain(|action| match action {
            Action::Route { .. } => false,
            // What serves in an emergency is not replaced.
            Action::Start { component, .. } => !self.doc.emergency.contains(&self.doc.components[*component].name),
            _ => true,
        });
        if ahead {
            self.raise_step();
            held_back.extend(self.route(Direction::Forward));
        }
        self.persist_then(held_back);
    }

    pub(super) fn route(&self, direction: Direction) -> Vec<Action> {
        let policy = self.doc.policy();
        let order = |edge| Action::Route { edge, policy: policy.clone(), direction };
        self.own_edges().map(order).collect()
    }

    /// What is to be done; nothing that changes anything where Teal only looks on.
    pub(super) fn take_out(&mut self) -> Vec<Action> {
        let mut out = std::mem::take(&mut self.out);
        if !self.acts() {
            out.retain(|action| !action.is_order());
        }
        out
    }

    /// Whether the store has the document as it is.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.stored >= self.doc.revision
    }

    /// The greatest revision that the store is known to have.
    #[must_use]
    pub const fn stored(&self) -> u64 {
        self.stored
    }

    pub(super) fn on_stored(&mut self, revision: u64) {
        if !self.is_durable() {
            self.stored_at = self.last.time;
        }
        self.stored = self.stored.max(revision);
        self.claim = self.claim.filter(|claim| claim.revision > self.stored);
        self.store_failing = !self.is_durable() && self.store_failing;
        if self.is_durable() {
            self.pausing = None;
            self.asked_back = None;
            self.stored_shares = self.doc.components.iter().map(|c| c.share).collect();
            self.let_go();
        }
    }

    /// Gives the orders that waited for the store. Among agents a colour is neither stopped nor replaced while an edge is
    /// known to serve from it and the document does not say so: its agent may have gone back there, or taken refuge,
    /// before it heard of the document. What edges said before the store had the document does not count: where there was no
    /// store nobody was heard.
    pub(super) fn let_go(&mut self) {
        let heard = self.facts.heard_since(self.stored_at, |edge| self.settings.owns(edge));
        let may_serve = |component, colour| !heard || self.facts.serves(component, colour);
        let serves = |action: &Action| match action {
            Action::Stop { component, colour, .. } => may_serve(*component, *colour),
            Action::Start { component, colour, .. } => {
                let c = &self.doc.components[*component];
                let is_new = c.takes_part() && c.candidate.colour == *colour && c.share == Share::NONE;
                is_new && !self.doc.is_bad() && may_serve(*component, *colour)
            }
            _ => false,
        };
        let serves = |action: &Action| self.is_shared() && serves(action);
        let (wait, go): (Vec<_>, Vec<_>) = self.held_back.iter().cloned().partition(serves);
        self.held_back = wait;
        self.out.extend(go);
    }

    /// Calls the release bad if any of it can go back; tells that it is bad and cannot, if not.
    pub(super) fn take_back(&mut self, cause: Cause) {
        if self.has_way_back() { self.call_bad(cause) } else { self.no_way_back(cause) }
    }

    /// Whether going back takes anybody to a colour that has something ready, or nobody has to go.
    pub(super) fn has_way_back(&self) -> bool {
        let ready = |(id, c): (usize, &Component)| self.facts.is_ready(id, c.stable.colour);
        !self.acts() || !self.doc.has_moved() || self.participants().any(ready)
    }

    /// Latches the release as BAD and starts the way back. The one place where a verdict falls.
    pub(super) fn call_bad(&mut self, cause: Cause) {
        self.latch(cause, true);
    }

    /// The same for what another agent called bad, and has told of.
    pub(super) fn hear_bad(&mut self) {
        self.latch(Cause::Learned, false);
    }

    fn latch(&mut self, cause: Cause, tell: bool) {
        if self.doc.is_bad() {
            return;
        }
        if !self.acts() {
            self.doc.cause = Some(cause.clone());
            self.announce(News::WouldRollBack(cause));
            self.enter(Phase::Idle);
            self.persist();
            return;
        }
        self.doc.outcome = Some(if self.doc.has_moved() { Outcome::RolledBack } else { Outcome::Aborted });
        self.doc.epoch.verdict = Verdict::Bad;
        self.doc.cause = Some(cause.clone());
        self.doc.emergency.clear();
        self.doc.share = Share::NONE;
        for component in &mut self.doc.components {
            component.share = Share::NONE;
        }
        self.spare_the_dead();
        self.asked_back = None;
        if self.doc.kept.is_some() {
            self.order_full();
        }
        if let Some(kept) = &mut self.doc.kept {
            kept.back = None;
        }
        if tell {
            self.announce(News::Bad(cause));
        }
        self.enter(Phase::RollingBack);
        self.route_back();
    }
}
