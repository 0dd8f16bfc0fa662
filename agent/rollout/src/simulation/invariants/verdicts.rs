//! What a verdict rests on: invariants 7, 10 and 11.

use super::REACTION;
use crate::colour::Share;
use crate::simulation::world::World;
use crate::time::Time;
use std::time::Duration;

impl World {
    /// 7. Unknown never promotes silently.
    pub(super) fn is_known(&mut self, share: Share) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        let needed = |id: usize| self.scenario.settings.components[id].criteria.min_requests;
        let seen = self.checks.seen.get(&(document.epoch.release, share));
        let silent = document.components.iter().enumerate().find(|(id, c)| {
            c.takes_part() && seen.and_then(|seen| seen.get(*id)).copied().unwrap_or_default() < needed(*id)
        });
        let blind = self.checks.feeds_lost.values().any(|since| self.now.since(*since) > Duration::from_millis(2500));
        if let Some((id, c)) = silent {
            let needed = needed(id);
            self.violate(7, format!("{} went on from {share} on fewer than {needed} requests", c.name));
        } else if blind {
            self.violate(7, format!("the release went on from {share} while a feed was lost"));
        }
    }

    /// 10. While both colours fail nothing is switched.
    pub(super) fn not_a_shared_outage(&mut self) {
        // A probe may have passed just before.
        let lasting = self.outage && self.now.since(self.outage_since) > Duration::from_millis(100);
        if lasting && self.scenario.settings.confirm {
            self.violate(10, "a rollback by errors in the middle of a shared outage");
        }
    }

    /// 11. A healthy release is not called bad by its requests.
    pub(super) fn not_healthy(&mut self, component: &str) {
        let Some(agent) = &self.agent else { return };
        let Some(id) = self.scenario.settings.component(component) else { return };
        let c = &agent.machine.document().components[id];
        let slot = self.platform.slot(id, c.candidate.colour);
        let healthy = self.platform.quality(slot.version.as_ref()).is_healthy();
        // Its requests may also have failed because nothing of it was ready, or in an outage that was over
        // before the old colour could be asked about it.
        let was_bare = slot.ready == 0 || self.scenario.faults.platform;
        let slow = self.scenario.rate < 50.0 || self.scenario.faults.evidence || !self.scenario.settings.confirm;
        let tolerance = if slow { Duration::from_secs(60) } else { REACTION };
        let outage = self.outage || (self.outage_over > Time::ZERO && self.now.since(self.outage_over) < tolerance);
        if healthy && !was_bare && !outage {
            self.violate(11, format!("{component} is healthy and was called bad by its errors"));
        }
    }
}
