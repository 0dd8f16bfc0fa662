//! The invariants of decision section 7, each a function with its number, and three promises of section 8:
//! 10, a shared outage is not taken for a bad colour; 11, a healthy release is not called bad by its requests;
//! 12, a bad one that can be seen does not stay.

mod capacity;
mod edges;
mod settled;
mod verdicts;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::colour::Share;
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::{Event, News, Notice};
use crate::policy::{Epoch, Policy, Route};
use crate::simulation::world::World;
use crate::time::Time;

/// What one round of events may take: a report, a decision, an order, its retry.
const REACTION: Duration = Duration::from_millis(500);
/// What a new agent may take on top, for edges that do not answer and processes nobody has looked at yet.
const START: Duration = Duration::from_secs(7);
/// How long a document must be unchanged to count as settled.
const REST: Duration = Duration::from_secs(5);

/// What has to be remembered to check the next step.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Checks {
    /// The machine's document as of the last step of this life.
    epoch: Epoch,
    phase: Phase,
    share: Share,
    since: Time,
    /// Requests of the candidate the agent was told of, by component, for each release and share.
    seen: BTreeMap<(u64, Share), Vec<u64>>,
    last_sequence: BTreeMap<u16, u64>,
    /// The traffic each accepted triple stood for.
    routed: BTreeMap<Epoch, Vec<Route>>,
    files: Vec<Epoch>,
    running: Vec<(u32, Epoch)>,
    /// The release an edge was taken back from.
    taken_back: BTreeMap<usize, u64>,
    feeds_lost: BTreeMap<usize, Time>,
    retaining: Option<(u64, Time)>,
    /// The last release called bad in this life.
    called_bad: Option<u64>,
    durable: Epoch,
    /// A human is promoting just now.
    pub(in crate::simulation) hand: bool,
    /// A human promoted this release.
    promoted: Option<u64>,
    /// A release was found bad that nobody could go back from.
    no_way_back: bool,
    /// The store was restored from a backup.
    pub(in crate::simulation) restored: bool,
}

impl Checks {
    pub(in crate::simulation) fn new_life(&mut self, now: Time) {
        self.epoch = Epoch::default();
        self.since = now;
        self.called_bad = None;
        self.last_sequence.clear();
    }

    pub(in crate::simulation) fn feed_lost(&mut self, edge: usize, now: Time) {
        self.feeds_lost.entry(edge).or_insert(now);
    }

    pub(in crate::simulation) fn feed_live(&mut self, edge: usize) {
        self.feeds_lost.remove(&edge);
    }

    pub(in crate::simulation) fn document_rests(&self, now: Time) -> bool {
        now.since(self.since) >= REST
    }

    /// Counts what the machine is told of its candidate.
    pub(in crate::simulation) fn delivered(&mut self, document: &Document, event: &Event) {
        let Event::Requests(block) = event else { return };
        if block.sequence <= *self.last_sequence.entry(block.observer).or_default() {
            return;
        }
        self.last_sequence.insert(block.observer, block.sequence);
        let seen = self.seen.entry((document.epoch.release, document.share)).or_default();
        seen.resize(document.components.len(), 0);
        for request in &block.requests {
            let id = usize::from(request.component);
            if request.release == document.epoch.release && request.colour == document.components[id].candidate.colour {
                seen[id] += 1;
            }
        }
    }
}

impl World {
    /// All that can be seen of the world between two steps.
    pub(in crate::simulation) fn check(&mut self) {
        self.note_workable();
        self.same_triple_same_traffic();
        self.edges_never_go_down();
        self.store_never_goes_down();
        self.routes_to_ready_capacity();
        self.bad_is_off_the_edges();
    }

    fn note_workable(&mut self) {
        let started = self.agent.as_ref().is_some_and(|agent| agent.machine.has_started());
        for edge in &mut self.edges {
            let workable = started && edge.can_be_asked();
            edge.workable_since = workable.then(|| edge.workable_since.unwrap_or(self.now));
        }
    }

    /// After the machine has decided, before anything is done about it.
    pub(in crate::simulation) fn watch_document(&mut self) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        let (epoch, phase, share) = (document.epoch, document.phase, document.share);
        let before = self.checks.epoch;
        if epoch < before {
            return self.violate(3, format!("the machine went down from {before} to {epoch}"));
        }
        if phase == Phase::Retaining && self.checks.retaining.is_none_or(|(release, _)| release != epoch.release) {
            self.checks.retaining = Some((epoch.release, self.now));
        }
        if epoch != before || phase != self.checks.phase {
            self.checks.since = self.now;
        }
        let share_before = std::mem::replace(&mut self.checks.share, share);
        let rose = epoch.release == before.release && share > share_before;
        (self.checks.epoch, self.checks.phase) = (epoch, phase);
        if self.checks.hand && epoch.release > 0 {
            self.checks.promoted = Some(epoch.release);
        }
        if rose && share_before > Share::NONE && !self.checks.hand {
            self.is_known(share_before);
        }
    }

    /// An adapter took an order: 5, 6 and 9 are about what it may say.
    pub(in crate::simulation) fn check_accepted(&mut self, edge: usize, policy: &Policy) {
        self.at_most_one_rollback(edge, policy);
        self.nothing_forward_that_a_crash_forgets(policy);
    }

    /// 5, 6, 7, 10 and 11, as far as they are announced.
    pub(in crate::simulation) fn check_news(&mut self, notice: &Notice) {
        match &notice.news {
            News::Bad(cause) => {
                if self.checks.called_bad.replace(notice.release) == Some(notice.release) {
                    self.violate(5, format!("release {} is called bad twice", notice.release));
                }
                if let Cause::Errors { component } = cause {
                    self.not_a_shared_outage(component);
                    self.not_healthy(component);
                }
            }
            News::NoWayBack(_) | News::Emergency { .. } => self.checks.no_way_back = true,
            News::Ended(Outcome::Completed, _) => self.is_known(Share::ALL),
            _ => {}
        }
    }
}
