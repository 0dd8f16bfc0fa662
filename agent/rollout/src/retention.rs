//! How long, and in how many instances, the old colour of a release is kept as the way back.
//!
//! ```text
//!   retain = [{ for = "1h" }, { for = "23h", replicas = 1 }]
//!
//!   full ------------ 1 h --> 1 instance ------------ 24 h --> stopped
//!                             '-- rollback: full again, ready, and only then traffic
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::colour::Colour;
use crate::document::{Cause, Document};

/// In how many instances a colour is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replicas {
    /// As many as it had when it served.
    Full,
    /// So many, 1 or more; never more than it had.
    Count(u16),
}

impl Replicas {
    /// So many of those that are `full`.
    #[must_use]
    pub fn of(self, full: u32) -> u32 {
        match self {
            Self::Full => full,
            Self::Count(count) => full.min(count.into()),
        }
    }
}

/// A stage of the retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// How long it lasts.
    pub length: Duration,
    /// What is kept during it.
    pub replicas: Replicas,
}

impl Stage {
    /// One stage at full capacity.
    #[must_use]
    pub const fn full(length: Duration) -> Self {
        Self { length, replicas: Replicas::Full }
    }
}

/// What a colour had when it served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Full {
    /// Instances.
    pub instances: u32,
    /// Servers that each edge saw pass its checks: one for each instance, or one for all.
    pub servers: u32,
}

/// How an old colour is kept that was given fewer instances in this release, or was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The stage whose replicas it was given last, counted from 0; it is not reduced again before the next one.
    pub stage: u32,
    /// Counts the orders to scale it in this release: of two the greater is the newer.
    pub order: u32,
    /// What was ordered last.
    pub replicas: Replicas,
    /// What is full, by component.
    pub full: BTreeMap<String, Full>,
    /// Why traffic goes back once it is full again; `None` where it does not.
    pub back: Option<Cause>,
}

/// The key of a colour in [`Document::ready_in`].
pub(crate) fn key(component: &str, colour: Colour) -> String {
    format!("{component}-{colour}")
}

impl Document {
    /// Whether traffic goes back as soon as the old colour has scaled up.
    #[must_use]
    pub fn is_coming_back(&self) -> bool {
        self.coming_back().is_some()
    }

    /// Why traffic goes back as soon as the old colour has scaled up.
    #[must_use]
    pub fn coming_back(&self) -> Option<&Cause> {
        self.kept.as_ref()?.back.as_ref()
    }
}
