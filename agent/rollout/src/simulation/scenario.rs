//! What one seed is about: the settings, the traffic, which faults happen at all, and which bug is planted.

use std::time::Duration;

use super::random::Random;
use crate::colour::Share;
use crate::criteria::{Criteria, Probes};
use crate::policy::Salt;
use crate::retention::Stage;
use crate::settings::{ComponentSettings, Mode, OnUnknown, Settings, Step};

/// Which kinds of trouble a seed has. Each seed leaves some out, so that the others can go deeper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, drawn one by one")]
pub struct Faults {
    /// The agent dies, at any point of its work, and comes back.
    pub crashes: bool,
    /// HAProxy goes down, restarts from its file, reloads, cannot be reached for a while.
    pub proxies: bool,
    /// The disk under a map file is full for a while.
    pub disks: bool,
    /// The store is down or slow for a while, or restored from an older backup while the agent is down.
    pub store: bool,
    /// Instances die and come back, on either colour.
    pub platform: bool,
    /// Evidence is lost, delivered twice, late; the feed is lost for a while.
    pub evidence: bool,
    /// Both colours fail at the same time, for milliseconds or seconds.
    pub outages: bool,
    /// In these outages only a part of the requests fails.
    pub partial: bool,
    /// What fails in these outages was held up: it is told of half a second later and more, among what does well again.
    pub held_up: bool,
    /// The smoke suite or a probe never answers.
    pub silence: bool,
    /// The wall clock jumps.
    pub clocks: bool,
    /// Versions that are bad, crash or fail the smoke suite are released.
    pub versions: bool,
    /// An agent's process stands still for up to a minute.
    pub sleep: bool,
    /// An agent reaches neither store nor platform, or no other agent either.
    pub cuts: bool,
    /// People roll back, abort, promote, pause and edit maps by hand.
    pub people: bool,
}

/// A bug put between the machine and the world on purpose, to see the simulation catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A forward step is routed before it is stored.
    ActsBeforePersist,
    /// The verdict is written nowhere.
    NoLatch,
    /// A BAD release is routed one step further.
    StepsForwardWhenBad,
    /// Silence is taken for good requests.
    PromotesOnSilence,
    /// A rollback is routed only once the new colour has something ready.
    RollbackWaitsForNewColour,
    /// A rollback is routed only once the store has it.
    RollbackWaitsForStore,
    /// The old colour is stopped as soon as the new one serves.
    StopsOldColourEarly,
    /// The old colour's probes always pass, so that a shared outage looks like a bad candidate.
    BlamesSharedOutage,
    /// The probes of a candidate with little traffic always pass.
    BelievesProbes,
    /// An agent that does not lead is told that it does.
    FollowerMovesForward,
    /// An agent that leads is told so without an end, and acts on it after it was asleep.
    StaleLeaderActs,
    /// An agent takes over any document it hears of, also one that is older than its own.
    AdoptsWhatIsOlder,
    /// An agent that called a release bad takes over a document in which it is open.
    ForgetsBad,
    /// A write does not compare before it swaps.
    WritesWithoutComparing,
    /// A write is done although the machine decided it before it heard of what is stored.
    WritesWhatIsVoid,
    /// What others say of a bad release is not heard.
    DeafToBad,
    /// The platform's own routing follows a step that no edge has acknowledged.
    SelectsEarly,
    /// A stop that an agent ordered before it was asleep ends what a later release has started since.
    StopsWhateverIsThere,
    /// The old colour is reduced as soon as its retention begins.
    ReducesEarly,
    /// What has one instance ready says that all are.
    CallsItFull,
    /// An order to scale up again is lost.
    LosesTheScaleUp,
    /// The candidate's probes always fail: the first dense streak is believed, also that of an outage that is over.
    BelievesTheFirstStreak,
}

/// One seed's world.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What everything random is drawn from.
    pub seed: u64,
    /// What the machine is configured with.
    pub settings: Settings,
    /// How many agents share the environment; 0: one, alone.
    pub agents: usize,
    /// Requests a second at each edge, for each component.
    pub rate: f64,
    /// Which faults happen.
    pub faults: Faults,
    /// How long trouble goes on.
    pub trouble: Duration,
    /// The planted bug.
    pub sabotage: Option<Sabotage>,
    /// How the seed is run again: the name of the test.
    pub name: &'static str,
}

impl Scenario {
    /// Everything drawn from the seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x7ea1);
        let mut on = || random.chance(0.5);
        let faults = Faults {
            crashes: on(),
            proxies: on(),
            disks: on(),
            store: on(),
            platform: on(),
            evidence: on(),
            outages: on(),
            partial: false,
            held_up: false,
            silence: on(),
            clocks: on(),
            sleep: false,
            cuts: false,
            versions: on(),
            people: on(),
        };
        let rate = random.pick(&[1.0, 5.0, 50.0, 50.0, 200.0]);
        let mut settings = settings(1 + random.index(2), 1 + random.index(2));
        settings.on_unknown = random.pick(&[OnUnknown::Keep, OnUnknown::Rollback, OnUnknown::Ask]);
        settings.confirm = random.chance(0.8);
        if random.chance(0.5) {
            let step = |percent| Step { share: Share::percent(percent), hold: Duration::from_secs(3) };
            settings.steps = vec![step(10), step(50)];
        }
        if random.chance(0.5) {
            settings.probe(Probes { below: 2.0, every: Duration::from_secs(1) });
        }
        Self {
            seed,
            settings,
            agents: 0,
            rate,
            faults,
            trouble: Duration::from_secs(90),
            sabotage: None,
            name: "replay",
        }
    }

    /// Healthy releases, enough traffic, and only trouble that is no reason to take a release back.
    #[must_use]
    pub fn healthy(seed: u64) -> Self {
        let drawn = Self::random(seed);
        let faults = Faults { crashes: drawn.faults.crashes, clocks: drawn.faults.clocks, ..Faults::default() };
        let settings = Settings { on_unknown: OnUnknown::Keep, ..drawn.settings.clone() };
        Self { faults, settings, rate: drawn.rate.max(50.0), name: "replay_healthy", ..drawn }
    }

    /// Healthy releases in the middle of shared outages.
    #[must_use]
    pub fn outages(seed: u64) -> Self {
        let calm = Self::healthy(seed);
        let faults = Faults { outages: true, ..calm.faults };
        let settings = Settings { confirm: true, ..calm.settings.clone() };
        Self { faults, settings, name: "replay_outages", ..calm }
    }

    /// Healthy releases while both colours fail a part of their requests now and then.
    #[must_use]
    pub fn partial(seed: u64) -> Self {
        let calm = Self::outages(seed);
        let faults = Faults { partial: true, crashes: false, ..calm.faults };
        Self { faults, name: "replay_partial", ..calm }
    }

    /// Healthy releases while requests of both colours are held up now and then.
    #[must_use]
    pub fn held_up(seed: u64) -> Self {
        let calm = Self::outages(seed);
        let faults = Faults { held_up: true, ..calm.faults };
        Self { faults, name: "replay_held_up", ..calm }
    }

    /// Releases of which many are bad, in the middle of shared outages.
    #[must_use]
    pub fn bad_in_outages(seed: u64) -> Self {
        let bad = Self::bad(seed);
        // A jump of the clock ages the history, and what is left of it may be little more than an outage.
        let faults = Faults { outages: true, clocks: false, ..bad.faults };
        let settings = Settings { confirm: true, ..bad.settings.clone() };
        Self { faults, settings, name: "replay_bad_in_outages", ..bad }
    }

    /// Releases of which many are bad, enough traffic, and no trouble that hides evidence.
    #[must_use]
    pub fn bad(seed: u64) -> Self {
        let drawn = Self::random(seed);
        let Faults { crashes, disks, store, clocks, .. } = drawn.faults;
        let faults = Faults { crashes, disks, store, clocks, versions: true, ..Faults::default() };
        Self { faults, rate: drawn.rate.max(50.0), name: "replay_bad", ..drawn }
    }

    /// Releases of which many are bad, hardly anybody who asks, and probes instead.
    #[must_use]
    pub fn quiet(seed: u64) -> Self {
        let mut quiet = Self::bad(seed);
        let mut random = Random::new(seed ^ 0x0517);
        let every = Duration::from_millis(random.pick(&[500, 1000]));
        quiet.settings.probe(Probes { below: 3.0, every });
        Self { rate: random.pick(&[0.0, 0.2, 0.5, 1.0, 2.0]), name: "replay_quiet", ..quiet }
    }

    /// With a bug planted.
    #[must_use]
    pub fn sabotaged(seed: u64, sabotage: Sabotage) -> Self {
        let mut world = Self::random(seed);
        if sabotage == Sabotage::BelievesProbes {
            // Where nothing but the probes would tell.
            world = Self { rate: 0.0, ..Self::quiet(seed) };
            world.settings.steps.clear();
            world.settings.on_unknown = OnUnknown::Keep;
        }
        if matches!(sabotage, Sabotage::ReducesEarly | Sabotage::CallsItFull | Sabotage::LosesTheScaleUp) {
            world = Self::staged(seed);
        }
        if sabotage == Sabotage::BelievesTheFirstStreak {
            world = Self::outages(seed);
        }
        Self { sabotage: Some(sabotage), name: "replay_sabotaged", ..world }
    }

    /// Whether a release that fails this share of its requests, `hidden` from probes, cannot go unnoticed here.
    pub(super) fn sees(&self, errors: f64, hidden: bool) -> bool {
        let Faults { proxies, platform, evidence, silence, people, .. } = self.faults;
        let probed = self.settings.components.iter().all(|c| c.criteria.probes.is_some());
        let enough = errors >= 0.2 && self.rate >= 50.0 || errors >= 1.0 && probed && !hidden;
        enough && !(proxies || platform || evidence || silence || people)
    }
}

impl Settings {
    fn probe(&mut self, probes: Probes) {
        for component in &mut self.components {
            component.criteria.probes = Some(probes);
        }
    }
}

fn settings(components: usize, edges: usize) -> Settings {
    let component = |name: &&str| ComponentSettings {
        name: (*name).to_owned(),
        criteria: Criteria { acceptable_error_rate: 0.05, min_requests: 20, ..Criteria::default() },
    };
    Settings {
        mode: Mode::Act,
        components: ["api", "web"][..components].iter().map(component).collect(),
        edges: ["edge-1", "edge-2"][..edges].iter().map(|name| (*name).to_owned()).collect(),
        own: None,
        salt: Salt::default(),
        steps: Vec::new(),
        watch_min: Duration::from_secs(8),
        watch_max: Duration::from_secs(20),
        on_unknown: OnUnknown::Keep,
        retain: vec![Stage::full(Duration::from_secs(10))],
        deploy_timeout: Duration::from_secs(10),
        switch_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(2),
        confirm: true,
    }
}
