//! A machine that watches a release, with history of its own making.

use std::time::Duration;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::criteria::Criteria;
use teal_rollout::document::{Document, Phase};
use teal_rollout::machine::event::{Block, Event, Observation};
use teal_rollout::machine::{Machine, Now, Saved};
use teal_rollout::policy::{Epoch, Salt, Verdict};
use teal_rollout::retention::Stage;
use teal_rollout::settings::{ComponentSettings, Mode, OnUnknown, Settings};
use teal_rollout::time::Time;

/// The release that is watched.
pub(crate) const RELEASE: u64 = 43;

pub(crate) struct Watch {
    machine: Machine,
    now: Now,
    sequence: u64,
}

/// The n-th request to the candidate: quick, one in two hundred bad, over five route groups.
pub(crate) fn request(n: u64) -> Observation {
    let bad = n.is_multiple_of(200);
    Observation {
        group: u8::try_from(n % 5).unwrap_or(0),
        wait_ms: u32::try_from(5 + n % 40).ok(),
        ..Observation::new(0, Colour::Green, RELEASE, bad)
    }
}

impl Watch {
    /// Everything goes to green, after 50,000 requests to blue.
    pub(crate) fn new() -> Self {
        let settings = settings();
        let names = settings.components.iter().map(|c| c.name.clone());
        let mut document = Document::new(names, settings.salt.clone(), settings.edges.clone());
        for component in &mut document.components {
            component.stable.version = Some("v1".into());
            component.candidate.version = Some("v1".into());
        }
        let now = Now { time: Time::ZERO, unix_millis: 1_795_000_000_000 };
        let saved = Saved { document: Some(document.clone()), ..Saved::default() };
        let mut watch = Self { machine: Machine::new(settings.clone(), saved, now), now, sequence: 0 };
        for _ in 0..50 {
            let requests = (0..1000).map(|n| Observation { colour: Colour::Blue, release: 42, ..request(n) });
            watch.take(Duration::from_millis(250), requests.collect());
        }
        document.epoch = Epoch { release: RELEASE, verdict: Verdict::Open, step: 1 };
        document.phase = Phase::Watching;
        document.share = Share::ALL;
        let component = &mut document.components[0];
        component.candidate.colour = Colour::Green;
        component.candidate.version = Some("v2".into());
        component.share = Share::ALL;
        let baselines = watch.machine.baselines().to_vec();
        watch.machine =
            Machine::new(settings, Saved { document: Some(document), baselines, ..Saved::default() }, watch.now);
        watch
    }

    /// Takes a block that comes so much later, and does what is asked of it: nothing.
    pub(crate) fn take(&mut self, later: Duration, requests: Vec<Observation>) {
        self.now.time = self.now.time + later;
        self.sequence += 1;
        let block = Block { observer: 0, sequence: self.sequence, requests };
        drop(self.machine.handle(self.now, Event::Requests(block)));
    }

    /// Any other event, now.
    pub(crate) fn hear(&mut self, event: Event) {
        drop(self.machine.handle(self.now, event));
    }

    /// Requests of the candidate that were judged.
    pub(crate) fn judged(&self) -> u64 {
        self.machine.checkpoint().evidence.iter().map(|evidence| evidence.requests()).sum()
    }
}

fn settings() -> Settings {
    let groups = ["all", "patients", "visits", "files"].map(str::to_owned).to_vec();
    let component = |name: &str| ComponentSettings {
        name: name.into(),
        criteria: Criteria { groups: groups.clone(), ..Criteria::default() },
    };
    Settings {
        mode: Mode::Act,
        components: vec![component("api"), component("web")],
        edges: vec!["edge".into()],
        own: None,
        salt: Salt::default(),
        steps: Vec::new(),
        watch_min: Duration::from_secs(24 * 3600),
        watch_max: Duration::from_secs(48 * 3600),
        on_unknown: OnUnknown::Keep,
        retain: vec![Stage::full(Duration::from_secs(3600))],
        deploy_timeout: Duration::from_secs(60),
        switch_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(5),
        confirm: true,
    }
}
