//! The error-rate e-process: wealth that cannot grow unless the candidate is worse than the tolerated rate.
//!
//! Twelve bettors ([`Mixture`]) start together, each with an own idea q of how bad the candidate is, and multiply what
//! they hold with each request by how much likelier it is under q than under the tolerated rate p0. While each request
//! is bad with a probability of at most p0, given all before it, M is a non-negative supermartingale that starts at 1,
//! and by Ville's inequality it ever reaches 2,000,000 with a probability of at most 0.5e-6, however often one looks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mixture::{Factors, Mixture, temper};
use super::power;

/// Bad when ln M reaches this: ln 2,000,000, half of the 1e-6 that a release may spend on false alarms.
pub const LOG_THRESHOLD: f64 = 14.508_657_738_524_219;

/// Dispersion of the old colour's errors above which the bets are tempered; below is what chance alone shows.
pub const CLUSTERED: f64 = 1.1;

const THRESHOLD: f64 = 2e6;

/// The error-rate process of one component's candidate, or of a part of its requests.
///
/// Saved with serde (checked on the way in), it goes on exactly where it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct ErrorProcess {
    state: State,
    good: Factors,
    bad: Factors,
}

/// What changes, and what it needs to be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    p0: f64,
    dispersion: f64,
    /// M at which it is bad.
    latch_at: f64,
    mixture: Mixture,
    requests: u64,
    bad: u64,
    latched: bool,
}

impl ErrorProcess {
    /// A process that starts at the switch, that is at an elapsed time of zero.
    ///
    /// `p0` is the tolerated rate, in (0, 0.5] (brought to 1e-6..=0.5). `dispersion` is the old colour's D: above
    /// [`CLUSTERED`] each factor l becomes l^(1 / (2 D - 1)). That keeps the bound, because the mean of such a power
    /// is at most 1 if that of l is (Jensen), and it takes a cluster of errors for not much more than one.
    #[must_use]
    pub fn new(p0: f64, dispersion: f64, nominal_watch: Duration) -> Self {
        Self::with_state(State {
            p0: sane_rate(p0),
            dispersion: if dispersion.is_nan() { 1.0 } else { dispersion.clamp(0.0, 1e6) },
            latch_at: THRESHOLD,
            mixture: Mixture::new(nominal_watch),
            requests: 0,
            bad: 0,
            latched: false,
        })
    }

    /// The same, bad only once M reaches `threshold`, at least 1: that of the release over this part's weight.
    #[must_use]
    pub fn latching_at(mut self, threshold: f64) -> Self {
        self.state.latch_at = if threshold.is_nan() { THRESHOLD } else { threshold.clamp(1.0, 1e15) };
        self
    }

    fn with_state(state: State) -> Self {
        let bets = power::Bets::new(state.p0, temper(state.dispersion));
        Self { state, good: bets.ln_good.map(f64::exp), bad: bets.ln_bad.map(f64::exp) }
    }

    /// Judges one finished request of the candidate, `elapsed` after the switch.
    ///
    /// Nothing is judged or counted any more once the process is bad.
    pub fn observe(&mut self, elapsed: Duration, bad: bool) {
        let state = &mut self.state;
        if state.latched {
            return;
        }
        state.requests += 1;
        state.bad += u64::from(bad);
        state.mixture.settle(elapsed, if bad { &self.bad } else { &self.good });
        state.latched = state.mixture.m() >= state.latch_at;
    }

    /// Starts anew after a shared outage, `elapsed` after the switch: forfeits all wealth, counts from zero, and
    /// bets the mass that never bet. The bound holds for the release as a whole, however many times and whenever this
    /// is called: see [`Mixture::restart`].
    pub fn restart(&mut self, elapsed: Duration) {
        self.state.mixture.restart(elapsed);
        (self.state.requests, self.state.bad, self.state.latched) = (0, 0, false);
    }

    /// M itself, at least 0.
    pub(super) fn m(&self) -> f64 {
        self.state.mixture.m()
    }

    /// ln M, finite; compare with [`LOG_THRESHOLD`].
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.m().ln()
    }

    /// Whether M has reached the threshold since the last start. It stays so until a restart.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        self.state.latched
    }

    /// Requests judged since the last start; once bad, how many it took.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.state.requests
    }

    /// Bad requests among [`Self::requests`].
    #[must_use]
    pub const fn bad(&self) -> u64 {
        self.state.bad
    }

    /// The tolerated rate.
    #[must_use]
    pub const fn p0(&self) -> f64 {
        self.state.p0
    }

    /// The old colour's dispersion D as it was given.
    #[must_use]
    pub const fn dispersion(&self) -> f64 {
        self.state.dispersion
    }

    /// The lowest error rate that, steady since the last start, would have been called bad by now with a
    /// probability of 95 %; `None` while not even 100 % would.
    ///
    /// Rather too high than too low. Takes up to about 0.1 ms: for once a second, not for each request.
    #[must_use]
    pub fn excludable(&self) -> Option<f64> {
        let State { p0, dispersion, requests, latch_at, mixture, .. } = self.state;
        let needed = (latch_at / mixture.staked()).ln();
        power::excludable(&power::Bets::new(p0, temper(dispersion)), needed, requests)
    }

    /// Whether the tolerated rate explains the bad requests since the last start with a probability of less than 5 %, where
    /// as many requests as the bets are tempered by count as one.
    ///
    /// For one look at the end of a watch: looked at again and again it says yes by chance some time.
    #[must_use]
    pub fn exceeds_tolerated(&self) -> bool {
        let State { p0, dispersion, requests, bad, .. } = self.state;
        power::exceeds(p0, temper(dispersion), requests, bad)
    }
}

/// A rate the process can work with: in 1e-6..=0.5, and 0.5 for what is no number.
pub(super) fn sane_rate(rate: f64) -> f64 {
    if rate.is_nan() { 0.5 } else { rate.clamp(1e-6, 0.5) }
}

/// A saved process that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("saved evidence: `{0}` is out of range; without it the watch starts anew")]
pub struct StateError(pub(super) &'static str);

impl From<ErrorProcess> for State {
    fn from(process: ErrorProcess) -> Self {
        process.state
    }
}

impl TryFrom<State> for ErrorProcess {
    type Error = StateError;

    fn try_from(state: State) -> Result<Self, Self::Error> {
        for (name, holds) in [
            ("p0", (1e-6..=0.5).contains(&state.p0)),
            ("dispersion", (0.0..=1e6).contains(&state.dispersion)),
            ("latch_at", (1.0..=1e15).contains(&state.latch_at)),
            ("bad", state.bad <= state.requests),
        ] {
            if !holds {
                return Err(StateError(name));
            }
        }
        state.mixture.broken().map_or_else(|| Ok(Self::with_state(state)), |name| Err(StateError(name)))
    }
}
