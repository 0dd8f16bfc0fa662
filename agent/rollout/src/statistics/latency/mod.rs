//! Latency: is the candidate slower than the old colour was, route group by route group?
//!
//! ```text
//!   old colour's waits --> LatencyHistory --> p90, p99 of each group --> limits    (longer by a fifth and by 20 ms)
//!                             \__ by blocks and a replay --> dispersion D    |
//!   candidate's waits  -------------------------------------------> longer than its group's limit?
//!                                                                            |
//!                                   an ErrorProcess each for p90 and p99, averaged: LatencyProcess --> M
//! ```
//!
//! A limit belongs to a group, so a shift in the mix of routes is not taken for a slowdown: whatever the mix, a
//! candidate that is as fast as the old colour exceeds its limits in at most 10 % and 1 % of the requests.

mod aged;
mod clusters;
mod group;
mod histogram;
mod history;
mod limits;
mod process;
mod replay;
mod saved;

pub use histogram::LONGEST_MS;
pub use history::LatencyHistory;
pub use limits::{GUARD_MS, Limit};
pub use process::{LatencyProcess, QuantileState, WARM_UP, WARM_UP_REQUESTS};
pub use saved::LatencyHistoryError;

use serde::{Deserialize, Serialize};

/// A quantile of the old colour's waits that a candidate is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantile {
    /// The wait that one request in ten exceeds.
    P90,
    /// The wait that one request in a hundred exceeds.
    P99,
}

impl Quantile {
    /// Both, in ascending order.
    pub const ALL: [Self; 2] = [Self::P90, Self::P99];

    /// The share of requests that exceeds it, 1 - q: 0.1 or 0.01.
    #[must_use]
    pub const fn beyond(self) -> f64 {
        match self {
            Self::P90 => 0.1,
            Self::P99 => 0.01,
        }
    }

    /// The share of the candidate's requests that may exceed its limit, p0 = 1.25 (1 - q): 0.125 or 0.0125.
    #[must_use]
    pub const fn tolerated(self) -> f64 {
        self.beyond() * 1.25
    }

    /// 1 / (1 - q): one in so many requests exceeds it.
    const fn one_in(self) -> u64 {
        match self {
            Self::P90 => 10,
            Self::P99 => 100,
        }
    }
}

#[cfg(test)]
mod tests;
