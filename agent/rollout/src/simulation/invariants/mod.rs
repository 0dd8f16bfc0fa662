//! The invariants of decision section 7, each a function with its number, and three promises of section 8:
//! 10, a shared outage is not taken for a bad colour; 11, a healthy release is not called bad by its requests;
//! 12, a bad one that can be seen does not stay. Two more are about several agents and the platform's own routing:
//! 13, only the agent that leads moves forward; 14, nothing is selected that no edge routes to. And one about the retention:
//! 15, nobody is sent to a few instances of many.

mod capacity;
mod edges;
mod leading;
mod settled;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::colour::Share;
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::{Event, News, Notice};
use crate::policy::{Epoch, Policy, Route};
use crate::simulation::edge::Edge;
use crate::simulation::world::World;
use crate::time::Time;

/// What one round of events may take: a report, a decision, an order, its retry.
const REACTION: Duration = Duration::from_millis(500);
/// What a new agent may take on top, for edges that do not answer and processes nobody has looked at yet.
const START: Duration = Duration::from_secs(7);
/// What it may take until an agent has heard of what another stored, and its edges follow.
const HEARD: Duration = Duration::from_secs(7);
/// How long a document must be unchanged to count as settled.
const REST: Duration = Duration::from_secs(5);

/// What has to be remembered of one agent.
#[derive(Debug, Default)]
struct Witness {
    /// The machine's document as of the last step of this life.
    epoch: Epoch,
    phase: Phase,
    share: Share,
    since: Time,
    /// Requests of the candidate the agent was told of, by component, for each release and share.
    seen: BTreeMap<(u64, Share), Vec<u64>>,
    last_sequence: BTreeMap<u16, u64>,
    /// The last release called bad in this life.
    called_bad: Option<u64>,
}

/// What has to be remembered to check the next step.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Checks {
    agents: Vec<Witness>,
    /// The last release whose evidence an outage was thought to have made worthless.
    set_aside: Option<u64>,
    /// Versions that were kept without proof after that.
    kept: BTreeSet<String>,
    /// The traffic each accepted triple stood for.
    routed: BTreeMap<Epoch, Vec<Route>>,
    files: Vec<Epoch>,
    running: Vec<(u32, Epoch)>,
    /// The release an edge was taken back from.
    taken_back: BTreeMap<usize, u64>,
    feeds_lost: BTreeMap<usize, Time>,
    retaining: Option<(u64, Time)>,
    /// The last release stored as bad, and since when.
    bad_stored: Option<(u64, Time)>,
    /// When the store was last known to be down.
    store_down: Time,
    durable: Epoch,
    /// The agent in question takes over what another stored.
    pub(in crate::simulation) follows: bool,
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
    pub(in crate::simulation) fn of(agents: usize) -> Self {
        Self { agents: (0..agents).map(|_| Witness::default()).collect(), ..Self::default() }
    }

    pub(in crate::simulation) fn new_life(&mut self, who: usize, now: Time) {
        let witness = &mut self.agents[who];
        witness.epoch = Epoch::default();
        witness.since = now;
        witness.called_bad = None;
        witness.last_sequence.clear();
    }

    /// An operator set the store back: a number that was stored as bad may come again, for something else.
    pub(in crate::simulation) fn is_restored(&mut self) {
        self.restored = true;
        self.bad_stored = None;
    }

    pub(in crate::simulation) fn feed_lost(&mut self, edge: usize, now: Time) {
        self.feeds_lost.entry(edge).or_insert(now);
    }

    pub(in crate::simulation) fn feed_live(&mut self, edge: usize) {
        self.feeds_lost.remove(&edge);
    }

    pub(in crate::simulation) fn documents_rest(&self, now: Time) -> bool {
        self.agents.iter().all(|witness| now.since(witness.since) >= REST)
    }

    /// Counts what the machine is told of its candidate.
    pub(in crate::simulation) fn delivered(&mut self, who: usize, document: &Document, event: &Event) {
        let Event::Requests(block) = event else { return };
        let witness = &mut self.agents[who];
        if block.sequence <= *witness.last_sequence.entry(block.observer).or_default() {
            return;
        }
        witness.last_sequence.insert(block.observer, block.sequence);
        let seen = witness.seen.entry((document.epoch.release, document.share)).or_default();
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
        self.stored_bad_is_off_the_edges();
    }

    fn note_workable(&mut self) {
        if self.store.down {
            self.checks.store_down = self.now;
        }
        for number in 0..self.edges.len() {
            let seat = &self.seats[self.owner(number)];
            let started = seat.agent.as_ref().is_some_and(|agent| agent.machine.has_started());
            let edge = &mut self.edges[number];
            let workable = started && seat.is_awake() && edge.can_be_asked();
            edge.workable_since = workable.then(|| edge.workable_since.unwrap_or(self.now));
            let informed = workable && !seat.cut;
            edge.informed_since = informed.then(|| edge.informed_since.unwrap_or(self.now));
        }
    }

    /// After the machine has decided, before anything is done about it.
    pub(in crate::simulation) fn watch_document(&mut self, who: usize) {
        let Some(document) = self.document(who) else { return };
        let (epoch, phase, share) = (document.epoch, document.phase, document.share);
        let before = self.checks.agents[who].epoch;
        // What neither the store nor an edge was told may be given up.
        let told = |edge: &Edge| {
            let greatest = edge.adapter.as_ref().map(|a| a.greatest).unwrap_or_default();
            greatest.max(edge.running.epoch).max(edge.file.epoch) >= before
        };
        let given_up = self.is_shared() && self.store.highest < before && !self.edges.iter().any(told);
        if epoch < before && !given_up {
            return self.violate(3, format!("the machine went down from {before} to {epoch}"));
        }
        if phase == Phase::Retaining && self.checks.retaining.is_none_or(|(release, _)| release != epoch.release) {
            self.checks.retaining = Some((epoch.release, self.now));
        }
        let witness = &mut self.checks.agents[who];
        if epoch != before || phase != witness.phase {
            witness.since = self.now;
        }
        let share_before = std::mem::replace(&mut witness.share, share);
        let rose = epoch.release == before.release && share > share_before;
        (witness.epoch, witness.phase) = (epoch, phase);
        if self.checks.hand && epoch.release > 0 {
            self.checks.promoted = Some(epoch.release);
        }
        // Who follows goes by what the one that leads has seen.
        if rose && share_before > Share::NONE && !self.checks.hand && self.may_lead(who) && !self.checks.follows {
            self.is_known(who, share_before);
        }
    }

    /// An adapter took an order: 5, 6 and 9 are about what it may say.
    pub(in crate::simulation) fn check_accepted(&mut self, edge: usize, policy: &Policy) {
        self.at_most_one_rollback(edge, policy);
        self.nothing_forward_that_a_crash_forgets(edge, policy);
        self.nobody_is_sent_to_a_few(edge, policy);
    }

    /// 5, 6, 7, 10 and 11, as far as they are announced.
    pub(in crate::simulation) fn check_news(&mut self, who: usize, notice: &Notice) {
        match &notice.news {
            News::Bad(cause) => {
                if self.checks.agents[who].called_bad.replace(notice.release) == Some(notice.release) {
                    self.violate(5, format!("release {} is called bad twice", notice.release));
                }
                if let Cause::Errors { component } = cause {
                    self.not_a_shared_outage(component);
                    self.not_healthy(who, component);
                }
            }
            // Its number was another agent's and may come again.
            News::Ended(Outcome::Aborted, None) => self.checks.agents[who].called_bad = None,
            News::NoWayBack(_) | News::Emergency { .. } => self.checks.no_way_back = true,
            News::Ended(Outcome::Completed, _) => self.is_known(who, Share::ALL),
            News::SharedOutage { .. } | News::OutageSuspected { .. } => self.checks.set_aside = Some(notice.release),
            News::Ended(Outcome::Kept, _) => self.kept_without_proof(who, notice.release),
            _ => {}
        }
    }
}
