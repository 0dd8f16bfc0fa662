//! The parts of an evidence, one by one, to be shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::bound::{Counts, Source, Tolerated};
use super::super::concurrent::Side;
use super::super::eprocess::ErrorProcess;
use super::super::latency::Quantile;
use super::{Evidence, Weighed, float};

/// What a part of the evidence looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// The error rate of all requests.
    Errors,
    /// The error rate of one route group; 0 is any other path.
    Group(u8),
    /// The share of errors that falls on the candidate while both colours serve.
    Concurrent,
    /// How many requests wait longer than the old colour's.
    Latency(Quantile),
}

/// One part, to be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// What it looks at.
    pub kind: PartKind,
    /// Its share of the whole, in (0, 1].
    pub weight: f64,
    /// ln M of this part alone.
    pub log_m: f64,
    /// What it would take for this part alone to make the candidate bad.
    pub threshold: f64,
    /// What it has judged since the last start: requests, and bad ones, or slow ones where it looks at latency.
    pub seen: Counts,
    /// The rate it is compared with; `None` for the concurrent baseline, whose comparison is `against`.
    pub tolerated: Option<Tolerated>,
    /// The old colour's requests that stand behind it, as far as they were counted.
    pub against: Counts,
}

/// A candidate that is slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slowness {
    /// The quantile that shows it most.
    pub quantile: Quantile,
    /// The route group with the most slow requests.
    pub group: u8,
    /// Requests judged by that quantile, and slow ones among them.
    pub seen: Counts,
    /// The part of them that may be slow, in (0, 1).
    pub tolerated: f64,
    /// How long a request to that group may take.
    pub within: Duration,
}

impl Evidence {
    /// Every part, the one that weighs most first.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let part = |kind, weight: f64, log_m, seen, tolerated, against| {
            let threshold = (self.threshold / weight).ln();
            Part { kind, weight, log_m, threshold, seen, tolerated, against }
        };
        let rate = |kind, errors: &Weighed<ErrorProcess>, tolerated, history| {
            let seen = Counts { n0: errors.process.requests(), k0: errors.process.bad() };
            part(kind, errors.weight, errors.process.log_m(), seen, Some(tolerated), history)
        };
        let mut parts = vec![rate(PartKind::Errors, &self.errors, self.tolerated, self.history)];
        for (id, group) in (0..).zip(&self.groups).filter_map(|(id, group)| Some((id, group.as_ref()?))) {
            parts.push(rate(PartKind::Group(id), &group.errors, group.tolerated, group.history));
        }
        if let Some(Weighed { weight, process }) = &self.concurrent {
            let [old, new] = [Side::Old, Side::New].map(|side| process.counts(side));
            parts.push(part(PartKind::Concurrent, *weight, process.log_m(), new, None, old));
        }
        if let Some(Weighed { weight, process }) = &self.latency {
            let count = process.quantiles().count();
            let waits = Counts { n0: self.waits, k0: 0 };
            for quantile in process.quantiles() {
                let seen = Counts { n0: quantile.requests, k0: quantile.slow };
                let tolerated = Tolerated { p0: quantile.p0, source: Source::Measured };
                let kind = PartKind::Latency(quantile.quantile);
                parts.push(part(kind, weight / float(count), quantile.log_m, seen, Some(tolerated), waits));
            }
        }
        parts.sort_by(|a, b| (b.log_m - b.threshold).total_cmp(&(a.log_m - a.threshold)));
        parts
    }

    /// What speaks against the candidate when that is slowness rather than errors.
    #[must_use]
    pub fn slowness(&self) -> Option<Slowness> {
        let latency = self.latency.as_ref().filter(|latency| latency.weight * latency.process.m() * 2.0 > self.m)?;
        let leading = latency.process.quantiles().max_by(|a, b| a.log_m.total_cmp(&b.log_m))?;
        let group = self.tally.slowest_group()?;
        let wait = latency.process.limit(leading.quantile, group)?;
        let seen = Counts { n0: leading.requests, k0: leading.slow };
        let within = Duration::from_millis(wait.into());
        Some(Slowness { quantile: leading.quantile, group, seen, tolerated: leading.p0, within })
    }
}
