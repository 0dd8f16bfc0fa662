//! What could have been seen: the error rate that so many requests would have given away.

use statrs::function::beta::beta_reg;

use super::binomial::upper_bound;
use super::mixture::BETTORS;

/// The probability with which an excluded rate would have been detected.
const POWER: f64 = 0.95;

/// A tolerated rate that is less likely than this to show so many bad requests does not explain them.
const UNLIKELY: f64 = 0.05;

/// The rates betted on, as logarithms of what a request multiplies a bettor's wealth by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bets {
    pub(super) ln_good: [f64; BETTORS],
    pub(super) ln_bad: [f64; BETTORS],
    temper: f64,
}

impl Bets {
    /// Twelve rates, evenly spaced on a logarithmic scale from min(1.6 p0, (1 + p0) / 2) to 0.98; every factor is
    /// raised to 1 / `temper`.
    pub(super) fn new(p0: f64, temper: f64) -> Self {
        let first = (1.6 * p0).min(f64::midpoint(1.0, p0));
        let (mut ln_good, mut ln_bad) = ([0.0; BETTORS], [0.0; BETTORS]);
        for (j, (good, bad)) in ln_good.iter_mut().zip(&mut ln_bad).enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "it is below twelve")]
            let q = first * (0.98 / first).powf(j as f64 / (BETTORS - 1) as f64);
            *good = ((-q).ln_1p() - (-p0).ln_1p()) / temper;
            *bad = (q / p0).ln() / temper;
        }
        Self { ln_good, ln_bad, temper }
    }

    /// ln of the bettors' mean wealth after `n` requests, `k` of them bad, from one unit of mass each.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn ln_mean(&self, n: u64, k: u64) -> f64 {
        let (good, bad) = ((n - k) as f64, k as f64);
        let mut ln = [0.0; BETTORS];
        for (j, ln) in ln.iter_mut().enumerate() {
            *ln = good * self.ln_good[j] + bad * self.ln_bad[j];
        }
        let largest = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = ln.iter().map(|ln| (ln - largest).exp()).sum();
        largest + (sum / BETTORS as f64).ln()
    }

    /// The fewest bad requests among `n` that multiply the bettors' mean wealth by e^`needed`; `None` if `n` are not
    /// enough.
    fn fewest_bad(&self, n: u64, needed: f64) -> Option<u64> {
        let (mut low, mut high) = (0, n);
        if self.ln_mean(n, n) < needed {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.ln_mean(n, middle) >= needed {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(high)
    }
}

/// The lowest steady error rate that `n` requests give away with a probability of 95 %, when the bettors' mean wealth
/// must grow by the factor e^`needed` for that.
///
/// The wealth depends on the order of requests only through when it is looked at, so it is enough that the last
/// look shows at least `k` bad ones, the fewest that suffice: the answer is the rate at which fewer than `k` have
/// a probability of 5 %. Earlier looks and mass that joined later only add to the chance. Where errors
/// cluster, as many requests as the bets are tempered by count as one.
pub(super) fn excludable(bets: &Bets, needed: f64, n: u64) -> Option<f64> {
    let k = bets.fewest_bad(n, needed)?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts stay far below 2^53, and the temper is at least 1"
    )]
    let [n, k] = [(n as f64 / bets.temper).floor() as u64, (k as f64 / bets.temper).ceil() as u64];
    (k <= n).then(|| upper_bound(n, k.saturating_sub(1), 1.0 - POWER))
}

/// Whether `bad` or more of `n` requests are bad at the rate `p0` with a probability of less than [`UNLIKELY`].
///
/// A variance D times as great is that of n / D independent requests, and the tail of clusters is longer still: as
/// many requests as `temper`, at least 1, count as one, and a fraction of one as a fraction.
pub(super) fn exceeds(p0: f64, temper: f64, n: u64, bad: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let [n, bad] = [n as f64 / temper, bad as f64 / temper];
    bad > 0.0 && beta_reg(bad, n - bad + 1.0, p0) < UNLIKELY
}
