//! The phases before and after the watch: deploying, smoke, switching, rolling back.

use std::time::Duration;

use super::{Action, Direction, Machine, News};
use crate::colour::Share;
use crate::document::{Cause, Component, Phase, Slot};
use crate::retention::key;
use crate::time::Time;

impl Machine {
    /// How long the current phase may count; `None` where nothing but an event ends it.
    pub(super) fn phase_limit(&self) -> Option<Duration> {
        match self.doc.phase {
            Phase::Idle | Phase::Held => None,
            Phase::Deploying | Phase::Smoke => Some(self.settings.deploy_timeout),
            Phase::Switching => Some(self.settings.switch_timeout),
            Phase::Watching if self.extended => Some(self.settings.watch_max),
            Phase::Watching => Some(self.hold()),
            Phase::Retaining => Some(self.settings.retained_for()),
            Phase::RollingBack => Some(self.settings.drain_timeout),
        }
    }

    fn overdue(&self) -> bool {
        self.phase_limit().is_some_and(|limit| self.elapsed >= limit)
    }

    /// The components of this release, with their ids.
    pub(super) fn participants(&self) -> impl Iterator<Item = (usize, &Component)> {
        self.doc.components.iter().enumerate().filter(|(_, c)| c.takes_part())
    }

    /// The orders that start the candidates and end what no release needs any more.
    pub(super) fn start_candidates(&self) -> Vec<Action> {
        let release = self.doc.epoch.release;
        let mut actions = self.route(Direction::Forward);
        for (component, c) in self.doc.components.iter().enumerate() {
            // What serves in an emergency is not replaced.
            if self.doc.emergency.contains(&c.name) {
                continue;
            }
            match (&c.candidate.version, c.takes_part()) {
                (Some(version), true) => {
                    let version = version.clone();
                    actions.push(Action::Start { component, colour: c.candidate.colour, version, release });
                }
                (None, true) => {}
                (_, false) => actions.push(Action::Stop { component, colour: c.stable.colour.other(), release }),
            }
        }
        actions
    }

    pub(super) fn smoke_order(&self) -> Action {
        let targets = self.participants().map(|(id, c)| (id, c.candidate.colour)).collect();
        Action::Smoke { release: self.doc.epoch.release, targets }
    }

    pub(super) fn deploying(&mut self) {
        if let Some(reason) = self.cannot_start(|c| &c.candidate) {
            return self.call_bad(Cause::NotReady { reason });
        }
        if self.is_durable() && self.doc.paused.is_none() && self.candidates_ready() {
            let started = self.participants().map(|(_, c)| key(&c.name, c.candidate.colour)).collect();
            self.note_ready(started, self.elapsed);
            self.enter(Phase::Smoke);
            let smoke = self.smoke_order();
            return self.persist_then(vec![smoke]);
        }
        if self.overdue() {
            let after = self.settings.deploy_timeout.as_secs();
            let why = self.reason_not_ready(|c| &c.candidate).map(|why| format!(": {why}")).unwrap_or_default();
            self.call_bad(Cause::NotReady { reason: format!("not ready after {after} s{why}") });
        }
    }

    /// Every candidate is at full capacity with the right version, and every edge sees it.
    fn candidates_ready(&self) -> bool {
        self.participants().all(|(id, c)| {
            let colour = c.candidate.colour;
            self.facts.edges_see(id, colour)
                && self.facts.of_started(id, colour).is_some_and(|capacity| {
                    capacity.version == c.candidate.version && capacity.wanted > 0 && capacity.ready >= capacity.wanted
                })
        })
    }

    /// Why one of these colours will not come.
    pub(super) fn cannot_start(&self, slot: fn(&Component) -> &Slot) -> Option<String> {
        self.participants().find_map(|(id, c)| {
            let capacity = self.facts.of_started(id, slot(c).colour)?;
            let ours = capacity.version == slot(c).version;
            let looping = capacity.crash_looping * 2 > capacity.wanted;
            match &capacity.failure {
                Some(reason) if ours && (looping || capacity.wanted == 0) => Some(format!("{}: {reason}", c.name)),
                None if ours && looping => Some(format!("{}: restarts over and over", c.name)),
                _ => None,
            }
        })
    }

    /// What the platform says of the first of these colours that it has a reason for.
    pub(super) fn reason_not_ready(&self, slot: fn(&Component) -> &Slot) -> Option<String> {
        self.participants().find_map(|(id, c)| {
            let capacity = self.facts.of_started(id, slot(c).colour)?;
            let failure = capacity.failure.as_ref().filter(|_| capacity.version == slot(c).version)?;
            Some(format!("{}: {failure}", c.name))
        })
    }

    /// A suite that passed is no reason to switch to what is not ready just now, nor to give it up: an edge that met the
    /// version before on this port may see the new one go down and come up again.
    pub(super) fn smoking(&mut self) {
        if self.smoke_passed {
            if let Some(reason) = self.cannot_start(|c| &c.candidate) {
                return self.call_bad(Cause::NotReady { reason });
            }
            if self.doc.paused.is_none() && self.candidates_ready() {
                return self.begin_switch();
            }
        }
        if self.overdue() && !self.smoke_passed {
            let reason = format!("no result after {} s", self.settings.deploy_timeout.as_secs());
            self.call_bad(Cause::Smoke { reason });
        } else if self.overdue() && self.doc.paused.is_none() {
            let reason = "it was ready, and was not any more after the smoke test".into();
            self.call_bad(Cause::NotReady { reason });
        }
    }

    pub(super) fn smoke_finished(&mut self, release: u64, result: Result<(), String>) {
        if self.doc.phase != Phase::Smoke || !self.leads() || release != self.doc.epoch.release {
            return;
        }
        match result {
            Err(reason) => self.call_bad(Cause::Smoke { reason }),
            Ok(()) => self.smoke_passed = true,
        }
    }

    fn begin_switch(&mut self) {
        self.exposure = Duration::ZERO;
        self.start_evidence();
        self.next_step();
    }

    /// Raises the share to the next step of the switch: persisted, then told to the edges.
    pub(super) fn next_step(&mut self) {
        let share = self.doc.share;
        let next = self.settings.steps.iter().map(|s| s.share).find(|s| *s > share).unwrap_or(Share::ALL);
        self.raise_step();
        self.doc.share = next;
        for component in &mut self.doc.components {
            if component.takes_part() && !self.doc.emergency.contains(&component.name) {
                // Nothing to share with: a first version takes all of its component's traffic at once.
                component.share = if component.stable.version.is_none() { Share::ALL } else { next };
            }
        }
        self.evidence.new_step(self.doc.components.iter().map(|c| c.share));
        self.enter(Phase::Switching);
        let orders = self.route(Direction::Forward);
        self.persist_then(orders);
    }

    pub(super) fn switching(&mut self, now: Time) {
        self.judge(now);
        if self.doc.phase != Phase::Switching {
            return;
        }
        if self.is_durable() && self.facts.acknowledged(&self.doc.policy()) {
            self.announce(News::Switched(self.doc.share));
            if self.doc.share == Share::ALL {
                // Where the old colour died, all of it is on the new one already; now it belongs there.
                for component in std::mem::take(&mut self.doc.emergency) {
                    self.announce(News::EmergencyOver { component });
                }
            }
            self.enter(Phase::Watching);
            self.persist();
        } else if self.overdue() {
            self.take_back(Cause::EdgeSilent);
        }
    }

    pub(super) fn rolling_back(&mut self) {
        let moved = self.facts.moved_back(&self.doc.policy());
        let drained = self.participants().all(|(id, c)| self.facts.is_drained(id, c.candidate.colour));
        // An emergency is waited out, unless there is no old version that could come back: the next release ends it.
        let stranded = |c: &Component| self.doc.emergency.contains(&c.name);
        let waits = self.participants().any(|(_, c)| stranded(c) && c.stable.version.is_some());
        if !moved || waits || !self.is_durable() || !(drained || self.overdue()) {
            return;
        }
        let leaving = self.participants().filter(|(_, c)| !stranded(c));
        let release = self.doc.epoch.release;
        let stop =
            |(component, c): (usize, &Component)| Action::Stop { component, colour: c.candidate.colour, release };
        let stops = leaving.map(stop).chain(self.stop_others()).collect();
        for component in &mut self.doc.components {
            if component.takes_part() && !self.doc.emergency.contains(&component.name) {
                component.candidate.version = None;
            }
        }
        if let Some(outcome) = self.doc.outcome {
            self.announce(News::Ended(outcome, self.doc.cause.clone()));
        }
        self.enter(Phase::Idle);
        self.persist_then(stops);
    }
}
