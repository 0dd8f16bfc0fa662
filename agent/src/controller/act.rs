//! Carrying out what the machine asks, in its order and without waiting for any of it.

use teal_rollout::machine::{Action, Direction};
use tokio::time::Instant;

use super::Controller;
use crate::crash::{self, Place};
use crate::platform::PlatformOrder;
use crate::proxy::EdgeOrder;
use crate::store::Write;

impl Controller {
    pub(super) fn act(&mut self, actions: Vec<Action>) {
        let phase = self.machine.document().phase;
        let decided = actions.iter().any(|action| matches!(action, Action::Persist(_)));
        let ordered = actions.iter().any(|action| !matches!(action, Action::Persist(_) | Action::Announce(_)));
        if decided {
            crash::at(Place::Decided, phase);
        }
        for action in actions {
            match action {
                Action::Route { edge, policy, direction } => {
                    self.routed = Some((Instant::now(), direction == Direction::Back));
                    if let Some(Some(orders)) = self.ports.edges.get(edge) {
                        give(orders, EdgeOrder { policy, direction }, "edge");
                    }
                }
                Action::Persist(document) => {
                    self.ports.writer.keep(Write::Document { document, heard: self.machine.heard() });
                }
                Action::Start { component, colour, version, release } => {
                    self.platform(PlatformOrder::Start { component, colour, version, release });
                }
                Action::Scale { component, colour, version, replicas, full, release, order } => {
                    self.platform(PlatformOrder::Scale { component, colour, version, replicas, full, release, order });
                }
                Action::Stop { component, colour, release } => {
                    self.platform(PlatformOrder::Stop { component, colour, release });
                }
                Action::Select { component, colour, release } => {
                    self.platform(PlatformOrder::Select { component, colour, release });
                }
                Action::Smoke { release, targets } => self.ports.gates.smoke(release, targets, self.events.clone()),
                Action::Probe(question) => {
                    tracing::debug!(?question, "asking");
                    self.ports.gates.probe(&question, self.events.clone());
                    self.environment.timelines.asks(self.clock.now(), &self.machine, &self.names, &question);
                }
                Action::Sample { round, component, colour, release } => {
                    self.ports.gates.sample(round, component, colour, release, self.events.clone());
                }
                Action::Announce(notice) => self.announce(notice),
            }
        }
        if ordered {
            crash::at(Place::Acted, phase);
        }
        self.environment.timelines.keep_verdict();
    }

    fn platform(&self, order: PlatformOrder) {
        if let Some(platform) = &self.ports.platform {
            give(platform, order, "platform");
        }
    }
}

/// A port's inbox holds far more orders than can be outstanding; a full one means that its task is stuck.
fn give<T>(orders: &tokio::sync::mpsc::Sender<T>, order: T, port: &str) {
    if let Err(error) = orders.try_send(order) {
        tracing::error!(port, %error, "an order was not taken");
    }
}
