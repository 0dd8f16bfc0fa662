//! The latency e-process: the candidate's waits against the old colour's quantiles.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::eprocess::{ErrorProcess, StateError};
use super::limits::{Limit, Limits, limits};
use super::{LONGEST_MS, LatencyHistory, Quantile};
use crate::criteria::MAX_GROUPS;

/// Nothing is judged this long after the switch, or for [`WARM_UP_REQUESTS`], whichever is over first: a new process is
/// slow until its code is compiled and its caches are warm.
pub const WARM_UP: Duration = Duration::from_secs(30);
/// See [`WARM_UP`].
pub const WARM_UP_REQUESTS: u64 = 2_000;

/// The latency process of one component's candidate: an [`ErrorProcess`] for each quantile, averaged.
///
/// A request is slow if it takes longer than the limit of its route group; while the candidate is as fast as the old
/// colour, or slower by no more than the tolerance, that happens to at most 10 % (p90) and 1 % (p99) of them, and p0 is
/// a quarter above that. So M starts at 1 and is a non-negative supermartingale, as the error process's is. The limits
/// hold all at once with a confidence of 1 - `bound_alpha`. A group without enough data is not judged; a quantile
/// for which no group has a limit, or whose dispersion is not known, is not there, and the other counts alone.
///
/// Saved with serde (checked on the way in), it goes on exactly where it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State", into = "State")]
pub struct LatencyProcess {
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// One or two, in the order of [`Quantile::ALL`].
    parts: Vec<Part>,
    latch_at: f64,
    /// Requests while warming up; [`WARM_UP_REQUESTS`] once that is over.
    warm: u64,
    latched: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    quantile: Quantile,
    /// By group, in milliseconds.
    limits: Vec<Option<u32>>,
    slow: ErrorProcess,
}

/// How one quantile stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileState {
    /// Which.
    pub quantile: Quantile,
    /// The tolerated share of slow requests, p0.
    pub p0: f64,
    /// The old colour's D of requests beyond this quantile; bets are tempered above [`super::super::CLUSTERED`].
    pub dispersion: f64,
    /// Requests judged since the last start.
    pub requests: u64,
    /// Slow ones among them.
    pub slow: u64,
    /// ln M of this quantile alone.
    pub log_m: f64,
    /// The lowest share of slow requests that would have been found out by now with a probability of 95 %.
    pub excludable: Option<f64>,
}

impl LatencyProcess {
    /// A process that starts at the switch, against this history of the old colour; `None` if that is too short to
    /// judge anything.
    ///
    /// `tolerance` is how much longer a request may take, as a factor, 1 ..= 100 (brought inside; 1.2 for what is no
    /// number). `bound_alpha` is the probability, in 1e-12 ..= 0.1 (brought inside), that any of the limits is below
    /// what it should be. `latch_at` is the M at which it is bad, 1 ..= 1e14, and `nominal_watch` is how long the start
    /// mass is spread over.
    #[must_use]
    pub fn new(
        history: &LatencyHistory,
        tolerance: f64,
        bound_alpha: f64,
        latch_at: f64,
        nominal_watch: Duration,
    ) -> Option<Self> {
        let tolerance = if tolerance.is_nan() { 1.2 } else { tolerance.clamp(1.0, 100.0) };
        let bound_alpha = if bound_alpha.is_nan() { 1e-12 } else { bound_alpha.clamp(1e-12, 0.1) };
        let latch_at = if latch_at.is_nan() { 1e14 } else { latch_at.clamp(1.0, 1e14) };
        let known = limits(history, tolerance, bound_alpha);
        // No part may stop betting before the average is over the threshold.
        #[expect(clippy::cast_precision_loss, reason = "at most two")]
        let alone = latch_at * known.len() as f64;
        let part = |Limits { quantile, dispersion, wait_ms }| {
            let slow = ErrorProcess::new(quantile.tolerated(), dispersion, nominal_watch).latching_at(alone);
            Part { quantile, limits: wait_ms, slow }
        };
        let parts: Vec<Part> = known.into_iter().map(part).collect();
        (!parts.is_empty()).then_some(Self { state: State { parts, latch_at, warm: 0, latched: false } })
    }

    /// Judges the wait of one finished request of the candidate, in milliseconds until the response headers, `elapsed`
    /// after the switch.
    ///
    /// Nothing bets while the candidate warms up; the mass that was to join in the meantime joins after. Nothing is
    /// judged or counted any more once the process is bad.
    pub fn observe(&mut self, elapsed: Duration, group: u8, wait_ms: u32) {
        let state = &mut self.state;
        if state.latched {
            return;
        }
        if state.warm < WARM_UP_REQUESTS {
            // The request that ends the time is not judged yet: when it came may well have to do with its wait.
            state.warm = if elapsed >= WARM_UP { WARM_UP_REQUESTS } else { state.warm + 1 };
            return;
        }
        for part in &mut state.parts {
            if let Some(limit) = part.limit(group) {
                part.slow.observe(elapsed, wait_ms.min(LONGEST_MS) > limit);
            }
        }
        state.latched = state.m() >= state.latch_at;
    }

    /// Starts anew after a shared outage, `elapsed` after the switch; see [`ErrorProcess::restart`] for why the bound
    /// holds. A candidate that is warm stays so.
    pub fn restart(&mut self, elapsed: Duration) {
        self.state.latched = false;
        for part in &mut self.state.parts {
            part.slow.restart(elapsed);
        }
    }

    /// M, at least 0: the mean over the quantiles.
    #[must_use]
    pub fn m(&self) -> f64 {
        self.state.m()
    }

    /// Whether M has reached its threshold since the last start. It stays so until a restart.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        self.state.latched
    }

    /// Whether the candidate still warms up and nothing is judged.
    #[must_use]
    pub const fn is_warming_up(&self) -> bool {
        self.state.warm < WARM_UP_REQUESTS
    }

    /// How each quantile that is judged stands. Takes up to about 0.2 ms: for once a second, not for each request.
    pub fn quantiles(&self) -> impl Iterator<Item = QuantileState> {
        self.state.parts.iter().map(|Part { quantile, slow, .. }| QuantileState {
            quantile: *quantile,
            p0: slow.p0(),
            dispersion: slow.dispersion(),
            requests: slow.requests(),
            slow: slow.bad(),
            log_m: slow.log_m(),
            excludable: slow.excludable(),
        })
    }

    /// Whether a request of a candidate that is warm is slow by any limit of its group.
    #[must_use]
    pub fn is_slow(&self, group: u8, wait_ms: u32) -> bool {
        let exceeds = |part: &Part| part.limit(group).is_some_and(|limit| wait_ms.min(LONGEST_MS) > limit);
        !self.is_warming_up() && self.state.parts.iter().any(exceeds)
    }

    /// Every limit, by quantile and group.
    pub fn limits(&self) -> impl Iterator<Item = Limit> {
        self.state.parts.iter().flat_map(|part| {
            let limit =
                |(group, limit): (u8, &Option<u32>)| Some(Limit { group, quantile: part.quantile, wait_ms: (*limit)? });
            (0..=MAX_GROUPS).zip(&part.limits).filter_map(limit)
        })
    }

    /// The limit of one group in milliseconds; `None` where it is not judged by this quantile.
    #[must_use]
    pub fn limit(&self, quantile: Quantile, group: u8) -> Option<u32> {
        self.state.parts.iter().find(|part| part.quantile == quantile)?.limit(group)
    }
}

impl Part {
    fn limit(&self, group: u8) -> Option<u32> {
        self.limits.get(usize::from(group)).copied().flatten()
    }
}

impl State {
    #[expect(clippy::cast_precision_loss, reason = "one or two")]
    fn m(&self) -> f64 {
        self.parts.iter().map(|part| part.slow.m()).sum::<f64>() / self.parts.len() as f64
    }
}

impl From<LatencyProcess> for State {
    fn from(process: LatencyProcess) -> Self {
        process.state
    }
}

impl TryFrom<State> for LatencyProcess {
    type Error = StateError;

    fn try_from(state: State) -> Result<Self, Self::Error> {
        let ascending = state.parts.windows(2).all(|pair| pair[0].quantile < pair[1].quantile);
        let mut limits = state.parts.iter().flat_map(|part| part.limits.iter().flatten());
        for (name, holds) in [
            ("parts", !state.parts.is_empty() && ascending),
            ("p0", state.parts.iter().all(|part| (part.slow.p0() - part.quantile.tolerated()).abs() < 1e-9)),
            ("limits", limits.all(|limit| *limit < LONGEST_MS)),
            ("limits", state.parts.iter().all(|part| part.limits.len() <= usize::from(MAX_GROUPS) + 1)),
            ("latch_at", (1.0..=1e14).contains(&state.latch_at)),
            ("warm", state.warm <= WARM_UP_REQUESTS),
        ] {
            if !holds {
                return Err(StateError(name));
            }
        }
        Ok(Self { state })
    }
}
