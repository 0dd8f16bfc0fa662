//! The statistics of a release: is the candidate worse than what was before, and what could we have seen?
//!
//! ```text
//!   old colour's requests --> Baseline --> tolerated rate p0, dispersion D
//!                                               |
//!   candidate's requests ----------------> ErrorProcess --> M against its threshold, what can be excluded
//!                                          \__ Evidence: both, as kept in a checkpoint __/
//! ```

mod baseline;
mod binomial;
mod bound;
mod eprocess;
mod power;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use baseline::{Baseline, BaselineError, DAY, MAX_REQUESTS, WEEK};
pub use bound::{Counts, MIN_HISTORY, RHO, Source, Tolerated, tolerated};
pub use eprocess::{CLUSTERED, ErrorProcess, LOG_THRESHOLD, StateError};

/// The evidence on one component's candidate, as the machine holds it and a checkpoint keeps it.
///
/// Its log M is that of the error-rate process alone. Further parts (latency, a concurrent baseline) will join with
/// weights that sum to 1: a weighted mean of e-processes is one too, and has the same threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    history: Counts,
    tolerated: Tolerated,
    errors: ErrorProcess,
    set_aside: SetAside,
}

/// Requests of the candidate that a shared outage made worthless as evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// How many.
    pub requests: u64,
    /// Bad ones among them.
    pub bad: u64,
}

impl Evidence {
    /// Evidence that starts at the switch, against this history of the old colour.
    ///
    /// `acceptable_error_rate`, in (0, 0.5], stands in for a history that is too short; `nominal_watch` is how long
    /// the start mass is spread over.
    #[must_use]
    pub fn new(baseline: &Baseline, acceptable_error_rate: f64, nominal_watch: Duration) -> Self {
        let history = baseline.counts();
        let tolerated = tolerated(history, RHO, acceptable_error_rate);
        Self {
            history,
            tolerated,
            errors: ErrorProcess::new(tolerated.p0, baseline.dispersion(), nominal_watch),
            set_aside: SetAside::default(),
        }
    }

    /// Judges one finished request of the candidate, `elapsed` after the switch (not decreasing).
    pub fn observe(&mut self, elapsed: Duration, bad: bool) {
        self.errors.observe(elapsed, bad);
    }

    /// Counts a request that finished in a shared window and is not judged.
    pub fn set_aside(&mut self, bad: bool) {
        self.set_aside.requests += 1;
        self.set_aside.bad += u64::from(bad);
    }

    /// Starts anew after a shared window, `elapsed` after the switch; see [`ErrorProcess::restart`] for why the
    /// false-alarm bound still holds. What was judged so far is counted as set aside.
    pub fn restart(&mut self, elapsed: Duration) {
        self.set_aside.requests += self.errors.requests();
        self.set_aside.bad += self.errors.bad();
        self.errors.restart(elapsed);
    }

    /// ln M; bad when it reaches [`LOG_THRESHOLD`].
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.errors.log_m()
    }

    /// Whether the candidate was found worse than tolerated since the last start.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        self.errors.is_bad()
    }

    /// Requests judged since the last start; once bad, how many it took.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.errors.requests()
    }

    /// Bad requests among [`Self::requests`].
    #[must_use]
    pub const fn bad(&self) -> u64 {
        self.errors.bad()
    }

    /// The error rate that would have been found out by now with a probability of 95 %
    /// ([`ErrorProcess::excludable`]).
    #[must_use]
    pub fn excludable(&self) -> Option<f64> {
        self.errors.excludable()
    }

    /// The error rate the candidate is allowed, and where it comes from.
    #[must_use]
    pub const fn tolerated(&self) -> Tolerated {
        self.tolerated
    }

    /// The old colour's requests the tolerated rate was taken from.
    #[must_use]
    pub const fn history(&self) -> Counts {
        self.history
    }

    /// How much the old colour's errors clustered, D; bets are tempered above [`CLUSTERED`].
    #[must_use]
    pub const fn dispersion(&self) -> f64 {
        self.errors.dispersion()
    }

    /// What shared outages took out of the evidence.
    #[must_use]
    pub const fn excused(&self) -> SetAside {
        self.set_aside
    }
}

#[cfg(test)]
mod tests;
