//! The error-rate e-process: wealth that cannot grow unless the candidate is worse than the tolerated rate.
//!
//! Twelve bettors start together, each with an own idea q of how bad the candidate is, and multiply what they hold
//! with each request by how much likelier it is under q than under the tolerated rate p0:
//!
//! ```text
//!   mass 1  ->  0.45 bets from the switch on
//!               0.45 joins bit by bit over the nominal watch, for what breaks late
//!               0.10 is kept in reserve, for a new start after a shared outage
//!   M = mean of the bettors' wealth + mass not yet betting;      bad when M >= 2,000,000
//! ```
//!
//! While each request is bad with a probability of at most p0, given all before it, M is a non-negative
//! supermartingale that starts at 1, and by Ville's inequality it ever reaches 2,000,000 with a probability of at
//! most 0.5e-6, however often one looks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::power;

/// Bad when ln M reaches this: ln 2,000,000, half of the 1e-6 that a release may spend on false alarms.
pub const LOG_THRESHOLD: f64 = 14.508_657_738_524_219;

/// Dispersion of the old colour's errors above which the bets are tempered; below is what chance alone shows.
pub const CLUSTERED: f64 = 1.1;

/// How many rates the mass is spread over.
pub(super) const BETTORS: usize = 12;

const THRESHOLD: f64 = 2e6;
/// No bettor sinks below this, so that what breaks long after the nominal watch is found within requests instead of
/// thousands of them. It adds at most 1e-14 to the mean of M with each request: 1e-5 of the bound in 1e9 requests.
const LEAST: f64 = 1e-14;
/// Shares of the mass at hand that bet at once, and over the nominal watch; the rest is the reserve.
pub(super) const AT_ONCE: f64 = 0.45;
const OVER_THE_WATCH: f64 = 0.45;

/// The error-rate process of one component's candidate.
///
/// Saved with serde (checked on the way in), it goes on exactly where it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct ErrorProcess {
    state: State,
    factors: Factors,
}

/// What changes, and what it needs to be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    p0: f64,
    dispersion: f64,
    nominal_watch: Duration,
    /// When it last started, in time since the switch.
    started: Duration,
    /// The mass it then began with.
    began_with: f64,
    /// What of it is still to join over the nominal watch.
    waiting: f64,
    /// The bettors' wealth.
    wealth: [f64; BETTORS],
    requests: u64,
    bad: u64,
    latched: bool,
}

/// What a bettor's wealth is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Factors {
    good: [f64; BETTORS],
    bad: [f64; BETTORS],
}

impl ErrorProcess {
    /// A process that starts at the switch, that is at an elapsed time of zero.
    ///
    /// `p0` is the tolerated rate, in (0, 0.5] (brought to 1e-6..=0.5). `dispersion` is the old colour's D: above
    /// [`CLUSTERED`] each factor l becomes l^(1 / (2 D - 1)). That keeps the bound, because the mean of such a power
    /// is at most 1 if that of l is (Jensen), and it takes a cluster of errors for not much more than one.
    #[must_use]
    pub fn new(p0: f64, dispersion: f64, nominal_watch: Duration) -> Self {
        let mut state = State {
            p0: sane_rate(p0),
            dispersion: if dispersion.is_nan() { 1.0 } else { dispersion.clamp(0.0, 1e6) },
            nominal_watch,
            started: Duration::ZERO,
            began_with: 1.0,
            waiting: 0.0,
            wealth: [0.0; BETTORS],
            requests: 0,
            bad: 0,
            latched: false,
        };
        state.start(Duration::ZERO, 1.0);
        Self { state, factors: Factors::new(&state) }
    }

    /// Judges one finished request of the candidate, `elapsed` after the switch.
    ///
    /// Mass joins after the request it comes with, for the next one: what bets on a request must not depend on it,
    /// and bad requests may well take longer. Nothing is judged or counted any more once the process is bad.
    pub fn observe(&mut self, elapsed: Duration, bad: bool) {
        let state = &mut self.state;
        if state.latched {
            return;
        }
        state.requests += 1;
        state.bad += u64::from(bad);
        let factors = if bad { &self.factors.bad } else { &self.factors.good };
        for (wealth, factor) in state.wealth.iter_mut().zip(factors) {
            *wealth = (*wealth * factor).max(LEAST);
        }
        state.latched = state.m() >= THRESHOLD;
        let joining = state.waiting - state.still_waiting(elapsed);
        if joining > 0.0 {
            state.waiting -= joining;
            for wealth in &mut state.wealth {
                *wealth += joining;
            }
        }
    }

    /// Starts anew after a shared outage, `elapsed` after the switch: forfeits all wealth, counts from zero, and
    /// bets the mass that never bet, divided as at the switch and over a whole nominal watch from here.
    ///
    /// The bound holds for the release as a whole, however many times and whenever this is called, because M is
    /// a sum over start masses. Those that bet before are given up, whatever the outage made of them; those
    /// that start from here on are multiplied by later requests only, and each is a supermartingale of its own from
    /// its start. All start masses of a release together stay below 1, so the sum of the supermartingales that
    /// count does too. Each restart leaves a tenth or more of its mass for the next.
    pub fn restart(&mut self, elapsed: Duration) {
        let mass = self.state.unspent();
        self.state.start(elapsed, mass);
    }

    /// ln M, finite; compare with [`LOG_THRESHOLD`].
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.state.m().ln()
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
        let State { p0, dispersion, began_with, requests, .. } = self.state;
        power::excludable(&power::Bets::new(p0, temper(dispersion)), began_with * AT_ONCE, requests)
    }
}

impl State {
    fn start(&mut self, elapsed: Duration, mass: f64) {
        self.started = elapsed;
        self.began_with = mass;
        self.waiting = mass * OVER_THE_WATCH;
        self.wealth = [(mass * AT_ONCE).max(LEAST); BETTORS];
        self.requests = 0;
        self.bad = 0;
        self.latched = false;
    }

    /// Mass that does not bet yet: what joins later and the reserve.
    fn unspent(&self) -> f64 {
        self.waiting + self.began_with * (1.0 - AT_ONCE - OVER_THE_WATCH)
    }

    fn m(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it is twelve")]
        const SHARE: f64 = 1.0 / BETTORS as f64;
        self.wealth.iter().sum::<f64>() * SHARE + self.unspent()
    }

    /// How much of the mass that joins over the watch should still wait at this time.
    fn still_waiting(&self, elapsed: Duration) -> f64 {
        let since = elapsed.saturating_sub(self.started);
        if since >= self.nominal_watch {
            return 0.0;
        }
        let left = 1.0 - since.as_secs_f64() / self.nominal_watch.as_secs_f64();
        self.began_with * OVER_THE_WATCH * left
    }
}

impl Factors {
    fn new(state: &State) -> Self {
        let bets = power::Bets::new(state.p0, temper(state.dispersion));
        Self { good: bets.ln_good.map(f64::exp), bad: bets.ln_bad.map(f64::exp) }
    }
}

/// What the bets' exponent is divided by: 2 D - 1 where errors cluster, else 1.
///
/// D alone would correct the variance, but not the tail. Simulated with an old and a new colour that fail alike in
/// bursts (D of 1.9 to 14), M passes 100 in 1 to 8 % of the watches with D and in no more than 0.2 % with 2 D - 1;
/// without tempering a D of only 1.4 ends 1 % of them as bad.
fn temper(dispersion: f64) -> f64 {
    if dispersion > CLUSTERED { 2.0 * dispersion - 1.0 } else { 1.0 }
}

/// A rate the process can work with: in 1e-6..=0.5, and 0.5 for what is no number.
pub(super) fn sane_rate(rate: f64) -> f64 {
    if rate.is_nan() { 0.5 } else { rate.clamp(1e-6, 0.5) }
}

/// A saved process that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("saved evidence: `{0}` is out of range; without it the watch starts anew")]
pub struct StateError(&'static str);

impl From<ErrorProcess> for State {
    fn from(process: ErrorProcess) -> Self {
        process.state
    }
}

impl TryFrom<State> for ErrorProcess {
    type Error = StateError;

    fn try_from(state: State) -> Result<Self, Self::Error> {
        let mass = 0.0..=1.0;
        for (name, holds) in [
            ("p0", (1e-6..=0.5).contains(&state.p0)),
            ("dispersion", (0.0..=1e6).contains(&state.dispersion)),
            ("began_with", mass.contains(&state.began_with)),
            ("waiting", (0.0..=state.began_with).contains(&state.waiting)),
            // One request multiplies by less than 1e6, and nothing does once M is over the threshold.
            ("wealth", state.wealth.iter().all(|w| (0.0..=1e15).contains(w))),
            ("bad", state.bad <= state.requests),
        ] {
            if !holds {
                return Err(StateError(name));
            }
        }
        Ok(Self { state, factors: Factors::new(&state) })
    }
}
