//! Seeds with several agents.

use super::random::Random;
use super::scenario::{Faults, Sabotage, Scenario};
use crate::settings::{OnUnknown, Settings};

impl Scenario {
    /// Several agents, each with an edge or two of its own, and all of the above.
    #[must_use]
    pub fn shared(seed: u64) -> Self {
        let drawn = Self::random(seed);
        let mut random = Random::new(seed ^ 0x5a4e);
        let edges = 1 + random.index(3);
        let agents = if random.chance(0.2) { edges.saturating_sub(1).max(1) } else { edges };
        let faults = Faults { sleep: random.chance(0.5), cuts: random.chance(0.5), ..drawn.faults };
        let names = ["edge-1", "edge-2", "edge-3"];
        let settings = Settings {
            edges: names[..edges].iter().map(|name| (*name).to_owned()).collect(),
            ..drawn.settings.clone()
        };
        let rate = random.pick(&[1.0, 5.0, 50.0, 50.0]);
        Self { agents, faults, settings, rate, name: "replay_shared", ..drawn }
    }

    /// Several agents and healthy releases; nothing happens that is a reason to take one back.
    #[must_use]
    pub fn shared_healthy(seed: u64) -> Self {
        let drawn = Self::shared(seed);
        let Faults { clocks, evidence, .. } = drawn.faults;
        let faults = Faults { clocks, evidence, ..Faults::default() };
        let settings = Settings { on_unknown: OnUnknown::Keep, ..drawn.settings.clone() };
        Self { faults, settings, rate: 50.0, name: "replay_shared_healthy", ..drawn }
    }

    /// Several agents and bad releases, while agents die, sleep and lose the store.
    #[must_use]
    pub fn shared_bad(seed: u64) -> Self {
        let drawn = Self::shared(seed);
        let Faults { crashes, disks, store, clocks, sleep, cuts, .. } = drawn.faults;
        let faults = Faults { crashes, disks, store, clocks, sleep, cuts, versions: true, ..Faults::default() };
        Self { faults, rate: 50.0, name: "replay_shared_bad", ..drawn }
    }

    /// With a bug planted among several agents.
    #[must_use]
    pub fn shared_sabotaged(seed: u64, sabotage: Sabotage) -> Self {
        let mut world = Self::shared(seed);
        if sabotage == Sabotage::StopsWhateverIsThere {
            // An order has to lie about until another agent leads and has begun another release.
            world.faults = Faults { sleep: true, cuts: true, platform: true, versions: true, ..Faults::default() };
            world.settings.edges = ["edge-1", "edge-2", "edge-3"].map(str::to_owned).to_vec();
            world.agents = 3;
        }
        Self { sabotage: Some(sabotage), name: "replay_sabotaged", ..world }
    }

    /// What the agent in this place is configured with.
    pub(super) fn settings_of(&self, who: usize) -> Settings {
        let edges = 0..self.settings.edges.len();
        let own = (self.agents > 0).then(|| edges.filter(|edge| edge % self.agents == who).collect());
        Settings { own, ..self.settings.clone() }
    }
}
