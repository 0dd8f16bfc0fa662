//! The release state machine: an event and the time come in, actions and a deadline go out.
//!
//! ```text
//!  Idle -> Deploying -> Smoke -> Switching <-> Watching -> Retaining -> Idle
//!              |          |         |             |  \-> Held   |
//!              +----------+---------+-------------+-----+-------+--> RollingBack -> Idle
//! ```
//!
//! Forward: persist first; the actions wait in `held_back` until the document is durable. Back: the edges
//! are told first, in the same breath, and the document follows. Every order is absolute, so a restarted
//! machine gives the order of its phase again and no harm is done.

pub mod action;
pub mod event;

mod case;
mod confirm;
mod doubt;
mod emergency;
mod emit;
mod evidence;
mod facts;

mod following;
mod leading;
mod learn;
mod orders;
mod phases;
mod refusal;
mod retaining;
mod sampling;
mod scale;
mod selecting;
mod start;
mod streak;
#[cfg(test)]
mod tests;
mod timing;
mod view;
mod watching;

use std::time::Duration;

pub use action::{Action, Direction, News, Notice, Probe};
pub use event::{Event, Order};
pub use orders::is_version;
pub use refusal::Refusal;
pub use view::{ComponentView, ScaleUp, View};

use crate::colour::Share;
use crate::document::{Cause, Checkpoint, Document, Pause, Phase};
use crate::settings::{Mode, Settings};
use crate::statistics::History;
use crate::time::Time;

/// The time of an event, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// What every deadline and duration is judged by.
    pub time: Time,
    /// Milliseconds since 1970, only to age the baseline's history; it may jump.
    pub unix_millis: u64,
}

/// What a machine starts from: all of it may be missing.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The stored document.
    pub document: Option<Document>,
    /// The last checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// One baseline a component, in their order.
    pub baselines: Vec<History>,
}

/// The state machine of one environment.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: Settings,
    doc: Document,
    /// The greatest revision known to be durable.
    stored: u64,
    /// Since when the whole document is.
    stored_at: Time,
    /// Each component's share when the whole document was last durable.
    stored_shares: Vec<Share>,
    /// Whether the store's last word was a failure.
    store_failing: bool,
    lead: leading::Lead,
    /// Whether it led when it last looked.
    led: bool,
    /// This release's number, until the store has it.
    claim: Option<leading::Claim>,
    /// A pause or its end that the store does not have yet.
    pausing: Option<Option<Pause>>,
    selecting: selecting::Selecting,
    /// The release and number of the order to scale that was given last, in this life and lead.
    scaled: Option<(u64, u32)>,
    /// How long the old colour has been scaling up for traffic to go back.
    coming_for: Duration,
    /// The release that was ordered to go back, and why, while the store does not have that yet.
    asked_back: Option<(u64, Cause)>,
    /// How many documents of others were taken.
    heard: u64,
    /// Forward actions waiting for `doc.revision` to become durable.
    held_back: Vec<Action>,
    facts: facts::Facts,
    evidence: evidence::Watch,
    confirm: confirm::Confirm,
    baselines: Vec<History>,
    /// Counted time in the current phase.
    elapsed: Duration,
    /// Counted time since the first switch of this release; what the start mass is spread over.
    exposure: Duration,
    /// Whether the watch's extension was announced.
    extended: bool,
    /// Whether the smoke suite passed during a pause.
    smoke_passed: bool,
    /// Whether "no way back" was announced in this release.
    no_way_back_told: bool,
    started: start::Start,
    last: Now,
    out: Vec<Action>,
}

impl Machine {
    /// A machine that goes on where `saved` left off. It does nothing before every edge has reported, or three
    /// seconds have passed.
    #[must_use]
    pub fn new(settings: Settings, saved: Saved, now: Now) -> Self {
        let names: Vec<String> = settings.components.iter().map(|c| c.name.clone()).collect();
        let mut doc = saved
            .document
            .unwrap_or_else(|| Document::new(names.clone(), settings.salt.clone(), settings.edges.clone()));
        start::fit_to_settings(&mut doc, &names);
        if !doc.phase.is_busy() {
            doc.edges.clone_from(&settings.edges);
        }
        let mut baselines = saved.baselines;
        baselines.resize_with(settings.components.len(), History::default);
        for (history, component) in baselines.iter_mut().zip(&settings.components) {
            history.fit(&component.criteria.groups);
        }
        let checkpoint = saved.checkpoint.filter(|c| c.epoch.release == doc.epoch.release).unwrap_or_default();
        let mut machine = Self {
            facts: facts::Facts::new(settings.components.len(), doc.edges.len()),
            evidence: evidence::Watch::resume(checkpoint.evidence, checkpoint.exposure).with_samples(
                checkpoint.samples,
                &settings,
                doc.edges.len(),
                checkpoint.exposure,
                now.time,
            ),
            confirm: confirm::Confirm::default(),
            stored: doc.revision,
            stored_at: now.time,
            stored_shares: doc.components.iter().map(|c| c.share).collect(),
            store_failing: false,
            lead: leading::Lead::of(&settings),
            led: leading::Lead::of(&settings).is_alone(),
            claim: None,
            pausing: None,
            selecting: selecting::Selecting::new(settings.components.len()),
            scaled: None,
            coming_for: Duration::ZERO,
            asked_back: None,
            heard: 0,
            held_back: Vec::new(),
            baselines,
            elapsed: if (checkpoint.epoch, checkpoint.phase) == (doc.epoch, doc.phase) {
                checkpoint.elapsed
            } else {
                Duration::ZERO
            },
            exposure: checkpoint.exposure,
            extended: false,
            smoke_passed: false,
            no_way_back_told: false,
            started: start::Start::waiting(now.time),
            last: now,
            out: Vec::new(),
            settings,
            doc,
        };
        if machine.judges() && machine.evidence.is_empty() {
            machine.start_evidence();
        }
        machine
    }

    /// Takes one event and says what is to be done, in order.
    pub fn handle(&mut self, now: Now, event: Event) -> Vec<Action> {
        self.pass_time(now);
        self.mind_lead();
        match event {
            Event::Requests(block) => {
                if self.facts.is_new(block.observer, block.sequence) {
                    self.observe(now, &block);
                }
            }
            Event::Capacity(capacity) => self.facts.capacity(capacity, now.time),
            Event::Edge(report) => self.facts.edge(report, now.time),
            Event::Smoke { release, result } => self.smoke_finished(release, result),
            Event::Probed { round, arm, passed } => self.probed(now.time, round, arm, passed),
            Event::Sampled { release, component, round, passed, wait } => {
                self.sampled(release, component, round, passed, wait);
            }
            Event::Stored { revision } => self.on_stored(revision),
            Event::StoreFailed { revision } => self.store_failing = self.store_failing || revision > self.stored,
            Event::Lead { until } => self.told_to_lead(until),
            Event::Document(theirs) => self.meet(*theirs),
            Event::Drift { component, .. } => self.drifted(component),
            Event::Tick => {}
        }
        self.advance(now);
        self.take_out()
    }

    /// Takes a human's order and says what is to be done, in order.
    ///
    /// # Errors
    /// [`Refusal`] says why not, and what to do instead; nothing has changed then.
    pub fn order(&mut self, now: Now, order: Order) -> Result<Vec<Action>, Refusal> {
        self.pass_time(now);
        self.mind_lead();
        self.take_order(order)?;
        self.advance(now);
        Ok(self.take_out())
    }

    /// The desired state.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.doc
    }

    /// Whether the edges have been asked and orders are taken.
    #[must_use]
    pub const fn has_started(&self) -> bool {
        self.started.is_done()
    }

    /// What a crash should not lose; worth saving about once a second during a watch.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            epoch: self.doc.epoch,
            phase: self.doc.phase,
            elapsed: self.elapsed,
            exposure: self.exposure,
            evidence: self.evidence.save(),
            samples: self.evidence.save_samples(),
        }
    }

    /// The history the next release is judged against, one a component.
    #[must_use]
    pub fn baselines(&self) -> &[History] {
        &self.baselines
    }

    /// One round of consequences: at most a few, each phase looks at the facts once.
    fn advance(&mut self, now: Now) {
        if !self.start(now.time) {
            return;
        }
        self.learn();
        self.learn_versions();
        if self.acts() {
            self.mind_capacity(now.time);
        }
        match self.doc.phase {
            Phase::Switching | Phase::Watching | Phase::Held if !self.leads() => self.judge(now.time),
            _ if !self.leads() => {}
            Phase::Idle => {}
            Phase::Deploying => self.deploying(),
            Phase::Smoke => self.smoking(),
            Phase::Switching => self.switching(now.time),
            Phase::Watching | Phase::Held => self.watching(now.time),
            Phase::Retaining => self.retaining(),
            Phase::RollingBack => self.rolling_back(),
        }
        if self.is_durable() {
            self.let_go();
        }
        self.scale();
        self.select();
        self.sample(now.time);
    }

    fn acts(&self) -> bool {
        self.settings.mode == Mode::Act
    }

    /// Whether the candidate's requests are evidence now.
    fn judges(&self) -> bool {
        matches!(self.doc.phase, Phase::Switching | Phase::Watching | Phase::Held) && !self.doc.is_bad()
    }
}
