//! Bugs planted between the machine and the world, to show that the invariants catch them.

use super::scenario::Sabotage;
use super::world::World;
use crate::colour::Share;
use crate::document::Document;
use crate::machine::{Action, Direction, News};
use crate::policy::{Epoch, Verdict};

impl World {
    /// What the world is told to do instead of `actions`.
    pub(super) fn tamper(&mut self, mut actions: Vec<Action>) -> Vec<Action> {
        let (Some(sabotage), Some(agent)) = (self.scenario.sabotage, &self.agent) else { return actions };
        let document = agent.machine.document();
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
            Sabotage::RollbackWaitsForStore | Sabotage::RollbackWaitsForNewColour => {
                let (back, rest) = actions.into_iter().partition(is_rollback);
                self.withheld.extend::<Vec<Action>>(back);
                return rest;
            }
            _ => {}
        }
        actions
    }

    /// Lets a rollback go that a planted bug held back, if what it waits for has come.
    pub(super) fn release_withheld(&mut self) {
        if self.withheld.is_empty() || self.agent.is_none() {
            return;
        }
        let go = match self.scenario.sabotage {
            Some(Sabotage::RollbackWaitsForStore) => !self.store.is_busy(),
            _ => self.agent.as_ref().is_some_and(|agent| {
                let mut parts = agent.machine.document().components.iter().enumerate();
                parts.all(|(id, c)| !c.takes_part() || self.platform.is_ready(id, c.candidate.colour))
            }),
        };
        if go {
            for action in std::mem::take(&mut self.withheld) {
                if let Action::Route { edge, policy, direction } = action {
                    self.order_edge(edge, policy, direction);
                }
            }
        }
    }
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
