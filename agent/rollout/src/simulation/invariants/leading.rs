//! Who moves forward, and where the platform's own routing may point: invariants 13 and 14.

use crate::colour::{Colour, Share};
use crate::document::Phase;
use crate::machine::Action;
use crate::policy::Epoch;
use crate::simulation::edge::Edge;
use crate::simulation::world::World;

impl World {
    /// 13. Only the agent that leads moves forward. `told`: it takes over what another stored.
    pub(in crate::simulation) fn only_a_leader_moves(&mut self, who: usize, told: bool, actions: &[Action]) {
        if self.may_lead(who) {
            return;
        }
        let forward = actions.iter().find(|action| {
            matches!(
                action,
                Action::Start { .. }
                    | Action::Scale { .. }
                    | Action::Stop { .. }
                    | Action::Select { .. }
                    | Action::Smoke { .. }
                    | Action::Sample { .. }
            )
        });
        if let Some(action) = forward {
            let what = format!("agent {who} does not lead and orders {action:?}");
            return self.violate(13, what);
        }
        let (Some(document), before) = (self.document(who), &self.checks.agents[who]) else { return };
        let rose = document.epoch.release > before.epoch.release
            || document.epoch.release == before.epoch.release && document.share > before.share
            || document.phase != before.phase && document.phase != Phase::RollingBack;
        if rose && !told && before.epoch > Epoch::default() {
            let what = format!("agent {who} does not lead and goes on to {} {:?}", document.epoch, document.phase);
            self.violate(13, what);
        }
    }

    /// 14. Nothing is selected that no edge routes to.
    pub(in crate::simulation) fn check_select(&mut self, who: usize, component: usize, colour: Colour) {
        let mut up = self.edges.iter().filter(|e| e.informed_since.is_some() && !e.edited).peekable();
        let all_there = |e: &Edge| {
            let route = e.running.routes[component];
            route.serves(colour) && !route.serves(colour.other())
        };
        if up.peek().is_some() && !up.any(all_there) && !self.checks.restored {
            self.violate(
                14,
                format!("agent {who} selects {colour} for component {component}, and no edge routes to it"),
            );
        }
    }

    /// 14, at the end: it points where the traffic goes.
    pub(super) fn selected_is_active(&mut self, id: usize, active: Colour) {
        let selected = self.platform.selected[id].map(|(colour, _)| colour);
        if selected != Some(active) {
            self.violate(14, format!("{selected:?} is selected for component {id}, and {active} serves"));
        }
    }

    /// Another release was stored as bad.
    pub(in crate::simulation) fn bad_is_known(&mut self, epoch: Epoch) {
        let known = self.checks.bad_stored.map(|(release, _)| release);
        if epoch.verdict == crate::policy::Verdict::Bad && known != Some(epoch.release) {
            self.checks.bad_stored = Some((epoch.release, self.now));
        }
    }

    /// 8, among agents: an edge whose agent hears of the others follows what they stored.
    pub(super) fn stored_bad_is_off_the_edges(&mut self) {
        let Some((release, stored)) = self.checks.bad_stored else { return };
        let late = self.edges.iter().position(|edge| {
            let open =
                edge.running.epoch.release == release && edge.running.epoch.verdict == crate::policy::Verdict::Open;
            let moved = edge.running.routes.iter().any(|r| r.share > Share::NONE && r.stable != r.candidate);
            let since = edge.informed_since.map(|since| since.max(stored).max(edge.since).max(self.checks.store_down));
            open && moved && !edge.edited && since.is_some_and(|since| self.now.since(since) > super::HEARD)
        });
        if let Some(edge) = late {
            self.violate(8, format!("edge {edge} still serves release {release}, which is stored as bad"));
        }
    }
}
