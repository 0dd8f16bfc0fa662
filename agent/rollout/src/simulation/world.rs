//! The world: virtual time, a queue of what will happen, and everything the agent does not decide.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::agent::Agent;
use super::edge::{Edge, POLL};
use super::invariants::Checks;
use super::outage::Outages;
use super::platform::{INSTANCES, Platform, Quality};
use super::queue::Entry;
pub(super) use super::queue::What;
use super::random::Random;
use super::report::{Tally, Violation};
use super::scenario::Scenario;
use super::store::Store;
use crate::colour::Colour;
use crate::document::Document;
use crate::machine::{Action, Event};
use crate::policy::Policy;
use crate::statistics::History;
use crate::time::Time;

/// 2026-01-01, when every world begins.
const BEGINNING_UNIX_MILLIS: u64 = 1_767_225_600_000;
/// More steps than any seed needs; a machine that asks to be woken without end shows up here.
const MOST_STEPS: u64 = 200_000;
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
    pub(super) agent: Option<Agent>,
    pub(super) life: u64,
    /// Dies before this many more actions are done.
    pub(super) crash_after: Option<u64>,
    pub(super) outages: Outages,
    /// Blocks are lost, late and delivered twice.
    pub(super) lossy: bool,
    /// Smoke suites and probes do not answer.
    pub(super) mute: bool,
    pub(super) unix_millis: u64,
    pub(super) in_trouble: bool,
    pub(super) versions: u32,
    /// Rollback orders that a planted bug holds back.
    pub(super) withheld: Vec<Action>,
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
                platform.start(id, Colour::Blue, "v0", Time::ZERO);
                platform.set_ready(id, Colour::Blue, INSTANCES, Time::ZERO);
            }
        }
        let policy = document.policy();
        let baselines = vec![History::seeded(30_000, 30, BEGINNING_UNIX_MILLIS); document.components.len()];
        let edges = settings.edges.iter().map(|_| Edge::new(policy.clone())).collect();
        let mut world = Self {
            scenario: scenario.clone(),
            random,
            now: Time::ZERO,
            queue: BinaryHeap::new(),
            scheduled: 0,
            steps: 0,
            edges,
            store: Store::seeded(history.then_some(document), baselines),
            platform,
            agent: None,
            life: 0,
            crash_after: None,
            outages: Outages::default(),
            lossy: false,
            mute: false,
            unix_millis: BEGINNING_UNIX_MILLIS,
            in_trouble: true,
            versions: 0,
            withheld: Vec::new(),
            checks: Checks::default(),
            tally: Tally::default(),
            broken: None,
            finished: false,
            log: recording.then(VecDeque::new),
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        self.after(Duration::ZERO, What::Boot);
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

    fn happen(&mut self, what: What) {
        match what {
            What::Boot => self.boot(),
            What::Event { life, event } if self.lives(life) => self.deliver(event),
            What::Wake { life } if self.lives(life) => self.wake(),
            What::Save { life } if self.lives(life) => self.save(),
            What::Order { life, edge, policy, direction } if self.lives(life) => {
                self.order_edge(edge, policy, direction);
            }
            What::WriteFile { life, edge, order } if self.lives(life) => self.write_file(edge, order),
            What::WriteRunning { life, edge, order } if self.lives(life) => self.write_running(edge, order),
            What::Poll { life, edge } if self.lives(life) => {
                self.after(POLL, What::Poll { life, edge });
                let left = self.edges[edge].poll();
                self.go_on_at(edge, left);
            }
            What::Report { life, edge } if self.lives(life) => {
                self.after(Duration::from_secs(1), What::Report { life, edge });
                self.report(edge);
            }
            What::Store { life } if self.lives(life) => self.write_store(),
            What::Start { life, component, colour, version } if self.lives(life) => {
                self.start(component, colour, &version);
            }
            What::Stop { life, component, colour } if self.lives(life) => {
                self.platform.stop(component, colour, self.now);
                self.tell_capacity(component, colour);
            }
            What::Smoke { life, release, targets } if self.lives(life) => self.smoke(release, &targets),
            What::Probe { life, probe } if self.lives(life) => self.probe(&probe),
            What::Sample { life, round, component, colour, release } if self.lives(life) => {
                self.sample(round, component, colour, release);
            }
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
            // Meant for an agent that has died.
            What::Event { .. }
            | What::Wake { .. }
            | What::Save { .. }
            | What::Order { .. }
            | What::WriteFile { .. }
            | What::WriteRunning { .. }
            | What::Poll { .. }
            | What::Report { .. }
            | What::Store { .. }
            | What::Start { .. }
            | What::Stop { .. }
            | What::Smoke { .. }
            | What::Probe { .. }
            | What::Sample { .. } => {}
        }
    }

    fn lives(&self, life: u64) -> bool {
        self.agent.is_some() && self.life == life
    }
}
