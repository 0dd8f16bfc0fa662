//! People: what they release, order and change by hand, and how they tidy up after the trouble.

use std::time::Duration;

use super::platform::Quality;
use super::world::{What, World};
use crate::colour::Share;
use crate::document::Phase;
use crate::machine::Order;
use crate::policy::{Epoch, Verdict};
use crate::time::Time;

impl World {
    pub(super) fn deploy_something(&mut self) {
        if !self.in_trouble {
            return;
        }
        let next = self.random.millis(6000, 25_000);
        self.after(next, What::Deploy);
        self.versions += 1;
        let version = format!("v{}", self.versions);
        let quality = self.draw_quality();
        self.platform.versions.insert(version.clone(), quality);
        let names: Vec<String> = self.scenario.settings.components.iter().map(|c| c.name.clone()).collect();
        let all = self.random.chance(0.6);
        let one = self.random.index(names.len());
        let named = names.into_iter().enumerate().filter(|(id, _)| all || *id == one);
        let versions = named.map(|(_, name)| (name, version.clone())).collect();
        let who = self.asked();
        self.order(who, Order::Deploy { versions, by: "ann".into() });
    }

    fn draw_quality(&mut self) -> Quality {
        if !self.scenario.faults.versions || self.random.chance(0.4) {
            return Quality::HEALTHY;
        }
        let healthy = Quality::HEALTHY;
        let errors = self.random.pick(&[0.2, 0.5, 1.0]);
        match self.random.below(8) {
            0 => Quality { crashes: true, ..healthy },
            1 => Quality { smokes: true, ..healthy },
            2 => Quality { errors: 1.0, late: Duration::from_secs(5), ..healthy },
            3 => Quality { errors, hidden: true, ..healthy },
            4 => Quality { errors, only: Some(0), ..healthy },
            _ => Quality { errors, ..healthy },
        }
    }

    pub(super) fn people(&mut self) {
        if !self.in_trouble {
            return self.tidy_up();
        }
        let next = self.random.millis(1000, 12_000);
        self.after(next, What::People);
        if !self.scenario.faults.people {
            return;
        }
        let by = "ben".to_owned();
        let who = self.asked();
        match self.random.below(10) {
            0 | 1 => drop(self.order(who, Order::Rollback { by })),
            2 => drop(self.order(who, Order::Abort { by })),
            3 => drop(self.order(who, Order::Promote { by })),
            4 => drop(self.order(who, Order::Pause { by })),
            5 | 6 => drop(self.order(who, Order::Resume { by })),
            7 | 8 => self.edit_by_hand(),
            _ => self.force(),
        }
    }

    /// After the trouble a human ends what only a human can end, and looks again in a moment.
    fn tidy_up(&mut self) {
        self.after(Duration::from_secs(2), What::People);
        let settled = Time::ZERO + self.scenario.trouble + Duration::from_secs(15);
        let Some(who) = self.leader() else { return };
        let Some(document) = self.document(who) else { return };
        let (phase, paused) = (document.phase, document.paused.is_some());
        let by = "ann".to_owned();
        if paused {
            self.order(who, Order::Resume { by });
        } else if phase == Phase::Held {
            let bad = self.candidate_is_bad(who);
            let rolled_back =
                bad && self.order(who, Order::Rollback { by: by.clone() }).is_some_and(|answer| answer.is_ok());
            if !rolled_back {
                self.order(who, Order::Promote { by });
            }
        } else if phase == Phase::Idle && self.checks.documents_rest(self.now) && self.now >= settled.max(self.obeyed())
        {
            self.after(Duration::ZERO, What::Finish);
        }
    }

    /// Whom people turn to: mostly the agent that leads.
    fn asked(&mut self) -> usize {
        let anybody = self.seats.len() > 1 && self.random.chance(0.2);
        if anybody { self.random.index(self.seats.len()) } else { self.leader().unwrap_or(0) }
    }

    fn candidate_is_bad(&self, who: usize) -> bool {
        let components = self.document(who).into_iter().flat_map(|document| document.components.iter());
        components.filter(|c| c.takes_part()).any(|c| !self.platform.quality(c.candidate.version.as_ref()).is_healthy())
    }

    /// `set map` by hand: another share in the same epoch.
    fn edit_by_hand(&mut self) {
        let edge = self.random.index(self.edges.len());
        let share = self.random.pick(&[Share::NONE, Share::NONE, Share::ALL, Share::percent(30)]);
        if !self.edges[edge].up {
            return;
        }
        self.note(format!("edge {edge} is set to {share} by hand"));
        let e = &mut self.edges[edge];
        for route in &mut e.running.routes {
            route.share = if route.stable == route.candidate { Share::NONE } else { share };
        }
        e.edited = true;
        e.since = self.now;
    }

    /// `teal edge force` to the old colour: BAD, in the running proxy and then on disk.
    fn force(&mut self) {
        let edge = self.random.index(self.edges.len());
        let ready = |(id, route): (usize, &crate::policy::Route)| self.platform.is_ready(id, route.stable);
        let e = &self.edges[edge];
        if !e.up || !e.running.routes.iter().enumerate().all(ready) {
            return;
        }
        self.note(format!("edge {edge} is forced to the old colour"));
        let e = &mut self.edges[edge];
        let Epoch { release, step, .. } = e.running.epoch.max(e.file.epoch);
        e.running.epoch = Epoch { release, verdict: Verdict::Bad, step: step + 1 };
        for route in &mut e.running.routes {
            route.share = Share::NONE;
        }
        if !e.disk_full {
            e.file = e.running.clone();
        }
        e.edited = true;
        e.since = self.now;
    }
}
