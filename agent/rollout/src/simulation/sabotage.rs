//! Bugs planted between the machine and the world, to show that the invariants catch them.

use super::scenario::Sabotage;
use super::world::World;
use crate::colour::Share;
use crate::document::{Component, Document, Phase};
use crate::machine::{Action, Direction, Machine, News, Saved};
use crate::policy::{Epoch, Verdict};
use crate::retention::Replicas;

impl World {
    /// What the world is told to do instead of `actions`.
    pub(super) fn tamper(&mut self, who: usize, mut actions: Vec<Action>) -> Vec<Action> {
        let (Some(sabotage), Some(document)) = (self.scenario.sabotage, self.document(who)) else { return actions };
        let announces = |news: fn(&News) -> bool| {
            actions.iter().any(|action| matches!(action, Action::Announce(notice) if news(&notice.news)))
        };
        match sabotage {
            Sabotage::NoLatch => actions.iter_mut().for_each(forget_verdict),
            Sabotage::StepsForwardWhenBad if announces(|news| matches!(news, News::Bad(_))) => {
                actions.extend(one_step_further(document));
            }
            Sabotage::StopsOldColourEarly if announces(|news| *news == News::Switched(Share::ALL)) => {
                let taking_part = document.components.iter().enumerate().filter(|(_, c)| c.takes_part());
                actions.extend(taking_part.map(|(id, c)| Action::Stop {
                    component: id,
                    colour: c.stable.colour,
                    release: document.epoch.release,
                }));
            }
            Sabotage::ReducesEarly if announces(|news| *news == News::Entered(Phase::Retaining)) => {
                let taking_part = document.components.iter().enumerate().filter(|(_, c)| c.takes_part());
                let scale = |(component, c): (usize, &Component)| {
                    let (colour, version) = (c.stable.colour, c.stable.version.clone()?);
                    let (replicas, release) = (Replicas::Count(1), document.epoch.release);
                    Some(Action::Scale { component, colour, version, replicas, full: 0, release, order: 1 })
                };
                actions.extend(taking_part.filter_map(scale));
            }
            Sabotage::LosesTheScaleUp => {
                actions.retain(|action| !matches!(action, Action::Scale { replicas: Replicas::Full, .. }));
            }
            Sabotage::RollbackWaitsForStore | Sabotage::RollbackWaitsForNewColour => {
                let (back, rest) = actions.into_iter().partition(is_rollback);
                self.seats[who].withheld.extend::<Vec<Action>>(back);
                return rest;
            }
            Sabotage::SelectsEarly if announces(|news| *news == News::Entered(Phase::Switching)) => {
                actions.extend(selects_candidates(document));
            }
            _ => {}
        }
        actions
    }

    /// Lets a rollback go that a planted bug held back, if what it waits for has come.
    pub(super) fn release_withheld(&mut self, who: usize) {
        let seat = &self.seats[who];
        let Some(agent) = seat.agent.as_ref().filter(|_| !seat.withheld.is_empty()) else { return };
        let go = match self.scenario.sabotage {
            Some(Sabotage::RollbackWaitsForStore) => !seat.desk.is_busy(),
            _ => {
                let mut parts = agent.machine.document().components.iter().enumerate();
                parts.all(|(id, c)| !c.takes_part() || self.platform.is_ready(id, c.candidate.colour))
            }
        };
        if go {
            for action in std::mem::take(&mut self.seats[who].withheld) {
                if let Action::Route { edge, policy, direction } = action {
                    self.order_edge(edge, policy, direction);
                }
            }
        }
    }
}

impl World {
    /// Before an agent hears of this document: it becomes one that knows nothing else.
    pub(super) fn forget_for(&mut self, who: usize, document: &Document) {
        let Some(ours) = self.document(who) else { return };
        let reopened = ours.is_bad() && !document.is_bad() && ours.epoch.release == document.epoch.release;
        let forgets = match self.scenario.sabotage {
            Some(Sabotage::AdoptsWhatIsOlder) => document.epoch < ours.epoch,
            Some(Sabotage::ForgetsBad) => reopened,
            _ => false,
        };
        let settings = self.scenario.settings_of(who);
        let Some(born) = self.seats[who].agent.as_ref().map(|agent| agent.born).filter(|_| forgets) else { return };
        let saved = Saved { document: Some(document.clone()), ..Saved::default() };
        let machine = Machine::new(settings, saved, self.agent_now(who, born));
        let seat = &mut self.seats[who];
        if let Some(agent) = &mut seat.agent {
            agent.machine = machine;
        }
        seat.desk.begins_anew();
    }
}

fn selects_candidates(document: &Document) -> Vec<Action> {
    let release = document.epoch.release;
    let taking_part = document.components.iter().enumerate().filter(|(_, c)| c.takes_part());
    taking_part.map(|(component, c)| Action::Select { component, colour: c.candidate.colour, release }).collect()
}

const fn is_rollback(action: &Action) -> bool {
    matches!(action, Action::Route { direction: Direction::Back, .. })
}

fn forget_verdict(action: &mut Action) {
    match action {
        Action::Persist(document) => document.epoch.verdict = Verdict::Open,
        Action::Route { policy, .. } => policy.epoch.verdict = Verdict::Open,
        _ => {}
    }
}

fn one_step_further(document: &Document) -> Vec<Action> {
    let mut policy = document.policy();
    policy.epoch = Epoch { step: policy.epoch.step + 1, ..policy.epoch };
    for route in policy.routes.iter_mut().filter(|r| r.stable != r.candidate) {
        route.share = Share::ALL;
    }
    let order = |edge| Action::Route { edge, policy: policy.clone(), direction: Direction::Forward };
    (0..document.edges.len()).map(order).collect()
}
