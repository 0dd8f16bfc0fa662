//! The error rate a candidate is allowed: what the old colour's history proves, or what the policy says.

use serde::{Deserialize, Serialize};

use super::binomial::upper_bound;

/// Requests of the old colour, and how many of them were bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests, n0.
    pub n0: u64,
    /// Bad ones among them, k0 <= n0.
    pub k0: u64,
}

/// With fewer requests than this the history says too little and the policy's rate is used.
pub const MIN_HISTORY: u64 = 1_000;

/// A measured bound is never below this: a colour that never failed is not proven never to fail.
const FLOOR: f64 = 0.001;

/// Above this error rate "worse than before" has no room left to show itself.
const CEILING: f64 = 0.5;

/// Where the tolerated rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// From the old colour's requests.
    Measured,
    /// From `acceptable_error_rate`, because the history is short or as bad as not.
    Policy,
}

/// The error rate up to which a candidate is not bad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerated {
    /// The rate, in (0, 0.5].
    pub p0: f64,
    /// Measured or from the policy.
    pub source: Source,
}

/// The tolerated rate after this history.
///
/// Measured it is the highest of three: the rate that the history still excludes with a confidence of 1 - `alpha`,
/// `rho` times the rate observed, and 0.1 %. `acceptable_error_rate`, in (0, 0.5], stands in for a history of less
/// than [`MIN_HISTORY`] requests or one that would tolerate more than 50 %.
#[must_use]
pub fn tolerated(counts: Counts, rho: f64, alpha: f64, acceptable_error_rate: f64) -> Tolerated {
    let Counts { n0, k0 } = counts;
    if n0 >= MIN_HISTORY && k0 <= n0 {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
        let observed = k0 as f64 / n0 as f64;
        let p0 = upper_bound(n0, k0, alpha).max(rho * observed).max(FLOOR);
        if p0 <= CEILING {
            return Tolerated { p0, source: Source::Measured };
        }
    }
    Tolerated { p0: super::eprocess::sane_rate(acceptable_error_rate), source: Source::Policy }
}

/// The same for one route group of many, which may be rare: `None` where its short history says that it fails more often
/// than the policy accepts, so that neither can be held against a candidate.
pub(super) fn tolerated_in_group(
    counts: Counts,
    rho: f64,
    alpha: f64,
    acceptable_error_rate: f64,
) -> Option<Tolerated> {
    let found = tolerated(counts, rho, alpha, acceptable_error_rate);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let contradicted = counts.k0 as f64 > acceptable_error_rate * counts.n0 as f64;
    (found.source == Source::Measured || !contradicted).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of 1e-6: what the bound may spend where there is only one.
    const ALPHA: f64 = 5e-7;

    fn check(n0: u64, k0: u64, source: Source, percent: f64, digits: f64) {
        let found = tolerated(Counts { n0, k0 }, 1.5, ALPHA, 0.05);
        assert_eq!(found.source, source, "{k0} bad of {n0}");
        assert!((found.p0 * 100.0 - percent).abs() <= digits / 2.0, "{k0} bad of {n0}: {:.4} %", found.p0 * 100.0);
    }

    #[test]
    fn the_tolerated_rate_shrinks_as_history_grows() {
        check(1_000, 5, Source::Measured, 2.6, 0.1);
        check(10_000, 50, Source::Measured, 0.94, 0.01);
        check(30_000, 150, Source::Measured, 0.75, 0.01);
        check(200_000, 1_000, Source::Measured, 0.75, 0.001);
        check(200_000, 0, Source::Measured, 0.1, 0.001);
    }

    #[test]
    fn a_short_or_hopeless_history_leaves_it_to_the_policy() {
        check(0, 0, Source::Policy, 5.0, 0.0);
        check(999, 5, Source::Policy, 5.0, 0.0);
        check(10_000, 6_000, Source::Policy, 5.0, 0.0);
        check(10_000, 20_000, Source::Policy, 5.0, 0.0);
    }

    #[test]
    fn a_rare_route_that_always_failed_is_not_judged() {
        let check = |n0, k0, judged| {
            assert_eq!(tolerated_in_group(Counts { n0, k0 }, 1.5, ALPHA, 0.05).is_some(), judged, "{k0} bad of {n0}");
        };
        check(0, 0, true);
        check(10, 10, false);
        check(100, 5, true);
        check(5_000, 400, true);
        check(5_000, 4_000, false);
    }

    #[test]
    fn the_bare_bound_at_300_requests_is_what_the_rule_of_1000_spares_us() {
        let midway = (upper_bound(300, 1, ALPHA) + upper_bound(300, 2, ALPHA)) / 2.0;
        assert!((midway - 0.064).abs() < 0.005, "{midway}");
    }
}
