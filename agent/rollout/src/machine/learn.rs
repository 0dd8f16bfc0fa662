//! Learning from the edges: another actor's verdict, a human's hand, and in `observe` somebody else's release.

use super::event::EdgeReport;
use super::{Machine, News};
use crate::colour::{Colour, Share};
use crate::document::{Cause, Component, Phase, Slot};
use crate::policy::{Epoch, Policy, Route, Verdict};

impl Machine {
    pub(super) fn learn(&mut self) {
        if !self.acts() {
            if self.leads() {
                self.watch_others();
            }
            return;
        }
        if self.take_greatest() {
            self.order_again();
        }
        // A number that the store may not have outranks no hand; once it is stored, its own order does.
        if self.claim.is_some() {
            return;
        }
        let moved =
            |e: &EdgeReport| e.running.clone().filter(|p| e.manual && p.routes.len() == self.doc.components.len());
        let by_hand: Vec<Policy> = self.own_reports().filter_map(moved).collect();
        for policy in by_hand {
            self.manual_move(&policy);
        }
    }

    /// A version that Teal did not order is what the platform says: of the colour that serves while there is no release, and of
    /// both colours where the releases are somebody else's.
    pub(super) fn learn_versions(&mut self) {
        if !self.leads() || self.acts() && self.doc.phase != Phase::Idle {
            return;
        }
        let (acts, facts) = (self.acts(), &self.facts);
        let mut is_news = false;
        for (id, component) in self.doc.components.iter_mut().enumerate() {
            let active = component.active().colour;
            for slot in [&mut component.stable, &mut component.candidate] {
                let said =
                    facts.of(id, slot.colour).filter(|said| said.ready > 0).and_then(|said| said.version.clone());
                let learns = if acts { slot.colour == active && slot.version.is_none() } else { slot.version != said };
                if learns && said.is_some() {
                    slot.version = said;
                    is_news = true;
                }
            }
        }
        if is_news {
            self.persist();
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
        let epoch = self.doc.epoch;
        if (seen.release, seen.step) >= (epoch.release, epoch.step) {
            self.doc.epoch.release = seen.release;
            self.doc.epoch.step = self.step_after(seen.step);
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
        let moved =
            self.doc.components.iter().zip(&policy.routes).any(|(c, route)| traffic(c.route()) != traffic(*route));
        if !moved && !first_sight {
            return;
        }
        if moved && self.goes_on(&policy) {
            return self.follow_step(&policy);
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

    /// Whether somebody gave the release that is watched a larger share.
    fn goes_on(&self, policy: &Policy) -> bool {
        let further = |(c, route): (&Component, &Route)| {
            let share = share_of(*route, c.candidate.colour);
            if c.takes_part() { share >= c.share } else { share == Share::ALL }
        };
        self.doc.phase == Phase::Watching && self.doc.components.iter().zip(&policy.routes).all(further)
    }

    /// The next step of somebody else's release: what is known of it stays, and its watch begins anew.
    fn follow_step(&mut self, policy: &Policy) {
        for (component, route) in self.doc.components.iter_mut().zip(&policy.routes).filter(|(c, _)| c.takes_part()) {
            component.share = share_of(*route, component.candidate.colour);
        }
        self.doc.share = self.doc.components.iter().map(|c| c.share).max().unwrap_or(Share::NONE);
        self.raise_step();
        self.evidence.new_step(self.doc.components.iter().map(|c| c.share));
        self.announce(News::Switched(self.doc.share));
        self.enter(Phase::Watching);
        self.persist();
    }
}

/// The part of the traffic that a route gives to a colour.
fn share_of(route: Route, colour: Colour) -> Share {
    match (route.stable == colour, route.candidate == colour) {
        (true, true) => Share::ALL,
        (true, false) => Share::new(Share::ALL.get() - route.share.get()).unwrap_or_default(),
        (false, true) => route.share,
        (false, false) => Share::NONE,
    }
}

/// What a route comes to for requests: `blue:green:0` and `blue:blue:0` are the same to all of them. Compared as they
/// stand, a rollback by somebody else would look like another release with every event, for ever.
fn traffic(route: Route) -> (Colour, Colour, Share) {
    match route.share {
        Share::NONE => (route.stable, route.stable, Share::NONE),
        Share::ALL => (route.candidate, route.candidate, Share::NONE),
        share if route.stable != route.candidate => (route.stable, route.candidate, share),
        _ => (route.stable, route.stable, Share::NONE),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::criteria::Criteria;

    use crate::machine::event::{EdgeReport, Event, Feed};
    use crate::machine::{Action, Machine, Now, Saved};
    use crate::policy::Salt;
    use crate::retention::Stage;
    use crate::settings::{ComponentSettings, Mode, OnUnknown, Settings};
    use crate::time::Time;

    fn settings() -> Settings {
        Settings {
            mode: Mode::Observe,
            components: vec![ComponentSettings {
                name: "app".into(),
                criteria: Criteria { acceptable_error_rate: 0.01, min_requests: 100, ..Criteria::default() },
            }],
            edges: vec!["edge".into()],
            own: None,
            salt: Salt::try_from("salt".to_owned()).unwrap(),
            steps: Vec::new(),
            watch_min: Duration::from_secs(300),
            watch_max: Duration::from_secs(1800),
            on_unknown: OnUnknown::Keep,
            retain: vec![Stage::full(Duration::from_secs(3600))],
            deploy_timeout: Duration::from_secs(60),
            switch_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(30),
            confirm: true,
        }
    }

    #[test]
    fn a_move_by_somebody_else_is_one_release_however_often_it_is_reported() {
        let now = |seconds: u64| Now { time: Time::from_micros(seconds * 1_000_000), unix_millis: 0 };
        let mut machine = Machine::new(settings(), Saved::default(), now(0));
        let mut seconds = 0;
        let mut check = |routes: &str, release: u64| {
            for _ in 0..3 {
                seconds += 1;
                let policy = format!("v1:0.0.open:{routes}:salt:0").parse().ok();
                let report = EdgeReport {
                    edge: 0,
                    running: policy,
                    saved: None,
                    manual: false,
                    feed: Feed::Live,
                    backends: Vec::new(),
                };
                let actions = machine.handle(now(seconds), Event::Edge(report));
                assert_eq!(machine.document().epoch.release, release, "{routes}");
                assert!(
                    !actions.iter().any(|a| matches!(a, Action::Route { .. })),
                    "{routes}: observing writes nothing"
                );
            }
        };
        check("blue:blue:0", 1);
        check("blue:green:100000", 2);
        check("green:green:0", 2);
        check("blue:green:0", 3);
        check("blue:green:10000", 4);
        check("blue:green:50000", 4);
        check("green:blue:10000", 4);
        check("green:green:0", 4);
        check("blue:blue:0", 5);
    }
}
