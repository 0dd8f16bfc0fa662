//! The old colour's waits of one component: how long they are on each route group, and whether slow ones cluster.

use serde::{Deserialize, Serialize};

use super::Quantile;
use super::clusters::Clusters;
use super::group::Group;
use super::saved::Saved;
use crate::criteria::MAX_GROUPS;

/// The old colour's waiting times of one component, by route group: of each group the last 100,000 to 200,000, and none
/// older than 24 hours.
///
/// Memory is bounded: 3.3 KiB for each group that had a request, 109 KiB for all 33, and 2 KiB more. Taking in a
/// request is constant time on average. Saved with serde; the form is compact and checked on the way in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct LatencyHistory {
    /// By number, from 0 (any other path) on.
    pub(super) groups: Vec<Group>,
    pub(super) clusters: Clusters,
}

impl LatencyHistory {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the wait of one finished request of the old colour, in milliseconds until the response headers
    /// (longer than [`super::LONGEST_MS`] counts as that), at this wall-clock time in milliseconds since 1970.
    ///
    /// `group` is 0 ..= [`MAX_GROUPS`]; any other is ignored. A clock that was set back takes the history along with
    /// it, one that was set forward ages it.
    pub fn observe(&mut self, unix_millis: u64, group: u8, wait_ms: u32) {
        if group > MAX_GROUPS {
            return;
        }
        let at = usize::from(group);
        if self.groups.len() <= at {
            self.groups.resize_with(at + 1, Group::default);
        }
        let slow = self.groups[at].observe(unix_millis, wait_ms);
        self.clusters.observe(unix_millis, slow);
    }

    /// Forgets what is too old at this wall-clock time; to be called before the history is read after a time without
    /// traffic.
    pub fn expire(&mut self, unix_millis: u64) {
        for group in &mut self.groups {
            group.follow_clock(unix_millis);
        }
        self.clusters.follow_clock(unix_millis);
    }

    /// Renumbers the route groups after another configuration: new group `i` was `from[i]` before, or `None` where it
    /// is new. What is not named is forgotten, and so is what follows the first [`MAX_GROUPS`] + 1.
    pub fn renumber(&mut self, from: &[Option<u8>]) {
        let before = std::mem::take(&mut self.groups);
        let found = |old: &Option<u8>| old.and_then(|old| before.get(usize::from(old)).cloned()).unwrap_or_default();
        self.groups = from.iter().take(usize::from(MAX_GROUPS) + 1).map(found).collect();
        // A group that was never asked is not remembered: an empty history stays equal to a new one.
        let used = self.groups.iter().rposition(|group| *group != Group::default()).map_or(0, |last| last + 1);
        self.groups.truncate(used);
    }

    /// How many waits of a group are remembered.
    #[must_use]
    pub fn waits(&self, group: u8) -> u64 {
        self.groups.get(usize::from(group)).map_or(0, Group::n)
    }

    /// How much the requests beyond a quantile cluster, D, over all groups; about 1 when they are independent: the
    /// higher one of their variance by blocks and of what the bets on this colour itself would have to be divided by.
    /// `None` with too little traffic to know: that takes twenty blocks of at least a second and a hundred requests,
    /// after the first 300 requests for p90 and 3,000 for p99.
    #[must_use]
    pub fn dispersion(&self, quantile: Quantile) -> Option<f64> {
        self.clusters.dispersion()[quantile as usize]
    }
}
