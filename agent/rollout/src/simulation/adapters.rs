//! The agent's hand at its edges: orders are taken, written step by step, and reported.

use super::edge::{Left, RETRY as EDGE_RETRY};
use super::scenario::Sabotage;
use super::world::{What, World};
use crate::machine::Direction;
use crate::policy::Policy;

impl World {
    pub(super) fn order_edge(&mut self, edge: usize, policy: Policy, direction: Direction) {
        let accepted = self.edges[edge].adapter.as_ref().is_some_and(|a| policy.epoch >= a.greatest);
        if accepted {
            self.check_accepted(edge, &policy);
        }
        let left = self.edges[edge].take(policy, direction);
        self.go_on_at(edge, left);
    }

    pub(super) fn write_file(&mut self, edge: usize, order: u64) {
        if self.is_current(edge, order) {
            let left = self.edges[edge].write_file();
            self.go_on_at(edge, left);
        }
    }

    pub(super) fn write_running(&mut self, edge: usize, order: u64) {
        if self.is_current(edge, order) {
            let left = self.edges[edge].write_running(self.now);
            self.go_on_at(edge, left);
        }
    }

    fn is_current(&self, edge: usize, order: u64) -> bool {
        self.edges[edge].adapter.as_ref().is_some_and(|a| a.order == order)
    }

    pub(super) fn go_on_at(&mut self, edge: usize, left: Left) {
        let life = self.seats[self.owner(edge)].life;
        let Some(order) = self.edges[edge].adapter.as_ref().map(|a| a.order) else { return };
        let soon = self.random.millis(0, 2);
        let file = What::WriteFile { life, edge, order };
        let running = What::WriteRunning { life, edge, order };
        match left {
            Left::Nothing => {}
            Left::File => self.after(soon, file),
            Left::Running => self.after(soon, running),
            Left::Both => {
                self.after(soon, running);
                let later = soon + self.random.millis(0, 2);
                self.after(later, file);
            }
            Left::RetryFile => {
                self.after(EDGE_RETRY, file);
                self.report(edge);
            }
            Left::RetryRunning => self.after(EDGE_RETRY, running),
            Left::Report => self.report(edge),
        }
    }

    pub(super) fn report(&mut self, edge: usize) {
        let backends = self.backends(edge);
        if let Some(mut report) = self.edges[edge].report(edge, backends) {
            if self.scenario.sabotage == Some(Sabotage::PromotesOnSilence) {
                report.feed = crate::machine::event::Feed::Live;
            }
            self.tell_report(&report);
        }
    }
}
