//! The world: virtual time, a queue of what will happen, and everything the agent does not decide.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::edge::{Edge, POLL};
use super::invariants::Checks;
use super::outage::Outages;
use super::platform::{INSTANCES, Platform, Quality};
use super::queue::Entry;
pub(super) use super::queue::What;
use super::random::Random;
use super::report::{Tally, Violation};
use super::scenario::Scenario;
use super::seat::Seat;
use super::store::{Desk, Store};
use crate::colour::Colour;
use crate::document::Document;
use crate::machine::Event;
use crate::policy::Policy;
use crate::statistics::History;
use crate::time::Time;

/// 2026-01-01, when every world begins.
const BEGINNING_UNIX_MILLIS: u64 = 1_767_225_600_000;
/// More steps than any seed needs; a machine that asks to be woken without end shows up here.
const MOST_STEPS: u64 = 400_000;
/// How many events a violation shows.
const SHOWN: usize = 40;

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) random: Random,
    pub(super) now: Time,
    queue: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
    pub(super) steps: u64,
    pub(super) edges: Vec<Edge>,
    pub(super) store: Store,
    pub(super) platform: Platform,
    pub(super) seats: Vec<Seat>,
    /// How many lives agents have had.
    pub(super) lives: u64,
    pub(super) outages: Outages,
    /// Blocks are lost, late and delivered twice.
    pub(super) lossy: bool,
    /// Smoke suites and probes do not answer.
    pub(super) mute: bool,
    pub(super) unix_millis: u64,
    pub(super) in_trouble: bool,
    pub(super) versions: u32,
    pub(super) checks: Checks,
    pub(super) tally: Tally,
    pub(super) broken: Option<(u8, String)>,
    finished: bool,
    log: Option<VecDeque<String>>,
}

impl World {
    pub(super) fn new(scenario: &Scenario, recording: bool) -> Self {
        let mut random = Random::new(scenario.seed);
        let settings = &scenario.settings;
        let names: Vec<String> = settings.components.iter().map(|c| c.name.clone()).collect();
        let mut document = Document::new(names, settings.salt.clone(), settings.edges.clone());
        let mut platform = Platform::new(document.components.len());
        platform.versions.insert("v0".into(), Quality::HEALTHY);
        // Most worlds have served from blue for a while; the others begin with a first release.
        let history = random.chance(0.8);
        if history {
            for (id, component) in document.components.iter_mut().enumerate() {
                component.stable.version = Some("v0".into());
                component.candidate.version = Some("v0".into());
                platform.start(id, Colour::Blue, "v0", 0, Time::ZERO);
                platform.set_ready(id, Colour::Blue, INSTANCES, Time::ZERO);
            }
        }
        let policy = document.policy();
        let baselines = vec![History::seeded(30_000, 30, BEGINNING_UNIX_MILLIS); document.components.len()];
        let edges = settings.edges.iter().map(|_| Edge::new(policy.clone())).collect();
        let seat = |_| {
            let skew = if scenario.faults.clocks && scenario.agents > 0 { random.below(600_000) } else { 300_000 };
            Seat::new(Desk::seeded(baselines.clone()), i64::try_from(skew).unwrap_or(0) - 300_000)
        };
        let seats = (0..scenario.agents.max(1)).map(seat).collect();
        let mut world = Self {
            scenario: scenario.clone(),
            random,
            now: Time::ZERO,
            queue: BinaryHeap::new(),
            scheduled: 0,
            steps: 0,
            edges,
            store: Store::seeded(history.then_some(document)),
            platform,
            seats,
            lives: 0,
            outages: Outages::new(scenario.faults.held_up),
            lossy: false,
            mute: false,
            unix_millis: BEGINNING_UNIX_MILLIS,
            in_trouble: true,
            versions: 0,
            checks: Checks::of(scenario.agents.max(1)),
            tally: Tally::default(),
            broken: None,
            finished: false,
            log: recording.then(VecDeque::new),
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for who in 0..self.seats.len() {
            self.after(Duration::ZERO, What::Boot { who });
        }
        for edge in 0..self.edges.len() {
            self.after(Duration::from_millis(7), What::Traffic { edge });
        }
        let first = self.random.millis(500, 3000);
        self.after(first, What::Deploy);
        self.after(Duration::from_secs(2), What::People);
        self.after(Duration::from_secs(1), What::Trouble);
        self.after(self.scenario.trouble, What::Heal);
    }

    pub(super) fn run(mut self) -> Result<Tally, Box<Violation>> {
        while !self.finished {
            let Some(Reverse(Entry { at, what, .. })) = self.queue.pop() else { break };
            self.now = at;
            self.steps += 1;
            self.record(&what);
            self.happen(what);
            self.check();
            if self.steps > MOST_STEPS {
                self.violate(8, "the world goes on and on: a deadline that is never met?");
            }
            if let Some((invariant, what)) = self.broken.take() {
                return Err(Box::new(Violation {
                    seed: self.scenario.seed,
                    test: self.scenario.name,
                    sabotage: self.scenario.sabotage,
                    step: self.steps,
                    invariant,
                    what,
                    events: self.log.take().map(Vec::from).unwrap_or_default(),
                }));
            }
        }
        self.tally.steps = self.steps;
        Ok(self.tally)
    }

    pub(super) fn after(&mut self, delay: Duration, what: What) {
        self.scheduled += 1;
        self.queue.push(Reverse(Entry { at: self.now + delay, number: self.scheduled, what }));
    }

    /// An invariant does not hold. The first one counts.
    pub(super) fn violate(&mut self, invariant: u8, what: impl Into<String>) {
        self.broken.get_or_insert((invariant, what.into()));
    }

    fn record(&mut self, what: &What) {
        if self.log.is_some() && !matches!(what, What::Poll { .. } | What::Traffic { .. } | What::Save { .. }) {
            let text = match what {
                What::Event { event: Event::Requests(block), .. } => {
                    let bad = block.requests.iter().filter(|r| r.bad).count();
                    format!("requests of edge {}: {}, {bad} bad", block.observer, block.requests.len())
                }
                What::Event { event: Event::Edge(report), .. } => {
                    let policy = |p: &Option<Policy>| p.as_ref().map_or("none".to_owned(), ToString::to_string);
                    let (running, saved) = (policy(&report.running), policy(&report.saved));
                    format!("report of edge {}: {running} / {saved}, manual {}", report.edge, report.manual)
                }
                What::Order { edge, policy, direction, .. } => format!("order to edge {edge}: {policy} {direction:?}"),
                what => format!("{what:?}"),
            };
            self.note(text);
        }
    }

    pub(super) fn recording(&self) -> bool {
        self.log.is_some()
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        let line = format!("{:>12.6} s  {}", self.now.since(Time::ZERO).as_secs_f64(), text.into());
        if let Some(log) = &mut self.log {
            if log.len() == SHOWN {
                log.pop_front();
            }
            log.push_back(line);
        }
    }

    pub(super) fn happen(&mut self, what: What) {
        let Some(life) = what.life() else { return self.happen_outside(&what) };
        // Meant for an agent that has died, or that sleeps.
        let Some(who) = self.seat_of(life) else { return };
        let Some(what) = self.seats[who].defer(what) else { return };
        self.happen_to(who, what);
    }

    fn happen_to(&mut self, who: usize, what: What) {
        match what {
            What::Event { event, .. } => self.deliver(who, event),
            What::Wake { .. } => self.wake(who),
            What::Save { .. } => self.save(who),
            What::Renew { .. } => self.renew(who),
            What::Relist { .. } => self.relist(who),
            What::Hear { version, document, .. } => self.heard(who, *document, version),
            What::Order { edge, policy, direction, .. } => self.order_edge(edge, policy, direction),
            What::WriteFile { edge, order, .. } => self.write_file(edge, order),
            What::WriteRunning { edge, order, .. } => self.write_running(edge, order),
            What::Poll { life, edge } => {
                self.after(POLL, What::Poll { life, edge });
                let left = self.edges[edge].poll();
                self.go_on_at(edge, left);
            }
            What::Report { life, edge } => {
                self.after(Duration::from_secs(1), What::Report { life, edge });
                self.report(edge);
            }
            What::Store { .. } => self.write_store(who),
            what @ (What::Start { .. } | What::Scale { .. } | What::Stop { .. } | What::Select { .. })
                if self.seats[who].cut =>
            {
                self.after(Duration::from_millis(500), what);
            }
            What::Start { component, colour, version, release, .. } => self.start(component, colour, &version, release),
            What::Scale { component, colour, scaling, .. } => self.scale(component, colour, &scaling),
            What::Stop { component, colour, release, .. } => self.stop(component, colour, release),
            What::Select { component, colour, release, .. } => {
                self.platform.select(component, colour, release);
            }
            What::Smoke { release, targets, .. } => self.smoke(who, release, &targets),
            What::Probe { probe, .. } => self.probe(who, &probe),
            What::Sample { round, component, colour, release, .. } => {
                self.sample(who, round, component, colour, release);
            }
            _ => {}
        }
    }

    fn happen_outside(&mut self, what: &What) {
        match *what {
            What::Boot { who } => self.boot(who),
            What::Ready { component, colour, generation, ready } => self.ready(component, colour, generation, ready),
            What::Looping { component, colour, generation } => self.looping(component, colour, generation),
            What::Traffic { edge } => self.traffic(edge),
            What::Deploy => self.deploy_something(),
            What::People => self.people(),
            What::Trouble => self.trouble(),
            What::Over(trouble) => self.over(trouble),
            What::Heal => self.heal(),
            What::Finish => {
                self.check_settled();
                self.finished = true;
            }
            _ => {}
        }
    }
}
