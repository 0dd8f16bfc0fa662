//! What a verdict rests on: invariants 7, 10 and 11.

use crate::colour::Share;
use crate::simulation::platform::Quality;
use crate::simulation::scenario::Faults;
use crate::simulation::world::World;
use std::time::Duration;

impl World {
    /// 7. Unknown never promotes silently.
    pub(super) fn is_known(&mut self, who: usize, share: Share) {
        let Some(document) = self.document(who) else { return };
        let needed = |id: usize| self.scenario.settings.components[id].criteria.min_requests;
        let seen = self.checks.agents[who].seen.get(&(document.epoch.release, share));
        let silent = document.components.iter().enumerate().find(|(id, c)| {
            c.takes_part() && seen.and_then(|seen| seen.get(*id)).copied().unwrap_or_default() < needed(*id)
        });
        // Of another agent's edge it may take until that is silent.
        let patience = if self.is_shared() { 8000 } else { 2500 };
        let blind =
            self.checks.feeds_lost.values().any(|since| self.now.since(*since) > Duration::from_millis(patience));
        if let Some((id, c)) = silent {
            let needed = needed(id);
            self.violate(7, format!("{} went on from {share} on fewer than {needed} requests", c.name));
        } else if blind {
            self.violate(7, format!("the release went on from {share} while a feed was lost"));
        }
    }

    /// 10. While all requests of both colours fail nothing is switched.
    pub(super) fn not_a_shared_outage(&mut self, component: &str) {
        let Some(id) = self.scenario.settings.component(component) else { return };
        // A probe may have passed just before.
        let since = self.outages.all_fail_since(id, self.now);
        let lasting = since.is_some_and(|since| self.now.since(since) > Duration::from_millis(100));
        if lasting && self.scenario.settings.confirm {
            self.violate(10, "a rollback by errors in the middle of a shared outage");
        }
    }

    /// 11. A healthy release is not called bad by its requests, nor for an outage, going on or over.
    pub(super) fn not_healthy(&mut self, who: usize, component: &str) {
        let Some(document) = self.document(who) else { return };
        let Some(id) = self.scenario.settings.component(component) else { return };
        let c = &document.components[id];
        let slot = self.platform.slot(id, c.candidate.colour);
        let healthy = self.platform.quality(slot.version.as_ref()).errors_of(id) <= Quality::HEALTHY.errors;
        // Its requests may also have failed because nothing of it was ready.
        if !healthy || slot.ready == 0 || self.scenario.faults.platform {
            return;
        }
        let Faults { partial, evidence, sleep, .. } = self.scenario.faults;
        let lately = self.outages.within(id, self.now, Duration::from_secs(60));
        // Where lines come late and out of order, or all at once to one that was asleep, nothing shows that they failed together.
        let unclear = evidence || sleep || self.scenario.rate < 50.0 || !self.scenario.settings.confirm;
        if lately && partial && self.outages.failing(id, self.now) > 0.0 {
            self.tally.blamed += 1;
        } else if lately && partial {
            self.tally.blamed_late += 1;
        } else if !(lately && unclear) {
            self.violate(11, format!("{component} is healthy and was called bad by its errors"));
        }
    }
}
