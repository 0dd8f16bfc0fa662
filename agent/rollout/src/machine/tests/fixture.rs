//! A machine and the world around it: one edge, a store, a platform. What tests say stands in `words`, what they look at
//! in `seen`.

use std::time::Duration;

use crate::colour::Colour::{Blue, Green};
use crate::criteria::Criteria;
use crate::document::Document;
use crate::machine::event::{Backend, Capacity, EdgeReport, Event, Feed, Order};
use crate::machine::{Action, Direction, Machine, Now, Refusal, Saved};
use crate::policy::{Policy, Salt};
use crate::retention::Stage;
use crate::settings::{ComponentSettings, Mode, OnUnknown, Settings};
use crate::statistics::History;
use crate::time::Time;

mod seen;
mod words;

pub(super) const UNIX_MILLIS: u64 = 1_767_225_600_000;

/// One component `api`, one edge; watches 10 s to 30 s, retains 60 s.
pub(super) fn settings() -> Settings {
    Settings {
        mode: Mode::Act,
        components: vec![ComponentSettings {
            name: "api".into(),
            criteria: Criteria { acceptable_error_rate: 0.05, min_requests: 20, ..Criteria::default() },
        }],
        edges: vec!["edge".into()],
        own: None,
        salt: Salt::default(),
        steps: Vec::new(),
        watch_min: Duration::from_secs(10),
        watch_max: Duration::from_secs(30),
        on_unknown: OnUnknown::Keep,
        retain: vec![Stage::full(Duration::from_secs(60))],
        deploy_timeout: Duration::from_secs(20),
        switch_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(3),
        confirm: true,
    }
}

/// A document of an environment that has served `v1` from blue.
pub(super) fn serving_v1(settings: &Settings) -> Document {
    let names = settings.components.iter().map(|c| c.name.clone());
    let mut document = Document::new(names, settings.salt.clone(), settings.edges.clone());
    for component in &mut document.components {
        component.stable.version = Some("v1".into());
        component.candidate.version = Some("v1".into());
    }
    document
}

#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) running: Policy,
    pub(super) saved: Policy,
    pub(super) up: bool,
    pub(super) disk_full: bool,
    pub(super) manual: bool,
    pub(super) feed: Feed,
    pub(super) in_flight: u32,
}

/// A machine and a world that does what it says, as long as nothing is broken on purpose.
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) machine: Machine,
    pub(super) now: Time,
    pub(super) unix_millis: u64,
    pub(super) stored: Option<Document>,
    pub(super) store_up: bool,
    pub(super) edge: Edge,
    /// What becomes of probes of the candidate; `None`: they are not answered.
    pub(super) sampled: Option<bool>,
    /// Everything the machine ever asked for, in order.
    pub(super) actions: Vec<Action>,
    sequence: u64,
}

impl World {
    /// `v1` serves from blue.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// As [`Self::new`], with other settings.
    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let document = serving_v1(&settings);
        Self::from(settings, Some(document))
    }

    /// Nothing was ever deployed.
    pub(super) fn empty() -> Self {
        Self::from(settings(), None)
    }

    fn from(settings: Settings, stored: Option<Document>) -> Self {
        let names = settings.components.iter().map(|c| c.name.clone());
        let policy = Document::new(names, settings.salt.clone(), settings.edges.clone()).policy();
        let machine = Machine::new(settings.clone(), Saved::default(), now(Time::ZERO, UNIX_MILLIS));
        let edge = Edge {
            running: policy.clone(),
            saved: policy,
            up: true,
            disk_full: false,
            manual: false,
            feed: Feed::Live,
            in_flight: 0,
        };
        let had_version = stored.is_some();
        let mut world = Self {
            settings,
            machine,
            now: Time::ZERO,
            unix_millis: UNIX_MILLIS,
            stored,
            store_up: true,
            edge,
            sampled: Some(true),
            actions: Vec::new(),
            sequence: 0,
        };
        world.start_machine(None);
        for id in 0..world.settings.components.len() {
            let version = had_version.then_some("v1");
            world.capacity(id, Blue, version, if had_version { 2 } else { 0 });
            world.capacity(id, Green, None, 0);
        }
        world.report();
        world
    }

    fn start_machine(&mut self, checkpoint: Option<crate::document::Checkpoint>) {
        let history = History::seeded(30_000, 30, self.unix_millis);
        let baselines = vec![history; self.settings.components.len()];
        let saved = Saved { document: self.stored.clone(), checkpoint, baselines };
        self.machine = Machine::new(self.settings.clone(), saved, now(self.now, self.unix_millis));
    }

    /// The agent dies and comes back with what the store has; edges and platform report anew.
    pub(super) fn restart(&mut self) -> &mut Self {
        let known = self.capacities();
        self.restart_deaf();
        for capacity in known {
            self.send(Event::Capacity(capacity));
        }
        self.report()
    }

    /// The same before edges and platform have spoken.
    pub(super) fn restart_deaf(&mut self) -> &mut Self {
        let checkpoint = Some(self.machine.checkpoint());
        self.actions.clear();
        self.start_machine(checkpoint);
        self
    }

    fn capacities(&self) -> Vec<Capacity> {
        self.machine.view().components.into_iter().flat_map(|c| c.capacity).flatten().collect()
    }

    pub(super) fn send(&mut self, event: Event) -> &mut Self {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let actions = self.machine.handle(now(self.now, self.unix_millis), event);
            events.extend(self.obey(actions));
        }
        self
    }

    pub(super) fn order(&mut self, order: Order) -> Result<(), Refusal> {
        let actions = self.machine.order(now(self.now, self.unix_millis), order)?;
        for event in self.obey(actions) {
            self.send(event);
        }
        Ok(())
    }

    fn obey(&mut self, actions: Vec<Action>) -> Vec<Event> {
        let mut events = Vec::new();
        for action in &actions {
            match action {
                Action::Persist(document) if self.store_up => {
                    self.stored = Some((**document).clone());
                    events.push(Event::Stored { revision: document.revision });
                }
                Action::Persist(document) => events.push(Event::StoreFailed { revision: document.revision }),
                Action::Route { policy, direction, .. } => {
                    self.write(policy, *direction);
                    events.push(Event::Edge(self.edge_report()));
                }
                Action::Sample { round, component, release, .. } => {
                    let (release, component, round) = (*release, *component, *round);
                    let answer =
                        |passed| Event::Sampled { release, component, round, passed, wait: Duration::from_millis(5) };
                    events.extend(self.sampled.map(answer));
                }
                _ => {}
            }
        }
        self.actions.extend(actions);
        events
    }

    fn write(&mut self, policy: &Policy, direction: Direction) {
        let edge = &mut self.edge;
        if policy.epoch < edge.running.epoch.max(edge.saved.epoch) {
            return;
        }
        edge.manual = false;
        if !edge.disk_full {
            edge.saved = policy.clone();
        }
        if edge.up && (direction == Direction::Back || !edge.disk_full) {
            edge.running = policy.clone();
        }
    }

    fn edge_report(&self) -> EdgeReport {
        let backends = self.capacities().into_iter();
        let backend = |c: Capacity| Backend {
            component: c.component,
            colour: c.colour,
            up: c.ready,
            in_flight: self.edge.in_flight,
        };
        EdgeReport {
            edge: 0,
            running: self.edge.up.then(|| self.edge.running.clone()),
            saved: Some(self.edge.saved.clone()),
            manual: self.edge.manual,
            feed: self.edge.feed,
            backends: if self.edge.up { backends.map(backend).collect() } else { Vec::new() },
        }
    }

    /// The edge reports as it is.
    pub(super) fn report(&mut self) -> &mut Self {
        let report = self.edge_report();
        self.send(Event::Edge(report))
    }

    /// The store is back and writes what it was asked to last.
    pub(super) fn store_back(&mut self) -> &mut Self {
        self.store_up = true;
        let last = self.actions.iter().rev().find_map(|action| match action {
            Action::Persist(document) => Some((**document).clone()),
            _ => None,
        });
        if let Some(document) = last {
            let revision = document.revision;
            self.stored = Some(document);
            self.send(Event::Stored { revision });
        }
        self
    }
}

const fn now(time: Time, unix_millis: u64) -> Now {
    Now { time, unix_millis }
}
