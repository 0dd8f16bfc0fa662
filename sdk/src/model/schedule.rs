//! When a flag applies, and how its roll-out grows by itself.

use super::{Extra, Percentage, Timestamp};

/// When a flag applies. The default is always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Off before this.
    pub from: Option<Timestamp>,
    /// Off from this on.
    pub until: Option<Timestamp>,
    /// The roll-out percentage over time, in strictly ascending order of time. It takes the place of `rollout_percentage` from the
    /// first point on, grows or shrinks in a straight line between points, and stays at the last.
    pub ramp: Vec<RampPoint>,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

impl Schedule {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from.is_none() && self.until.is_none() && self.ramp.is_empty() && self.extra.is_empty()
    }
}

/// A point of a ramp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RampPoint {
    /// When.
    pub at: Timestamp,
    /// The share then.
    pub percentage: Percentage,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

impl RampPoint {
    /// This share at this moment.
    #[must_use]
    pub fn new(at: Timestamp, percentage: Percentage) -> Self {
        Self { at, percentage, extra: Extra::new() }
    }
}
