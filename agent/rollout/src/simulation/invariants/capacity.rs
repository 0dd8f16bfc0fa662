//! What may be routed to, stopped, scaled and started: invariants 1, 4 and 15.

use super::{REACTION, START};
use crate::colour::Colour;
use crate::document::{Cause, Phase};
use crate::policy::Policy;
use crate::retention::Replicas;
use crate::simulation::edge::Edge;
use crate::simulation::platform::INSTANCES;
use crate::simulation::world::World;
use crate::time::Time;
use std::time::Duration;

impl World {
    /// 1. Never route to a colour with no ready capacity while the other has some.
    pub(super) fn routes_to_ready_capacity(&mut self) {
        let mut broken = None;
        for (number, edge) in self.edges.iter().enumerate() {
            let who = self.owner(number);
            let agent = self.seats[who].agent.as_ref().filter(|a| self.now.since(a.born) > START);
            let Some(document) = agent.map(|agent| agent.machine.document()) else { continue };
            let Some(workable) = edge.informed_since.filter(|_| !edge.edited) else { continue };
            for (id, c) in document.components.iter().enumerate().filter(|(_, c)| c.takes_part()) {
                // A first version is routed to by a forward step, which may wait for a disk or a store.
                let first = c.stable.version.is_none();
                for colour in Colour::BOTH {
                    let (here, other) = (self.platform.slot(id, colour), self.platform.slot(id, colour.other()));
                    let lost = edge.running.routes[id].serves(colour) && here.ready == 0 && other.ready > 0;
                    let kept = [&c.stable, &c.candidate].iter().any(|s| s.colour != colour && s.version.is_some());
                    let since =
                        here.bare.max(other.bare).max(edge.since).max(workable).max(self.checks.agents[who].since);
                    if lost && kept && !first && self.now.since(since) > REACTION {
                        broken = Some(format!("edge {number} routes {} to {colour}, which has nothing ready", c.name));
                    }
                }
            }
        }
        if let Some(what) = broken {
            self.violate(1, what);
        }
    }

    /// 4. The rollback target keeps its capacity until the watch and the retention end.
    pub(in crate::simulation) fn check_stop(&mut self, who: usize, component: usize, colour: Colour) {
        let Some(document) = self.document(who) else { return };
        let c = &document.components[component];
        let release = document.epoch.release;
        let retained_for = self
            .checks
            .retaining
            .filter(|(of, _)| *of == release)
            .map_or(Duration::ZERO, |(_, since)| self.now.since(since));
        let runs = self.platform.slot(component, colour).version.is_some();
        let target = c.takes_part() && colour == c.stable.colour && runs;
        let early = match document.phase {
            Phase::Idle => {
                document.is_bad() || (retained_for < self.scenario.settings.retained_for() && !self.checks.restored)
            }
            _ => true,
        };
        if target && early {
            self.violate(4, format!("{colour} of {} is stopped while it is the way back", c.name));
        }
        self.leaves_what_serves(component, colour);
    }

    /// 4, for fewer instances: only in a stage that says so, stored before it is done, and never what serves.
    pub(in crate::simulation) fn check_scale(
        &mut self,
        who: usize,
        component: usize,
        colour: Colour,
        (replicas, order): (Replicas, u32),
    ) {
        let Some(document) = self.document(who).filter(|_| replicas != Replicas::Full) else { return };
        let c = &document.components[component];
        let stored = self.store.document.as_ref().filter(|stored| stored.epoch.release == document.epoch.release);
        let is_stored = stored.and_then(|stored| stored.kept.as_ref()).is_some_and(|kept| kept.order >= order);
        let stages = self.scenario.settings.retain.iter();
        let first = stages.take_while(|stage| stage.replicas == Replicas::Full).map(|stage| stage.length).sum();
        let since = self.checks.retaining.filter(|(of, _)| *of == document.epoch.release).map(|(_, since)| since);
        let is_time = since.is_some_and(|since| self.now.since(since) >= first);
        let is_kept = c.takes_part() && colour == c.stable.colour && document.phase == Phase::Retaining;
        if !(is_stored && is_time && is_kept || self.checks.restored) {
            self.violate(4, format!("{colour} of {} is reduced while nothing that is stored says so", c.name));
        }
        self.leaves_what_serves(component, colour);
    }

    /// Invariant 15: nobody is sent from what serves to a few of many: a colour that was reduced is full again first. Where somebody has
    /// sent traffic there by hand it is left there.
    pub(in crate::simulation) fn nobody_is_sent_to_a_few(&mut self, edge: usize, policy: &Policy) {
        let Some(document) = self.document(self.owner(edge)) else { return };
        let hand = matches!(document.cause, Some(Cause::Manual | Cause::Learned));
        // Another agent had it reduced at the same moment.
        let unheard = self.is_shared() && document.kept.is_none();
        if hand || unheard || self.checks.restored || self.edges[edge].edited {
            return;
        }
        let running = &self.edges[edge].running;
        let mut parts = document.components.iter().enumerate().filter(|(_, c)| c.takes_part());
        let sent = parts.find(|(id, c)| {
            let colour = c.stable.colour;
            let (here, other) = (self.platform.slot(*id, colour), self.platform.slot(*id, colour.other()));
            let goes = policy.routes[*id].serves(colour) && !running.routes[*id].serves(colour);
            let is_few = here.short && here.ready < INSTANCES;
            let had_time =
                here.wanted == INSTANCES && self.now.since(here.grown) >= self.scenario.settings.deploy_timeout;
            let serves = other.ready > 0 && self.now.since(other.bare) > REACTION;
            goes && is_few && serves && !had_time
        });
        if let Some((_, c)) = sent {
            let what = format!("edge {edge} sends all of {} to a few instances of {}", c.name, c.stable.colour);
            self.violate(15, what);
        }
    }

    /// 4, for a start: it must not replace what serves.
    pub(in crate::simulation) fn check_start(&mut self, component: usize, colour: Colour, version: &str) {
        if self.platform.slot(component, colour).version.as_deref().is_some_and(|runs| runs != version) {
            self.leaves_what_serves(component, colour);
        }
    }

    pub(super) fn leaves_what_serves(&mut self, component: usize, colour: Colour) {
        // Among agents it takes a moment to hear where an edge has gone.
        let moved = |e: &Edge| if self.is_shared() { e.since } else { Time::ZERO };
        let serves = |e: &&Edge| {
            e.workable_since.is_some_and(|since| self.now.since(since.max(moved(e))) > REACTION)
                && !e.edited
                && e.running.routes[component].serves(colour)
        };
        if self.edges.iter().any(|e| serves(&e)) && self.platform.is_ready(component, colour) {
            self.violate(4, format!("{colour} of component {component} is taken away while an edge serves from it"));
        }
    }
}
