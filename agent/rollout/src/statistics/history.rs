//! What a component's old colour did: its errors in all and by route group, and how long its requests waited.

use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, DAY};
use super::latency::LatencyHistory;
use crate::observation::Observation;

/// The history of one component that its next candidate is judged against.
///
/// Saved with serde. Route groups are kept by name, so that their history survives another order in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    #[serde(flatten)]
    all: Baseline,
    /// Any other path first, under an empty name; nothing where no route group is configured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
    #[serde(default)]
    waits: LatencyHistory,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    name: String,
    history: Baseline,
}

impl History {
    /// A history of `n` requests, `k` of them bad, none in clusters and none by route group, as if made in the minute
    /// of `unix_millis`.
    #[must_use]
    pub fn seeded(n: u64, k: u64, unix_millis: u64) -> Self {
        Self { all: Baseline::seeded(n, k, unix_millis), ..Self::default() }
    }

    /// Keeps a history for these route groups, taking over what is known by their names.
    pub fn fit(&mut self, groups: &[String]) {
        let known = std::mem::take(&mut self.groups);
        let other = String::new();
        let names = || std::iter::once(&other).chain(groups);
        let before = |name: &String| known.iter().position(|group| group.name == *name);
        // Any other path is group 0 with and without names.
        let from: Vec<Option<u8>> = names()
            .map(|name| if name.is_empty() { Some(0) } else { before(name).and_then(|at| u8::try_from(at).ok()) })
            .collect();
        self.waits.renumber(&from);
        if !groups.is_empty() {
            let group = |name: &String| {
                let new = || Group { name: name.clone(), history: Baseline::coarse(DAY) };
                before(name).map_or_else(new, |at| known[at].clone())
            };
            self.groups = names().map(group).collect();
        }
    }

    /// Takes in one finished request of the old colour, at this wall-clock time in milliseconds since 1970.
    pub fn observe(&mut self, unix_millis: u64, seen: &Observation) {
        self.all.observe(unix_millis, seen.bad);
        if let Some(group) = self.groups.get_mut(usize::from(seen.group)) {
            group.history.observe(unix_millis, seen.bad);
        }
        if let Some(wait) = seen.wait_ms {
            self.waits.observe(unix_millis, seen.group, wait);
        }
    }

    /// Forgets what is too old at this wall-clock time; see [`Baseline::expire`].
    pub fn expire(&mut self, unix_millis: u64) {
        self.all.expire(unix_millis);
        for group in &mut self.groups {
            group.history.expire(unix_millis);
        }
        self.waits.expire(unix_millis);
    }

    /// All requests.
    #[must_use]
    pub const fn all(&self) -> &Baseline {
        &self.all
    }

    /// How long requests waited.
    #[must_use]
    pub const fn waits(&self) -> &LatencyHistory {
        &self.waits
    }

    /// Each route group's, from 0 on; empty where none is configured.
    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = &Baseline> {
        self.groups.iter().map(|group| &group.history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Colour;
    use crate::statistics::Counts;

    fn counts(history: &History) -> Vec<u64> {
        history.groups().map(|group| group.counts().n0).collect()
    }

    fn request(group: u8) -> Observation {
        Observation { group, wait_ms: Some(5), ..Observation::new(0, Colour::Blue, 1, false) }
    }

    #[test]
    fn a_route_group_keeps_its_history_under_its_name() {
        let mut history = History::default();
        history.fit(&["patients".into(), "billing".into()]);
        for group in [0, 1, 1, 2, 2, 2] {
            history.observe(0, &request(group));
        }
        assert_eq!(counts(&history), [1, 2, 3]);
        let saved = serde_json::to_string(&history).unwrap();
        let mut history: History = serde_json::from_str(&saved).unwrap();
        history.fit(&["billing".into(), "new".into(), "patients".into()]);
        assert_eq!(counts(&history), [1, 3, 0, 2]);
        assert_eq!([0, 1, 2, 3].map(|group| history.waits().waits(group)), [1, 3, 0, 2]);
        history.fit(&[]);
        assert!(counts(&history).is_empty());
        assert_eq!(history.all().counts(), Counts { n0: 6, k0: 0 });
    }

    #[test]
    fn what_an_earlier_version_saved_is_read() {
        let baseline = Baseline::seeded(2_000, 10, 60_000);
        let saved = serde_json::to_string(&baseline).unwrap();
        let history: History = serde_json::from_str(&saved).unwrap();
        assert_eq!(history.all().counts(), baseline.counts());
    }
}
