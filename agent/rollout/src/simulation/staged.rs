//! Seeds in which the old colour is kept by stages.

use std::time::Duration;

use super::random::Random;
use super::scenario::{Faults, Scenario};
use crate::retention::{Replicas, Stage};
use crate::settings::Settings;

impl Scenario {
    /// The old colour is kept by stages, and people go back to it.
    #[must_use]
    pub fn staged(seed: u64) -> Self {
        let drawn = Self::random(seed);
        let mut random = Random::new(seed ^ 0x57a6);
        let faults = Faults { people: true, platform: random.chance(0.5), ..drawn.faults };
        let settings = Settings { retain: stages(&mut random), ..drawn.settings.clone() };
        Self { faults, settings, name: "replay_staged", ..drawn }
    }

    /// Several agents, and the old colour kept by stages.
    #[must_use]
    pub fn shared_staged(seed: u64) -> Self {
        let drawn = Self::shared(seed);
        let staged = Self::staged(seed);
        let Faults { people, platform, .. } = staged.faults;
        let faults = Faults { people, platform, ..drawn.faults };
        let settings = Settings { retain: staged.settings.retain, ..drawn.settings.clone() };
        Self { faults, settings, name: "replay_shared_staged", ..drawn }
    }
}

/// Full for a while or not at all, then one instance, and now and then full once more.
fn stages(random: &mut Random) -> Vec<Stage> {
    let one = |seconds| Stage { length: Duration::from_secs(seconds), replicas: Replicas::Count(1) };
    let full = |seconds| Stage::full(Duration::from_secs(seconds));
    match random.below(4) {
        0 => vec![one(10)],
        1 => vec![full(2), one(4), full(4), one(4)],
        2 => vec![full(5), one(5)],
        _ => vec![full(2), one(10)],
    }
}
