//! Learning from the edges: another actor's verdict, a human's hand, and in `observe` somebody else's release.

use super::event::EdgeReport;
use super::{Machine, News};
use crate::colour::Share;
use crate::document::{Cause, Component, Phase, Slot};
use crate::policy::{Epoch, Policy, Route, Verdict};

impl Machine {
    pub(super) fn learn(&mut self) {
        if !self.acts() {
            return self.watch_others();
        }
        if self.take_greatest() {
            self.order_again();
        }
        let moved =
            |e: &EdgeReport| e.running.clone().filter(|p| e.manual && p.routes.len() == self.doc.components.len());
        let by_hand: Vec<Policy> = self.facts.edges().flatten().filter_map(moved).collect();
        for policy in by_hand {
            self.manual_move(&policy);
        }
    }

    /// A human changed the running map. To the last good colour: right, and final. Elsewhere: put back.
    ///
    /// A forced edge says BAD in its epoch, which nobody goes back on. A change that changes no traffic is not
    /// news, but the edges have to agree on its epoch.
    pub(super) fn manual_move(&mut self, policy: &Policy) {
        let forced = policy.epoch.verdict == Verdict::Bad && policy.epoch.release >= self.doc.epoch.release;
        let back_to_good = self.doc.has_moved()
            && self.participants().all(|(id, c)| {
                let can_serve = c.stable.version.is_some() && !self.facts.is_gone(id, c.stable.colour);
                can_serve && !policy.routes[id].serves(c.candidate.colour)
            });
        if forced && !self.doc.is_bad() {
            self.outrank(policy.epoch);
            self.call_bad(Cause::Learned);
        } else if policy.routes == self.doc.policy().routes {
            self.outrank(policy.epoch);
            self.route_now();
        } else if back_to_good && !self.doc.is_bad() {
            self.outrank(policy.epoch);
            self.announce(News::ManualAdopted);
            self.call_bad(Cause::Manual);
        } else if self.doc.paused.is_none() {
            self.announce(News::ManualPutBack);
            self.outrank(policy.epoch);
            self.route_now();
        } else {
            return;
        }
        self.facts.manual_handled();
    }

    /// Puts the document's epoch above `seen`, so that no actor has to go down.
    pub(super) fn outrank(&mut self, seen: Epoch) {
        let epoch = &mut self.doc.epoch;
        if (seen.release, seen.step) >= (epoch.release, epoch.step) {
            epoch.release = seen.release;
            epoch.step = seen.step.saturating_add(1);
        }
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
