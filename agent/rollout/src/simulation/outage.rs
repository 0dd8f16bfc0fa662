//! Shared outages: what both colours stand on fails, wholly or in part, for one component or for all of them.

use std::time::Duration;

use crate::time::Time;

/// Two in a row are bad luck; then both colours do well for longer than this, or nobody could tell an outage that is
/// over by the time the old colour is asked from a candidate that fails now and then, and always altogether.
const APART: Duration = Duration::from_millis(5200);
const IN_A_ROW: u8 = 2;

/// What was held up in an outage is told of so long after its end: both colours do well only then.
pub(super) const TOLD_LATE_MILLIS: u64 = 1100;

/// Even two in a row are so far apart that what the first left behind does not count any more.
const RESPITE: Duration = Duration::from_millis(2000);

/// One outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    /// Which component fails; `None`: all of them.
    pub(super) component: Option<usize>,
    /// How many of a hundred requests fail.
    pub(super) percent: u8,
    pub(super) lasts: Duration,
}

impl Outage {
    fn hits(&self, component: usize) -> bool {
        self.component.is_none_or(|hit| hit == component)
    }
}

/// The outages so far; one at a time.
#[derive(Debug, Default)]
pub(super) struct Outages {
    last: Option<Outage>,
    since: Time,
    /// `None` while it lasts.
    over: Option<Time>,
    in_a_row: u8,
    /// How long each is told of after its end.
    tail: Duration,
}

impl Outages {
    /// `held_up`: what fails is told of late.
    pub(super) fn new(held_up: bool) -> Self {
        let tail = if held_up { Duration::from_millis(TOLD_LATE_MILLIS) } else { Duration::ZERO };
        Self { tail, ..Self::default() }
    }

    pub(super) fn may_strike(&self, now: Time) -> bool {
        match (self.last, self.over) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(over)) => {
                let pause = now.since(over);
                pause > APART + self.tail || pause > RESPITE && self.in_a_row < IN_A_ROW
            }
        }
    }

    pub(super) fn strike(&mut self, now: Time, outage: Outage) {
        let apart = self.over.is_some_and(|over| now.since(over) > APART + self.tail);
        self.in_a_row = if apart { 1 } else { self.in_a_row + 1 };
        (self.last, self.since, self.over) = (Some(outage), now, None);
    }

    pub(super) fn end(&mut self, now: Time) {
        self.over = self.over.or(Some(now));
    }

    /// The share of a component's requests that failed at this moment, whatever colour answered.
    pub(super) fn failing(&self, component: usize, at: Time) -> f64 {
        let hit = self.last.filter(|outage| outage.hits(component));
        let during = at >= self.since && self.over.is_none_or(|over| at < over);
        hit.filter(|_| during).map_or(0.0, |outage| f64::from(outage.percent) / 100.0)
    }

    /// Since when all of a component's requests fail.
    pub(super) fn all_fail_since(&self, component: usize, now: Time) -> Option<Time> {
        (self.failing(component, now) >= 1.0).then_some(self.since)
    }

    /// Whether a component was hit not longer than this ago, or is being hit.
    pub(super) fn within(&self, component: usize, now: Time, ago: Duration) -> bool {
        let hit = self.last.is_some_and(|outage| outage.hits(component));
        hit && self.over.is_none_or(|over| now.since(over) < ago)
    }
}
