//! The start of a machine: take the greatest state of store, file and running proxy, then give the orders of
//! its phase again.

use std::time::Duration;

use super::event::EdgeReport;
use super::{Action, Direction, Machine};
use crate::colour::{Colour, Share};
use crate::document::{Cause, Component, Document, Outcome, Phase, Slot};
use crate::policy::{Epoch, Policy, Verdict};
use crate::time::Time;

/// How long a machine waits for an edge that does not report before it goes on without it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    at: Time,
    done: bool,
}

impl Start {
    pub(crate) const fn waiting(at: Time) -> Self {
        Self { at, done: false }
    }

    pub(crate) const fn is_done(self) -> bool {
        self.done
    }

    pub(crate) const fn at(self) -> Time {
        self.at
    }

    pub(crate) fn deadline(self) -> Option<Time> {
        (!self.done).then(|| self.at + PATIENCE)
    }
}

/// Makes the document speak of exactly the configured components, in their order.
pub(crate) fn fit_to_settings(doc: &mut Document, names: &[String]) {
    let known = std::mem::take(&mut doc.components);
    let slot = || Slot { colour: Colour::Blue, version: None };
    let fresh = |name: &String| Component { name: name.clone(), stable: slot(), candidate: slot(), share: Share::NONE };
    doc.components = names
        .iter()
        .map(|name| known.iter().find(|c| c.name == *name).cloned().unwrap_or_else(|| fresh(name)))
        .collect();
}

impl Machine {
    /// Whether the machine may act; does what there is to do at the moment it may.
    pub(super) fn start(&mut self, now: Time) -> bool {
        if self.started.done {
            return true;
        }
        let heard = self.own_edges().all(|edge| self.facts.edges().nth(edge).is_some_and(|e| e.is_some()));
        if !heard && now.since(self.started.at) < PATIENCE {
            return false;
        }
        self.started.done = true;
        self.led = self.leads();
        if self.acts() {
            self.take_greatest();
            self.order_again();
            self.find_hand();
        }
        true
    }

    /// An edge may be ahead of the store: a rollback acts first, and a store can be restored from a backup. One that
    /// is heard late may be ahead of all that has happened since, so this is asked with every event.
    ///
    /// What other agents' edges do is told by the store, but for one thing that nobody has to be asked for: BAD.
    pub(super) fn take_greatest(&mut self) -> bool {
        let (release, is_bad, is_paused) = (self.doc.epoch.release, self.doc.is_bad(), self.doc.paused.is_some());
        // `edge force` writes both sides: of a release that is known, its move is a hand's like any other. One that broke off
        // between two Services has no running side, and is left alone in a pause only.
        let by_hand = |e: &EdgeReport, p: &Policy| {
            let is_verdict = p.epoch.verdict == Verdict::Bad && !is_bad;
            let is_its_own = e.running.as_ref().map_or(is_paused, |running| running == p);
            e.manual && !is_verdict && p.epoch.release <= release && is_its_own
        };
        let greatest = self
            .own_reports()
            .flat_map(|e| {
                let saved = e.saved.as_ref().filter(|p| !by_hand(e, p));
                [e.running.as_ref().filter(|_| !e.manual), saved]
            })
            .flatten()
            .filter(|p| p.routes.len() == self.doc.components.len())
            .max_by_key(|p| p.epoch)
            .cloned();
        let Some(seen) = greatest.filter(|p| p.epoch > self.doc.epoch) else {
            return self.hear_of_bad();
        };
        if seen.epoch.release > self.doc.epoch.release {
            self.adopt(&seen);
            self.persist();
        } else if seen.epoch.verdict == Verdict::Bad && !self.doc.is_bad() {
            self.outrank(seen.epoch);
            self.call_bad(Cause::Learned);
        } else {
            // An emergency of a life before that was never stored, for one; it does not go on until the store is back.
            self.outrank(seen.epoch);
            self.route_now();
        }
        true
    }

    /// Another agent's edge is back on the old colour already.
    fn hear_of_bad(&mut self) -> bool {
        let Epoch { release, verdict, .. } = self.doc.epoch;
        let bad = Epoch { release, verdict: Verdict::Bad, step: 0 };
        let says = |p: &Policy| (p.epoch.release, p.epoch.verdict) == (bad.release, bad.verdict);
        let anybody = || {
            self.facts.edges().flatten().any(|e| !e.manual && [&e.running, &e.saved].into_iter().flatten().any(says))
        };
        let heard = verdict == Verdict::Open && self.is_shared() && self.claim.is_none() && anybody();
        if heard {
            self.hear_bad();
        }
        heard
    }

    /// What the edges show that this agent routes.
    pub(super) fn own_reports(&self) -> impl Iterator<Item = &EdgeReport> {
        self.facts.edges().enumerate().filter(|(edge, _)| self.settings.owns(*edge)).filter_map(|(_, e)| e)
    }

    /// A map that was changed by hand while no agent ran shows as other routes under the document's own epoch.
    fn find_hand(&mut self) {
        let changed = |p: &&Policy| p.epoch == self.doc.epoch && p.routes != self.doc.policy().routes;
        let hand = self.own_reports().filter_map(|e| e.running.as_ref()).find(changed).cloned();
        if let Some(policy) = hand.filter(|p| p.routes.len() == self.doc.components.len()) {
            self.manual_move(&policy);
        }
    }

    /// A release this store knows nothing of: its routes are the truth, its versions are what the platform says.
    /// What the store says of them is older, and to start it again would replace what serves.
    fn adopt(&mut self, seen: &Policy) {
        for (id, (component, route)) in self.doc.components.iter_mut().zip(&seen.routes).enumerate() {
            let slot = |colour| Slot { colour, version: self.facts.of(id, colour).and_then(|c| c.version.clone()) };
            component.stable = slot(route.stable);
            component.candidate = slot(route.candidate);
            component.share = route.share;
        }
        self.doc.epoch = seen.epoch;
        self.doc.salt = seen.salt.clone();
        let shares: Vec<Share> = self.participants().map(|(_, c)| c.share).collect();
        let all = |share: Share| shares.iter().all(|s| *s == share);
        self.doc.share =
            shares.iter().min().copied().filter(|_| seen.epoch.verdict == Verdict::Open).unwrap_or_default();
        // A bad release serves in an emergency only.
        let serves = |c: &&Component| c.share > Share::NONE && seen.epoch.verdict == Verdict::Bad;
        self.doc.emergency = self.doc.components.iter().filter(serves).map(|c| c.name.clone()).collect();
        self.doc.cause = (seen.epoch.verdict == Verdict::Bad).then_some(Cause::Learned);
        let (phase, outcome) = match seen.epoch.verdict {
            Verdict::Bad => (Phase::RollingBack, Some(Outcome::RolledBack)),
            Verdict::Open if all(Share::NONE) => (Phase::Idle, None),
            // Whether its watch had ended is not known, and unknown never promotes.
            Verdict::Open if all(Share::ALL) => (Phase::Watching, None),
            Verdict::Open => (Phase::Held, None),
        };
        if phase == Phase::Idle {
            // Never switched to, and nobody goes on with it.
            for component in self.doc.components.iter_mut().filter(|c| c.takes_part()) {
                component.candidate.version = None;
            }
        }
        self.doc.kept = None;
        self.doc.outcome = outcome;
        self.enter(phase);
        if self.judges() {
            self.start_evidence();
        }
    }

    /// The orders of the phase, given once more. They are absolute, so this is harmless.
    pub(super) fn order_again(&mut self) {
        if self.doc.phase == Phase::Smoke && self.leads() {
            // Whether the candidates are ready is not known yet: that comes first, and then the suite from its start.
            self.enter(Phase::Deploying);
            self.persist();
        }
        self.scaled = None;
        let mut actions = if self.leads() { self.keep_running() } else { Vec::new() };
        match self.doc.phase {
            Phase::Idle => {
                if self.doc.is_bad() {
                    actions.extend(self.route_back_again());
                } else {
                    actions.extend(self.route(Direction::Forward));
                }
                actions.extend(self.stop_unused());
            }
            Phase::Switching | Phase::Watching | Phase::Held | Phase::Retaining => {
                actions.extend(self.route(Direction::Forward));
            }
            Phase::Deploying | Phase::Smoke => actions.extend(self.start_candidates()),
            Phase::RollingBack => {
                // `call_bad` has told the edges already when the verdict was learned just now.
                actions.extend(self.route_back_again());
            }
        }
        if !self.leads() {
            actions.retain(|action| matches!(action, Action::Route { .. }));
        }
        self.give_again(actions);
    }

    /// At once, unless the number may be another agent's.
    fn route_back_again(&mut self) -> Vec<Action> {
        let orders = self.route(Direction::Back);
        if self.claim.is_some() {
            return orders;
        }
        self.out.extend(orders);
        Vec::new()
    }

    /// Every slot that should have capacity is asked to run what it ran: the box may have been rebooted.
    fn keep_running(&self) -> Vec<Action> {
        let release = self.doc.epoch.release;
        let mut actions = Vec::new();
        for (component, c) in self.doc.components.iter().enumerate() {
            let candidate = c.takes_part() && !self.doc.is_bad() && self.doc.phase != Phase::Deploying;
            for (slot, wanted) in [(&c.stable, true), (&c.candidate, candidate)] {
                // How the old colour is kept is told as it was ordered.
                let is_kept = self.doc.kept.is_some() && c.takes_part() && slot.colour == c.stable.colour;
                if let (Some(version), true) = (&slot.version, wanted && !is_kept) {
                    let version = version.clone();
                    actions.push(Action::Start { component, colour: slot.colour, version, release });
                }
            }
        }
        actions
    }

    /// The colours that no release needs any more; the order to stop them may have been lost in a crash.
    fn stop_unused(&self) -> Vec<Action> {
        let unused =
            |c: &Component| if c.active().colour == c.stable.colour { &c.candidate } else { &c.stable }.clone();
        let parts = self.participants().map(|(component, c)| (component, unused(c)));
        let ended = parts.filter(|(_, slot)| slot.version.is_none());
        let release = self.doc.epoch.release;
        let stops = ended.map(|(component, slot)| Action::Stop { component, colour: slot.colour, release });
        stops.chain(self.stop_others()).collect()
    }

    /// The other colour of what takes no part. The release began with this order; among agents it may have waited, and died with
    /// the one that gave it.
    pub(super) fn stop_others(&self) -> impl Iterator<Item = Action> {
        let release = self.doc.epoch.release;
        let others = self.doc.components.iter().enumerate().filter(|(_, c)| self.is_shared() && !c.takes_part());
        others.map(move |(component, c)| Action::Stop { component, colour: c.stable.colour.other(), release })
    }
}
