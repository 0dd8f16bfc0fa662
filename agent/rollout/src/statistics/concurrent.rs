//! The concurrent baseline: while both colours serve, on which of them does the next error fall? (decision section 3)
//!
//! ```text
//!   requests   stable  ............................x......    share w of the requests is the candidate's
//!              candidate  .   .     .    x.     .   x   .     so are w of the errors, if it is no worse
//! ```
//!
//! Only errors are looked at, so load, time of day and outages that both colours share change nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bound::Counts;
use super::eprocess::StateError;
use super::mixture::{BETTORS, Factors, Mixture, temper};

/// The worst candidate betted on: this many times as many errors a request as the old colour.
const WORST: f64 = 400.0;

/// The process of one component's candidate during the partial shares of its release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct Concurrent(State);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    rho: f64,
    dispersion: f64,
    mixture: Mixture,
    /// The share that was ordered, in (0, 1); `None` while not both colours serve.
    share: Option<f64>,
    /// Requests and errors of the old colour and of the candidate in this step, and in the whole release.
    step: [Counts; 2],
    total: [Counts; 2],
}

/// Which colour answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The stable colour.
    Old,
    /// The candidate.
    New,
}

impl Concurrent {
    /// A process that starts at the first switch. `rho`, at least 1, is how many times the old colour's rate is tolerated;
    /// `dispersion` the old colour's D, which tempers the bets as it does those on the rate.
    #[must_use]
    pub fn new(rho: f64, dispersion: f64, nominal_watch: Duration) -> Self {
        Self(State {
            rho: if rho.is_nan() { 1.0 } else { rho.clamp(1.0, 100.0) },
            dispersion: if dispersion.is_nan() { 1.0 } else { dispersion.clamp(0.0, 1e6) },
            mixture: Mixture::new(nominal_watch),
            share: None,
            step: [Counts::default(); 2],
            total: [Counts::default(); 2],
        })
    }

    /// The candidate's share became this, in 0..=1; at 0 and 1 there is nothing to compare.
    pub fn step(&mut self, share: f64) {
        let state = &mut self.0;
        state.share = (share > 0.0 && share < 1.0).then_some(share);
        state.step = [Counts::default(); 2];
    }

    /// Takes in one finished request of either colour, `elapsed` after the first switch (not decreasing).
    ///
    /// The share is the greater one of what was ordered and what was seen before this request: users who ask more than
    /// others, or an edge that routes by an older order, make the two differ, and a greater share only tolerates more. It
    /// does not depend on the request itself, so the bet stays fair.
    pub fn observe(&mut self, elapsed: Duration, side: Side, bad: bool) {
        let state = &mut self.0;
        let Some(share) = state.share else { return };
        if bad {
            let share = share.max(seen_share(&state.step));
            let factors = factors(share, state.rho, temper(state.dispersion), side);
            state.mixture.settle(elapsed, &factors);
        }
        for counts in [&mut state.step[side as usize], &mut state.total[side as usize]] {
            counts.n0 += 1;
            counts.k0 += u64::from(bad);
        }
    }

    /// Starts anew after a shared outage; see [`super::ErrorProcess::restart`].
    pub fn restart(&mut self, elapsed: Duration) {
        let state = &mut self.0;
        state.mixture.restart(elapsed);
        (state.step, state.total) = ([Counts::default(); 2], [Counts::default(); 2]);
    }

    /// M, at least 0.
    pub(super) fn m(&self) -> f64 {
        self.0.mixture.m()
    }

    /// ln M of this part alone.
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.m().ln()
    }

    /// Requests and errors of one colour while both served.
    #[must_use]
    pub const fn counts(&self, side: Side) -> Counts {
        self.0.total[side as usize]
    }
}

/// The candidate's part of the requests so far, by Laplace's rule: one half at first, so that nothing is held against it
/// before it is known that the old colour is asked at all.
fn seen_share(step: &[Counts; 2]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let [old, new] = step.map(|counts| counts.n0 as f64);
    (new + 1.0) / (old + new + 2.0)
}

/// The chance that an error falls on the candidate when it has `ratio` times the old colour's rate.
fn falls_on_candidate(share: f64, ratio: f64) -> f64 {
    share * ratio / (share * ratio + 1.0 - share)
}

/// What an error on `side` multiplies each bettor's wealth by. Ratios are log-spaced from 1.6 rho to [`WORST`].
fn factors(share: f64, rho: f64, temper: f64, side: Side) -> Factors {
    let tolerated = falls_on_candidate(share, rho);
    let (first, mut factors) = (1.6 * rho, [0.0; BETTORS]);
    for (j, factor) in factors.iter_mut().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "it is below twelve")]
        let ratio = first * (WORST / first).powf(j as f64 / (BETTORS - 1) as f64);
        let betted = falls_on_candidate(share, ratio);
        let likelihood = match side {
            Side::New => betted / tolerated,
            Side::Old => (1.0 - betted) / (1.0 - tolerated),
        };
        *factor = likelihood.powf(1.0 / temper);
    }
    factors
}

impl From<Concurrent> for State {
    fn from(process: Concurrent) -> Self {
        process.0
    }
}

impl TryFrom<State> for Concurrent {
    type Error = StateError;

    fn try_from(state: State) -> Result<Self, Self::Error> {
        let sane = |counts: &Counts| counts.k0 <= counts.n0;
        for (name, holds) in [
            ("rho", (1.0..=100.0).contains(&state.rho)),
            ("dispersion", (0.0..=1e6).contains(&state.dispersion)),
            ("share", state.share.is_none_or(|share| share > 0.0 && share < 1.0)),
            ("counts", state.step.iter().chain(&state.total).all(sane)),
        ] {
            if !holds {
                return Err(StateError(name));
            }
        }
        state.mixture.broken().map_or_else(|| Ok(Self(state)), |name| Err(StateError(name)))
    }
}
