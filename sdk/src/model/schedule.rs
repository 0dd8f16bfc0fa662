//! When a flag applies, and how its roll-out grows by itself.

use super::{Percentage, Timestamp};

/// When a flag applies. The default is always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Off before this.
    pub from: Option<Timestamp>,
    /// Off from this on.
    pub until: Option<Timestamp>,
    /// The roll-out percentage over time, in ascending order of time. It takes the place of `rollout_percentage` from the
    /// first point on, grows or shrinks in a straight line between points, and stays at the last.
    pub ramp: Vec<RampPoint>,
}

impl Schedule {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from.is_none() && self.until.is_none() && self.ramp.is_empty()
    }
}

/// A point of a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RampPoint {
    /// When.
    pub at: Timestamp,
    /// The share then.
    pub percentage: Percentage,
}
