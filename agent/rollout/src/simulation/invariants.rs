//! The invariants of decision section 7, each a function with its number, and three promises of section 8:
//! 10, a shared outage is not taken for a bad colour; 11, a healthy release is not called bad by its requests;
//! 12, a bad one that can be seen does not stay.

use std::collections::BTreeMap;
use std::time::Duration;

use super::platform::Quality;
use super::world::World;
use crate::colour::{Colour, Share};
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::{Event, News, Notice};
use crate::policy::{Epoch, Policy, Route, Verdict};
use crate::time::Time;

/// What one round of events may take: a report, a decision, an order, its retry.
const REACTION: Duration = Duration::from_millis(500);
/// What a new agent may take on top, for edges that do not answer and processes nobody has looked at yet.
const START: Duration = Duration::from_secs(7);
/// How long a document must be unchanged to count as settled.
const REST: Duration = Duration::from_secs(5);

/// What has to be remembered to check the next step.
#[derive(Debug, Default)]
pub(super) struct Checks {
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
    pub(super) hand: bool,
    /// A human promoted this release.
    promoted: Option<u64>,
    /// A release was found bad that nobody could go back from.
    no_way_back: bool,
    /// The store was restored from a backup.
    pub(super) restored: bool,
}

impl Checks {
    pub(super) fn new_life(&mut self, now: Time) {
        self.epoch = Epoch::default();
        self.since = now;
        self.called_bad = None;
        self.last_sequence.clear();
    }

    pub(super) fn feed_lost(&mut self, edge: usize, now: Time) {
        self.feeds_lost.entry(edge).or_insert(now);
    }

    pub(super) fn feed_live(&mut self, edge: usize) {
        self.feeds_lost.remove(&edge);
    }

    pub(super) fn document_rests(&self, now: Time) -> bool {
        now.since(self.since) >= REST
    }

    /// Counts what the machine is told of its candidate.
    pub(super) fn delivered(&mut self, document: &Document, event: &Event) {
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
    pub(super) fn check(&mut self) {
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
    pub(super) fn watch_document(&mut self) {
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
        if let (true, false, Some(previous)) = (rose, self.checks.hand, self.share_before(share)) {
            self.is_known(previous);
        }
    }

    /// The share watched before this one; `None` for the first.
    fn share_before(&self, share: Share) -> Option<Share> {
        self.scenario.settings.steps.iter().map(|s| s.share).rfind(|s| *s < share)
    }

    /// 1. Never route to a colour with no ready capacity while the other has some.
    fn routes_to_ready_capacity(&mut self) {
        let Some(agent) = self.agent.as_ref().filter(|a| self.now.since(a.born) > START) else { return };
        let document = agent.machine.document();
        let mut broken = None;
        for (number, edge) in self.edges.iter().enumerate() {
            let Some(workable) = edge.workable_since.filter(|_| !edge.edited) else { continue };
            for (id, c) in document.components.iter().enumerate().filter(|(_, c)| c.takes_part()) {
                // A first version is routed to by a forward step, which may wait for a disk or a store.
                let first = c.stable.version.is_none();
                for colour in Colour::BOTH {
                    let (here, other) = (self.platform.slot(id, colour), self.platform.slot(id, colour.other()));
                    let lost = edge.running.routes[id].serves(colour) && here.ready == 0 && other.ready > 0;
                    let kept = [&c.stable, &c.candidate].iter().any(|s| s.colour != colour && s.version.is_some());
                    let since = here.bare.max(other.bare).max(edge.since).max(workable).max(self.checks.since);
                    if lost && kept && !first && self.now.since(since) > REACTION {
                        broken = Some(format!("edge {number} routes {} to {colour}, which has nothing ready", c.name));
                    }
                }
            }
        }
        if let Some(what) = broken {
            self.violate(1, what);
        }
    }

    /// An adapter took an order: 5, 6 and 9 are about what it may say.
    pub(super) fn check_accepted(&mut self, edge: usize, policy: &Policy) {
        self.at_most_one_rollback(edge, policy);
        self.nothing_forward_that_a_crash_forgets(policy);
    }

    /// 2. Two edges that acknowledged the same triple route the same.
    fn same_triple_same_traffic(&mut self) {
        let mut broken = None;
        for edge in self.edges.iter().filter(|e| !e.edited) {
            let policy = &edge.running;
            let known = self.checks.routed.entry(policy.epoch).or_insert_with(|| policy.routes.clone());
            if *known != policy.routes {
                broken = Some(format!("{policy} is not what its triple stood for before"));
            }
        }
        if let Some(what) = broken {
            self.violate(2, what);
        }
    }

    /// 3. The triple never goes down: in a file, in one life of a proxy unless a human writes it.
    fn edges_never_go_down(&mut self) {
        self.checks.files.resize(self.edges.len(), Epoch::default());
        self.checks.running.resize(self.edges.len(), (0, Epoch::default()));
        let mut broken = None;
        for (number, edge) in self.edges.iter().enumerate() {
            let file = std::mem::replace(&mut self.checks.files[number], edge.file.epoch);
            let (pid, running) = std::mem::replace(&mut self.checks.running[number], (edge.pid, edge.running.epoch));
            if !edge.edited && edge.running.epoch.verdict == Verdict::Bad {
                self.checks.taken_back.insert(number, edge.running.epoch.release);
            }
            if edge.file.epoch < file || (pid == edge.pid && edge.running.epoch < running) {
                broken = Some(format!("edge {number} went down from {file} / {running}"));
            }
        }
        if let Some(what) = broken {
            self.violate(3, what);
        }
    }

    /// 3, for the store; only an operator's restore takes it back.
    fn store_never_goes_down(&mut self) {
        let durable = self.store.document.as_ref().map(|d| d.epoch).unwrap_or_default();
        if durable < self.checks.durable && !self.checks.restored {
            let before = self.checks.durable;
            self.violate(3, format!("the store went down from {before} to {durable}"));
        }
        self.checks.durable = durable;
    }

    /// 4. The rollback target keeps its capacity until the watch and the retention end.
    pub(super) fn check_stop(&mut self, component: usize, colour: Colour) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        let c = &document.components[component];
        let release = document.epoch.release;
        let retained_for = self
            .checks
            .retaining
            .filter(|(of, _)| *of == release)
            .map_or(Duration::ZERO, |(_, since)| self.now.since(since));
        let runs = self.platform.slot(component, colour).version.is_some();
        let target = c.takes_part() && colour == c.stable.colour && runs;
        let early = match document.phase {
            Phase::Idle => document.is_bad() || (retained_for < self.scenario.settings.retain && !self.checks.restored),
            _ => true,
        };
        if target && early {
            self.violate(4, format!("{colour} of {} is stopped while it is the way back", c.name));
        }
        self.leaves_what_serves(component, colour);
    }

    /// 4, for a start: it must not replace what serves.
    pub(super) fn check_start(&mut self, component: usize, colour: Colour, version: &str) {
        if self.platform.slot(component, colour).version.as_deref().is_some_and(|runs| runs != version) {
            self.leaves_what_serves(component, colour);
        }
    }

    fn leaves_what_serves(&mut self, component: usize, colour: Colour) {
        let serves = |e: &&super::edge::Edge| {
            e.workable_since.is_some_and(|since| self.now.since(since) > REACTION)
                && !e.edited
                && e.running.routes[component].serves(colour)
        };
        if self.edges.iter().any(|e| serves(&e)) && self.platform.is_ready(component, colour) {
            self.violate(4, format!("{colour} of component {component} is taken away while an edge serves from it"));
        }
    }

    /// 5. At most one rollback per release; no flapping.
    fn at_most_one_rollback(&mut self, edge: usize, policy: &Policy) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        // With a store of yesterday, what only an edge's memory knew is gone when its proxy restarts.
        if document.epoch != policy.epoch || self.checks.restored {
            return;
        }
        let release = policy.epoch.release;
        let serving = policy.routes.iter().zip(&document.components);
        let mut moved = serving.filter(|(r, c)| r.share > Share::NONE && !document.emergency.contains(&c.name));
        let moved = moved.next().is_some();
        // 6. BAD never becomes good.
        if policy.epoch.verdict == Verdict::Bad && moved {
            return self.violate(6, format!("{policy} routes to the candidate of a bad release"));
        }
        if self.checks.taken_back.get(&edge) == Some(&release) && moved {
            return self.violate(5, format!("edge {edge} goes forward to {policy} after its rollback"));
        }
    }

    /// 9. A crash between any two steps is harmless: nothing is routed forward that a new agent would not know.
    fn nothing_forward_that_a_crash_forgets(&mut self, policy: &Policy) {
        if policy.epoch <= self.store.highest {
            return;
        }
        let Some(agent) = &self.agent else { return };
        let emergency = &agent.machine.document().emergency;
        let stored = self.store.document.as_ref().filter(|d| d.epoch.release == policy.epoch.release);
        let forward = policy.routes.iter().enumerate().any(|(id, route)| {
            let component = &agent.machine.document().components[id];
            let known = stored.map_or(Share::NONE, |d| d.components[id].share);
            route.share > known && !emergency.contains(&component.name)
        });
        if forward && !self.checks.restored {
            self.violate(9, format!("{policy} goes forward and is not stored"));
        }
    }

    /// 5, 6, 7, 10 and 11, as far as they are announced.
    pub(super) fn check_news(&mut self, notice: &Notice) {
        match &notice.news {
            News::Bad(cause) => {
                if self.checks.called_bad.replace(notice.release) == Some(notice.release) {
                    self.violate(5, format!("release {} is called bad twice", notice.release));
                }
                if let Cause::Errors { component } = cause {
                    self.not_a_shared_outage();
                    self.not_healthy(component);
                }
            }
            News::NoWayBack(_) | News::Emergency { .. } => self.checks.no_way_back = true,
            News::Ended(Outcome::Completed, _) => self.is_known(Share::ALL),
            _ => {}
        }
    }

    /// 7. Unknown never promotes silently.
    fn is_known(&mut self, share: Share) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        let needed = self.scenario.settings.min_requests;
        let seen = self.checks.seen.get(&(document.epoch.release, share));
        let silent = document.components.iter().enumerate().find(|(id, c)| {
            c.takes_part() && seen.and_then(|seen| seen.get(*id)).copied().unwrap_or_default() < needed
        });
        let blind = self.checks.feeds_lost.values().any(|since| self.now.since(*since) > Duration::from_millis(2500));
        if let Some((_, c)) = silent {
            self.violate(7, format!("{} went on from {share} on fewer than {needed} requests", c.name));
        } else if blind {
            self.violate(7, format!("the release went on from {share} while a feed was lost"));
        }
    }

    /// 10. While both colours fail nothing is switched.
    fn not_a_shared_outage(&mut self) {
        // A probe may have passed just before.
        let lasting = self.outage && self.now.since(self.outage_since) > Duration::from_millis(100);
        if lasting && self.scenario.settings.confirm {
            self.violate(10, "a rollback by errors in the middle of a shared outage");
        }
    }

    /// 11. A healthy release is not called bad by its requests.
    fn not_healthy(&mut self, component: &str) {
        let Some(agent) = &self.agent else { return };
        let Some(id) = self.scenario.settings.component(component) else { return };
        let c = &agent.machine.document().components[id];
        let slot = self.platform.slot(id, c.candidate.colour);
        let healthy = self.platform.quality(slot.version.as_ref()).is_healthy();
        // Its requests may also have failed because nothing of it was ready, or in an outage that was over
        // before the old colour could be asked about it.
        let was_bare = slot.ready == 0 || self.scenario.faults.platform;
        let slow = self.scenario.rate < 50 || self.scenario.faults.evidence || !self.scenario.settings.confirm;
        let tolerance = if slow { Duration::from_secs(60) } else { REACTION };
        let outage = self.outage || (self.outage_over > Time::ZERO && self.now.since(self.outage_over) < tolerance);
        if healthy && !was_bare && !outage {
            self.violate(11, format!("{component} is healthy and was called bad by its errors"));
        }
    }

    /// 8, on the way: an edge that can be asked follows a rollback within one round, store or no store.
    fn bad_is_off_the_edges(&mut self) {
        let Some(agent) = &self.agent else { return };
        let document = agent.machine.document();
        if !document.is_bad() || !agent.machine.has_started() {
            return;
        }
        let policy = document.policy();
        let late = self.edges.iter().position(|edge| {
            let since = edge.workable_since.map(|since| since.max(self.checks.since).max(edge.since));
            let paused = document.paused.is_some() && edge.edited;
            since.is_some_and(|since| self.now.since(since) > REACTION)
                && edge.running.routes != policy.routes
                && !paused
        });
        if let Some(edge) = late {
            self.violate(8, format!("edge {edge} does not follow {policy}"));
        }
    }

    /// 8. After faults stop, traffic settles wholly on one healthy colour in bounded time.
    pub(super) fn check_settled(&mut self) {
        let Some(agent) = &self.agent else { return self.violate(8, "no agent") };
        let document = agent.machine.document().clone();
        let stored = document.revision == 0 || self.store.document.as_ref() == Some(&document);
        if document.phase != Phase::Idle || !stored {
            return self.violate(8, format!("not settled: {:?}, {}", document.phase, document.epoch));
        }
        for number in 0..self.edges.len() {
            let edge = &self.edges[number];
            if edge.running != edge.file || edge.running.routes != document.policy().routes {
                return self.violate(8, format!("edge {number} has {} / {}", edge.running, edge.file));
            }
        }
        for (id, c) in document.components.iter().enumerate() {
            let active = c.active();
            if c.share != Share::NONE && c.share != Share::ALL {
                return self.violate(8, format!("{} is split", c.name));
            }
            let nothing_yet = active.version.is_none() && !self.platform.is_ready(id, active.colour.other());
            if !self.platform.is_ready(id, active.colour) && !nothing_yet {
                return self.violate(8, format!("{} is routed to {}, which has nothing", c.name, active.colour));
            }
            self.no_bad_version_stays(&document, id);
        }
    }

    /// 12. A bad release whose requests were seen does not stay.
    fn no_bad_version_stays(&mut self, document: &Document, id: usize) {
        let active = document.components[id].active();
        let Quality { errors, .. } = self.platform.quality(self.platform.slot(id, active.colour).version.as_ref());
        let promoted = self.checks.promoted == Some(document.epoch.release) || self.checks.no_way_back;
        if errors >= 0.2 && self.scenario.sees_everything() && !promoted {
            let version = active.version.as_deref().unwrap_or("?");
            self.violate(12, format!("{version} fails {errors} of its requests and serves"));
        }
    }
}
