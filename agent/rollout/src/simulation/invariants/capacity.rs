//! What may be routed to, stopped and started: invariants 1 and 4.

use super::{REACTION, START};
use crate::colour::Colour;
use crate::document::Phase;
use crate::simulation::edge::Edge;
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
            Phase::Idle => document.is_bad() || (retained_for < self.scenario.settings.retain && !self.checks.restored),
            _ => true,
        };
        if target && early {
            self.violate(4, format!("{colour} of {} is stopped while it is the way back", c.name));
        }
        self.leaves_what_serves(component, colour);
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
