//! Twelve bettors with start masses: the wealth behind every process, whatever they bet on.
//!
//! ```text
//!   mass 1  ->  0.45 bets from the start on
//!               0.45 joins bit by bit over the nominal watch, for what breaks late
//!               0.10 is kept in reserve, for a new start after a shared outage
//!   M = mean of the bettors' wealth + mass not yet betting
//! ```
//!
//! Each bet multiplies a bettor's wealth by a factor whose mean is at most 1 while the candidate is no worse than
//! tolerated. M then is a non-negative supermartingale that starts at 1 (the Shiryaev-Roberts form of it).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many rates the mass is spread over.
pub(super) const BETTORS: usize = 12;

/// No bettor sinks below this, so that what breaks long after the nominal watch is found within requests instead of
/// thousands of them. It adds at most 1e-14 to the mean of M with each request: 1e-5 of the bound in 1e9 requests.
pub(super) const LEAST: f64 = 1e-14;
/// Shares of the mass at hand that bet at once, and over the nominal watch; the rest is the reserve.
pub(super) const AT_ONCE: f64 = 0.45;
const OVER_THE_WATCH: f64 = 0.45;

/// The most a saved wealth can be: a part of small weight may have to reach 1e13 alone, and one request multiplies by
/// less than 1e6.
const MOST: f64 = 1e21;

/// What each bettor's wealth is multiplied by.
pub(super) type Factors = [f64; BETTORS];

/// The bettors' wealth and the mass that is to join them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mixture {
    nominal_watch: Duration,
    /// When it last started, in time since the switch.
    started: Duration,
    /// The mass it then began with.
    began_with: f64,
    /// What of it is still to join over the nominal watch.
    waiting: f64,
    wealth: Factors,
}

impl Mixture {
    /// Starts at an elapsed time of zero with the whole mass.
    pub(super) fn new(nominal_watch: Duration) -> Self {
        let mut mixture =
            Self { nominal_watch, started: Duration::ZERO, began_with: 1.0, waiting: 0.0, wealth: [0.0; BETTORS] };
        mixture.start(Duration::ZERO, 1.0);
        mixture
    }

    fn start(&mut self, elapsed: Duration, mass: f64) {
        self.started = elapsed;
        self.began_with = mass;
        self.waiting = mass * OVER_THE_WATCH;
        self.wealth = [(mass * AT_ONCE).max(LEAST); BETTORS];
    }

    /// One bet is settled, `elapsed` after the switch.
    ///
    /// Mass joins after the request it comes with, for the next one: what bets on a request must not depend on it,
    /// and bad requests may well take longer.
    pub(super) fn settle(&mut self, elapsed: Duration, factors: &Factors) {
        for (wealth, factor) in self.wealth.iter_mut().zip(factors) {
            *wealth = (*wealth * factor).max(LEAST);
        }
        self.join(elapsed);
    }

    /// Lets the mass join that is due.
    fn join(&mut self, elapsed: Duration) {
        let joining = self.waiting - self.still_waiting(elapsed);
        if joining > 0.0 {
            self.waiting -= joining;
            for wealth in &mut self.wealth {
                *wealth += joining;
            }
        }
    }

    /// Starts anew, `elapsed` after the switch: forfeits all wealth and bets the mass that never bet, divided as at
    /// the start and over a whole nominal watch from here.
    ///
    /// The bound holds for the release as a whole, however many times and whenever this is called, because M is
    /// a sum over start masses. Those that bet before are given up, whatever the outage made of them; those
    /// that start from here on are multiplied by later requests only, and each is a supermartingale of its own from
    /// its start. All start masses of a release together stay below 1, so the sum of the supermartingales that
    /// count does too. Each restart leaves a tenth or more of its mass for the next.
    pub(super) fn restart(&mut self, elapsed: Duration) {
        self.start(elapsed, self.unspent());
    }

    pub(super) fn m(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it is twelve")]
        const SHARE: f64 = 1.0 / BETTORS as f64;
        self.wealth.iter().sum::<f64>() * SHARE + self.unspent()
    }

    /// The mass that bet at once at the last start.
    pub(super) fn staked(&self) -> f64 {
        self.began_with * AT_ONCE
    }

    /// Mass that does not bet yet: what joins later and the reserve.
    fn unspent(&self) -> f64 {
        self.waiting + self.began_with * (1.0 - AT_ONCE - OVER_THE_WATCH)
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

    /// The first field that cannot be true, of one that was saved.
    pub(super) fn broken(&self) -> Option<&'static str> {
        let checks = [
            ("began_with", (0.0..=1.0).contains(&self.began_with)),
            ("waiting", (0.0..=self.began_with).contains(&self.waiting)),
            ("wealth", self.wealth.iter().all(|w| (0.0..=MOST).contains(w))),
        ];
        checks.into_iter().find_map(|(name, holds)| (!holds).then_some(name))
    }
}

/// What bets' exponents are divided by: 2 D - 1 where errors cluster, else 1.
///
/// D alone would correct the variance, but not the tail. Simulated with an old and a new colour that fail alike in
/// bursts (D of 1.9 to 14), M passes 100 in 1 to 8 % of the watches with D and in no more than 0.2 % with 2 D - 1;
/// without tempering a D of only 1.4 ends 1 % of them as bad.
pub(super) fn temper(dispersion: f64) -> f64 {
    if dispersion > super::CLUSTERED { 2.0 * dispersion - 1.0 } else { 1.0 }
}
