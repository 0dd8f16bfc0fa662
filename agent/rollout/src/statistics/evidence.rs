//! One component's evidence: several processes with weights that sum to 1, and one threshold.
//!
//! ```text
//!                     +-- errors of all requests     against history   (section 2)
//!   candidate's   ----+-- errors of each route group against history
//!   requests          +-- on whom errors fall        against the old colour now, at partial shares (section 3)
//!                     +-- waits                      against history   (section 4)
//!   M = sum of weight x M of each part;  bad when M >= 2 / alpha
//! ```
//!
//! A weighted mean of processes that start at 1 and cannot be expected to grow is one itself, so one threshold holds for
//! all of them together: a part of weight w needs ln(1 / w) more than it would alone, which at a failure of everything is
//! less than one request for each factor of a hundred.

mod parts;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use parts::{Part, PartKind, Slowness};

use super::baseline::Baseline;
use super::bound::{Counts, Tolerated, tolerated, tolerated_in_group};
use super::concurrent::{Concurrent, Side};
use super::eprocess::ErrorProcess;
use super::history::History;
use super::latency::LatencyProcess;
use super::samples::SAMPLES_WEIGHT;
use super::tally::Tally;
use crate::criteria::{Criteria, MAX_GROUPS};
use crate::observation::Observation;

/// Weight of the latency where it is judged (decision section 4); the rest is the errors'.
const LATENCY: f64 = 0.4;
/// Part of the errors' weight that the concurrent baseline gets while there is one (decision section 3).
const CONCURRENT: f64 = 0.5;
/// Part of the remaining errors' weight that the route groups share equally.
const GROUPS: f64 = 0.3;

/// The evidence on one component's candidate, as the machine holds it and a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// M at which the candidate is bad.
    threshold: f64,
    history: Counts,
    tolerated: Tolerated,
    errors: Weighed<ErrorProcess>,
    /// By route group, from 0 on; empty where none is configured, `None` for one that cannot be judged.
    groups: Vec<Option<Group>>,
    concurrent: Option<Weighed<Concurrent>>,
    /// `None` where latency is not judged, or the old colour's is not known well enough.
    latency: Option<Weighed<LatencyProcess>>,
    /// The old colour's waits behind the latency's limits.
    waits: u64,
    /// Sum of weight x M over all parts.
    m: f64,
    latched: bool,
    tally: Tally,
    set_aside: SetAside,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Weighed<P> {
    weight: f64,
    process: P,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Group {
    history: Counts,
    tolerated: Tolerated,
    errors: Weighed<ErrorProcess>,
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
    /// `steps`: the release begins with a partial share, so that both colours will be seen side by side. `nominal_watch` is
    /// how long the start mass is spread over. Half of `criteria.alpha` is shared by the bounds taken from history, so that
    /// they all hold at once; the other half is the threshold's.
    #[must_use]
    pub fn new(history: &History, criteria: &Criteria, steps: bool, nominal_watch: Duration) -> Self {
        // What Teal's own probes may spend is not spent here: see `Samples`.
        let of_probes = if criteria.probes.is_some() { SAMPLES_WEIGHT } else { 0.0 };
        let threshold = 2.0 / criteria.alpha / (1.0 - of_probes);
        let bounds = criteria.alpha / 2.0;
        let latency = criteria.latency.and_then(|tolerance| {
            let threshold = threshold / LATENCY;
            LatencyProcess::new(history.waits(), tolerance, bounds / 4.0, threshold, nominal_watch)
        });
        let latency = latency.map(|process| Weighed { weight: LATENCY, process });
        let of_errors = 1.0 - latency.as_ref().map_or(0.0, |latency| latency.weight);
        let configured = history.groups().len();
        let group_bound = bounds / 4.0 / float(configured.max(1));
        let group_rates: Vec<Option<Tolerated>> = history
            .groups()
            .map(|g| tolerated_in_group(g.counts(), criteria.rho, group_bound, criteria.acceptable_error_rate))
            .collect();
        let count = group_rates.iter().flatten().count();
        let concurrent = if steps { of_errors * CONCURRENT } else { 0.0 };
        let by_group = if count > 0 { (of_errors - concurrent) * GROUPS } else { 0.0 };
        let spent = u8::from(configured > 0) + u8::from(latency.is_some());
        let bound = bounds * (1.0 - f64::from(spent) / 4.0);
        let process = |baseline: &Baseline, rate: Tolerated, weight: f64| {
            let process = ErrorProcess::new(rate.p0, baseline.dispersion(), nominal_watch);
            Weighed { weight, process: process.latching_at(threshold / weight) }
        };
        let counts = history.all().counts();
        let rate = tolerated(counts, criteria.rho, bound, criteria.acceptable_error_rate);
        let errors = process(history.all(), rate, of_errors - concurrent - by_group);
        let groups = history.groups().zip(group_rates).map(|(group, rate)| {
            let errors = process(group, rate?, by_group / float(count));
            Some(Group { history: group.counts(), tolerated: rate?, errors })
        });
        let groups = groups.collect();
        let dispersion = history.all().dispersion();
        let concurrent = (concurrent > 0.0)
            .then(|| Weighed { weight: concurrent, process: Concurrent::new(criteria.rho, dispersion, nominal_watch) });
        Self {
            threshold,
            history: counts,
            tolerated: rate,
            errors,
            groups,
            concurrent,
            latency,
            waits: (0..=MAX_GROUPS).map(|group| history.waits().waits(group)).sum(),
            m: 1.0,
            latched: false,
            tally: Tally::default(),
            set_aside: SetAside::default(),
        }
    }

    /// Judges one finished request of the candidate, `elapsed` after the switch (not decreasing). Nothing is judged any
    /// more once the candidate is bad.
    pub fn observe(&mut self, elapsed: Duration, seen: &Observation) {
        if self.latched {
            return;
        }
        self.tally.add(seen);
        self.errors.process.observe(elapsed, seen.bad);
        if let Some(Some(group)) = self.groups.get_mut(usize::from(seen.group)) {
            group.errors.process.observe(elapsed, seen.bad);
        }
        if let Some(concurrent) = &mut self.concurrent {
            concurrent.process.observe(elapsed, Side::New, seen.bad);
        }
        if let (Some(latency), Some(wait)) = (&mut self.latency, seen.wait_ms) {
            latency.process.observe(elapsed, seen.group, wait);
            if latency.process.is_slow(seen.group, wait) {
                self.tally.add_slow(seen.group);
            }
        }
        self.weigh();
    }

    /// Takes in one request that the old colour answered beside the candidate, `elapsed` after the switch.
    pub fn observe_old(&mut self, elapsed: Duration, bad: bool) {
        if let Some(concurrent) = self.concurrent.as_mut().filter(|_| !self.latched) {
            concurrent.process.observe(elapsed, Side::Old, bad);
            if bad {
                self.weigh();
            }
        }
    }

    /// The candidate's share became this, in 0..=1.
    pub fn step(&mut self, share: f64) {
        if let Some(concurrent) = &mut self.concurrent {
            concurrent.process.step(share);
        }
    }

    fn weigh(&mut self) {
        let groups = self.groups.iter().flatten().map(|group| group.errors.weight * group.errors.process.m());
        let concurrent = self.concurrent.as_ref().map_or(0.0, |c| c.weight * c.process.m());
        let latency = self.latency.as_ref().map_or(0.0, |l| l.weight * l.process.m());
        self.m = self.errors.weight * self.errors.process.m() + groups.sum::<f64>() + concurrent + latency;
        self.latched = self.m >= self.threshold;
    }

    /// Counts a request that finished in a shared window and is not judged.
    pub fn set_aside(&mut self, bad: bool) {
        self.set_aside.requests += 1;
        self.set_aside.bad += u64::from(bad);
    }

    /// Starts anew after a shared window, `elapsed` after the switch; see [`ErrorProcess::restart`] for why the
    /// false-alarm bound still holds. What was judged so far is counted as set aside.
    pub fn restart(&mut self, elapsed: Duration) {
        self.set_aside.requests += self.errors.process.requests();
        self.set_aside.bad += self.errors.process.bad();
        self.errors.process.restart(elapsed);
        for group in self.groups.iter_mut().flatten() {
            group.errors.process.restart(elapsed);
        }
        if let Some(concurrent) = &mut self.concurrent {
            concurrent.process.restart(elapsed);
        }
        if let Some(latency) = &mut self.latency {
            latency.process.restart(elapsed);
        }
        self.tally = Tally::default();
        self.weigh();
    }

    /// ln M; bad when it reaches [`Self::log_threshold`].
    #[must_use]
    pub fn log_m(&self) -> f64 {
        self.m.ln()
    }

    /// What ln M is compared with: ln(2 / alpha), 14.5 by default.
    #[must_use]
    pub fn log_threshold(&self) -> f64 {
        self.threshold.ln()
    }

    /// Whether the candidate was found worse than tolerated since the last start.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        self.latched
    }

    /// Requests judged since the last start; once bad, how many it took.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.errors.process.requests()
    }

    /// Bad requests among [`Self::requests`].
    #[must_use]
    pub const fn bad(&self) -> u64 {
        self.errors.process.bad()
    }

    /// The error rate that would have been found out by now with a probability of 95 %
    /// ([`ErrorProcess::excludable`]).
    #[must_use]
    pub fn excludable(&self) -> Option<f64> {
        self.errors.process.excludable()
    }

    /// Whether the candidate's error rate so far is above the tolerated one, clusters taken into account
    /// ([`ErrorProcess::exceeds_tolerated`]). No verdict, but no proof of a good candidate either.
    #[must_use]
    pub fn exceeds_tolerated(&self) -> bool {
        self.errors.process.exceeds_tolerated()
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

    /// How much the old colour's errors clustered, D; bets are tempered above [`super::CLUSTERED`].
    #[must_use]
    pub const fn dispersion(&self) -> f64 {
        self.errors.process.dispersion()
    }

    /// Where the candidate's requests went since the last start.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What shared outages took out of the evidence.
    #[must_use]
    pub const fn excused(&self) -> SetAside {
        self.set_aside
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 33")]
const fn float(count: usize) -> f64 {
    count as f64
}
