//! Exact binomial bounds: the highest rate that still explains so few bad requests.

use statrs::function::gamma::ln_gamma;

/// The Clopper-Pearson upper bound: the rate `p` at which `n` requests show `k` bad ones or fewer with probability
/// `tail`, which is `BetaInv(1 - tail; k + 1, n - k)`.
///
/// `tail` is in (0, 0.5]; the answer is in (0, 1], and 1 where `k >= n` (then every rate explains what was seen).
/// The relative error is below 1e-6 for any `n` up to 1e9.
pub(super) fn upper_bound(n: u64, k: u64, tail: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let target = tail.ln();
    // At the observed rate the lower tail is about a half or more, so the bound lies above it.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (mut low, mut high) = ((k as f64 / n as f64).max(f64::MIN_POSITIVE), 1.0_f64);
    // The bound spans many orders of magnitude, so the bracket is halved on the logarithm of the rate.
    while high / low > 1.0 + 1e-12 {
        let middle = (low * high).sqrt();
        if ln_lower_tail(n, k, middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The most events k for which P(Binomial(n, p) <= k) is at most `tail`, for `p` in (0, 1) and `tail` in (0, 0.5); `None` where
/// not even none are that unlikely.
///
/// Read as an order statistic: with confidence 1 - `tail` at most a share `p` of all values is greater than the one
/// that k of the `n` observed are greater than.
pub(super) fn most_excluded(n: u64, p: f64, tail: f64) -> Option<u64> {
    let target = tail.ln();
    if n == 0 || ln_lower_tail(n, 0, p) > target {
        return None;
    }
    // The lower tail at the mean is about a half, so the answer lies below; `high` does not qualify, `low` does.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts stay far below 2^53, and the mean is positive"
    )]
    let (mut low, mut high) = (0, ((n as f64 * p) as u64 + 1).min(n));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if ln_lower_tail(n, middle, p) > target {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(low)
}

/// ln P(Binomial(n, p) <= k) for `k < n` and `0 < p < 1`, meant for `p >= k / n`.
///
/// Sums the terms downwards from the largest. All are positive and shrink at least geometrically there, so nothing
/// cancels and the far tail is as accurate as the middle, which `1 - beta_reg` is not.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn ln_lower_tail(n: u64, k: u64, p: f64) -> f64 {
    let (n, k) = (n as f64, k as f64);
    let ln_choose = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let largest = ln_choose + k * p.ln() + (n - k) * (-p).ln_1p();
    let odds = (1.0 - p) / p;
    let (mut sum, mut term, mut i) = (1.0, 1.0, k);
    while i > 0.0 && term > sum * 1e-14 {
        term *= i * odds / (n - i + 1.0);
        sum += term;
        i -= 1.0;
    }
    largest + sum.ln()
}

#[cfg(test)]
mod tests {
    use statrs::function::beta::beta_reg;

    use super::*;

    #[test]
    fn the_bound_inverts_the_incomplete_beta_function() {
        for (n, k) in [(1, 0), (10, 3), (300, 2), (1_000, 5), (10_000, 50), (200_000, 1_000), (200_000, 0)] {
            for tail in [5e-7, 1e-3, 0.05, 0.5] {
                let p = upper_bound(n, k, tail);
                let found = beta_reg((n - k) as f64, k as f64 + 1.0, 1.0 - p);
                assert!((found / tail - 1.0).abs() < 1e-5, "n {n} k {k} tail {tail}: p {p} gives {found}");
            }
        }
    }

    #[test]
    fn without_a_bad_request_the_bound_has_a_closed_form() {
        for n in [1, 7, 1_000, 200_000, 1_000_000_000] {
            let exact = -((5e-7_f64).ln() / n as f64).exp_m1();
            assert!((upper_bound(n, 0, 5e-7) / exact - 1.0).abs() < 1e-6, "n {n}");
        }
    }

    #[test]
    fn the_most_events_that_are_excluded_agree_with_the_bound_on_the_rate() {
        for (n, p, tail) in
            [(145, 0.1, 2.5e-7), (300, 0.1, 5e-7), (30_000, 0.1, 2.5e-7), (2_000, 0.01, 7e-9), (200_000, 0.01, 0.05)]
        {
            let k = most_excluded(n, p, tail).unwrap();
            assert!(upper_bound(n, k, tail) <= p, "n {n}: {k} do not exclude {p}");
            assert!(upper_bound(n, k + 1, tail) > p, "n {n}: {k} are not the most");
        }
        for (n, p, tail) in [(0, 0.1, 0.5), (144, 0.1, 2.5e-7), (1_500, 0.01, 2.5e-7)] {
            assert_eq!(most_excluded(n, p, tail), None, "n {n} p {p}");
        }
        assert_eq!(most_excluded(22, 0.5, 2.5e-7), Some(0));
    }

    #[test]
    fn nothing_but_bad_requests_bounds_nothing() {
        assert_eq!(upper_bound(0, 0, 0.05), 1.0);
        assert_eq!(upper_bound(9, 9, 0.05), 1.0);
    }
}
