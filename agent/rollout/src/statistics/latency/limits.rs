//! How long a request of the candidate may take: the old colour's quantile, bounded from above, and some more.

use serde::{Deserialize, Serialize};

use super::super::binomial::most_excluded;
use super::super::eprocess::CLUSTERED;
use super::group::Group;
use super::histogram::LONGEST_MS;
use super::{LatencyHistory, Quantile};

/// A limit is at least this many milliseconds above the old colour's quantile: less is noise to people.
pub const GUARD_MS: u32 = 20;

/// How long a request of one group may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The route group, 0 ..= 32.
    pub group: u8,
    /// The quantile it is taken from.
    pub quantile: Quantile,
    /// A longer wait, in milliseconds, is slow.
    pub wait_ms: u32,
}

/// The limits of one quantile.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) quantile: Quantile,
    /// The old colour's D.
    pub(super) dispersion: f64,
    /// By group.
    pub(super) wait_ms: Vec<Option<u32>>,
}

/// The limits of each quantile for which there are enough data in at least one group.
///
/// All bounds hold together with a confidence of 1 - `bound_alpha`, which is in (0, 0.5): each may fail with an equal
/// part of it. The bound is the order statistic of the exact binomial distribution; where slow requests cluster, as many
/// waits as D count as one.
pub(super) fn limits(history: &LatencyHistory, tolerance: f64, bound_alpha: f64) -> Vec<Limits> {
    let known: Vec<_> = Quantile::ALL.into_iter().filter_map(|q| Some((q, history.dispersion(q)?))).collect();
    // How many there are depends on how many waits were seen, not on how long they were.
    let possible = |(quantile, dispersion)| {
        history.groups.iter().filter(move |group| may_exceed(group, quantile, dispersion, bound_alpha).is_some())
    };
    let bounds = known.iter().copied().flat_map(possible).count();
    #[expect(clippy::cast_precision_loss, reason = "at most 66")]
    let alpha = bound_alpha / bounds.max(1) as f64;
    known
        .into_iter()
        .map(|(quantile, dispersion)| {
            let limit = |group: &Group| {
                let quantile_ms = group.exceeded_by(may_exceed(group, quantile, dispersion, alpha)?);
                Some(limit_over(quantile_ms, tolerance)).filter(|limit| *limit < LONGEST_MS)
            };
            Limits { quantile, dispersion, wait_ms: history.groups.iter().map(limit).collect() }
        })
        .filter(|limits| limits.wait_ms.iter().any(Option::is_some))
        .collect()
}

/// How many of a group's waits may exceed what is then, with confidence 1 - `alpha`, no less than the quantile.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts stay far below 2^53, and the divisor is at least 1"
)]
fn may_exceed(group: &Group, quantile: Quantile, dispersion: f64, alpha: f64) -> Option<u64> {
    let as_one = if dispersion > CLUSTERED { dispersion } else { 1.0 };
    let k = most_excluded((group.n() as f64 / as_one) as u64, quantile.beyond(), alpha)?;
    Some((k as f64 * as_one) as u64)
}

/// The longest wait that is within the tolerance of `quantile_ms`, or within the guard.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive product; a cast saturates")]
fn limit_over(quantile_ms: u32, tolerance: f64) -> u32 {
    let longer = (f64::from(quantile_ms) * tolerance) as u32;
    longer.max(quantile_ms.saturating_add(GUARD_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_fifth_and_twenty_milliseconds_above_the_quantile() {
        for (quantile, limit) in [(0, 20), (5, 25), (100, 120), (101, 121), (128, 153), (10_000, 12_000)] {
            assert_eq!(limit_over(quantile, 1.2), limit, "{quantile} ms");
        }
        assert_eq!(limit_over(LONGEST_MS, 1e300), u32::MAX);
    }
}
