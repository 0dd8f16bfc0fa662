//! Learning from the edges: another actor's verdict, a human's hand, and in `observe` somebody else's release.

use super::{Direction, Machine, News};
use crate::colour::Share;
use crate::document::{Cause, Component, Phase, Slot};
use crate::policy::{Epoch, Policy, Route, Verdict};

impl Machine {
    pub(super) fn learn(&mut self) {
        if !self.acts() {
            return self.watch_others();
        }
        let seen: Vec<(Policy, bool)> = self
            .facts
            .edges()
            .flatten()
            .flat_map(|e| [e.running.clone().map(|p| (p, e.manual)), e.saved.clone().map(|p| (p, false))])
            .flatten()
            .collect();
        for (policy, manual) in seen {
            let same_release = policy.epoch.release == self.doc.epoch.release;
            if same_release && policy.epoch.verdict == Verdict::Bad && !self.doc.is_bad() {
                self.outrank(policy.epoch);
                self.call_bad(Cause::Learned);
            } else if manual && policy.routes.len() == self.doc.components.len() {
                self.manual_move(&policy);
            }
        }
    }

    /// A human changed the running map. To the last good colour: right, and final. Elsewhere: put back.
    fn manual_move(&mut self, policy: &Policy) {
        let back_to_good = self.doc.has_moved()
            && !self.doc.is_bad()
            && self.participants().all(|(id, c)| !policy.routes[id].serves(c.candidate.colour));
        if back_to_good {
            self.outrank(policy.epoch);
            self.announce(News::ManualAdopted);
            self.call_bad(Cause::Manual);
        } else if self.doc.paused.is_none() {
            self.announce(News::ManualPutBack);
            self.outrank(policy.epoch);
            self.route_again();
        } else {
            return;
        }
        self.facts.manual_handled();
    }

    /// Makes the document's epoch at least one step above `seen`, so that no actor has to go down.
    pub(super) fn outrank(&mut self, seen: Epoch) {
        if seen.release == self.doc.epoch.release && seen.step >= self.doc.epoch.step {
            self.doc.epoch.step = seen.step.saturating_add(1);
        }
    }

    fn route_again(&mut self) {
        let held_back = std::mem::take(&mut self.held_back);
        let orders = self.route(Direction::Back);
        self.out.extend(orders);
        self.persist_then(held_back);
    }

    /// `observe` and `advise`: a change of where traffic goes is somebody else's release, and is watched.
    fn watch_others(&mut self) {
        let Some(policy) = self.facts.edges().flatten().find_map(|e| e.running.clone()) else {
            return;
        };
        if policy.routes.len() != self.doc.components.len() {
            return;
        }
        let first_sight = self.doc.epoch == Epoch::default();
        let moved = self.doc.components.iter().zip(&policy.routes).any(|(c, route)| c.route() != *route);
        if !moved && !first_sight {
            return;
        }
        let goes_to_new = |(c, route): (&Component, &Route)| route.serves(c.active().colour.other());
        let is_release = !first_sight && self.doc.components.iter().zip(&policy.routes).any(goes_to_new);
        self.doc.epoch =
            Epoch { release: self.doc.epoch.release.max(policy.epoch.release) + 1, verdict: Verdict::Open, step: 0 };
        for (component, route) in self.doc.components.iter_mut().zip(&policy.routes) {
            observed(component, *route);
        }
        self.doc.share = self.doc.components.iter().map(|c| c.share).max().unwrap_or(Share::NONE);
        self.doc.outcome = None;
        self.doc.cause = None;
        self.doc.by = "somebody else".into();
        self.no_way_back_told = false;
        if is_release {
            self.exposure = std::time::Duration::ZERO;
            self.start_evidence();
            self.announce(News::Observed);
            self.enter(Phase::Watching);
        } else if self.doc.phase != Phase::Idle {
            self.enter(Phase::Idle);
        }
        self.persist();
    }
}

/// Takes over a route as it is; what was active becomes the stable side when traffic moved away from it.
fn observed(component: &mut Component, route: Route) {
    let before = component.active().clone();
    let slot = |colour| if colour == before.colour { before.clone() } else { Slot { colour, version: None } };
    let target = if route.share >= Share::percent(50) { route.candidate } else { route.stable };
    let moved = target != before.colour;
    let (stable, candidate, share) = match (moved, route.share == Share::NONE || route.share == Share::ALL) {
        (true, true) => (before.colour, target, Share::ALL),
        (false, true) => (target, target, Share::NONE),
        (_, false) => (route.stable, route.candidate, route.share),
    };
    *component = Component { stable: slot(stable), candidate: slot(candidate), share, name: component.name.clone() };
}
