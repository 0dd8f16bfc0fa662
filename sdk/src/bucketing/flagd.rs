//! As flagd's `fractional` deals users: the arithmetic of flagd's core 0.15 (April 2026) and of its providers from that time.
//!
//! ```text
//! place = (murmur3(seed 0, FLAG ++ USER) * total weight) >> 32        0..total weight
//! ```
//!
//! The salt is the flag's key, and nothing stands between it and the user; with an own expression for what is hashed, the salt
//! is what that puts in front. Earlier versions computed `abs(hash as signed) / (2^31 - 1) * 100` in floats, which dealt
//! many users elsewhere: flagd itself moved them with that change.

use super::murmur3::Murmur3;
use crate::model::Percentage;

/// The place of a user on a line of this length.
fn place(salt: &str, value: &str, length: u32) -> u32 {
    ((u64::from(Murmur3::of(0, &[salt, value])) * u64::from(length)) >> 32) as u32
}

/// A distribution over two variants by thousandths of a percent. It is the same for any weights in that proportion.
pub(super) fn includes(salt: &str, value: &str, share: Percentage) -> bool {
    place(salt, value, Percentage::ALL.thousandths()) < share.thousandths()
}

/// Below `total`, of those who are in the share. flagd draws once, over all weights; so that a share and the weights within
/// it come to the same as one distribution (`on A`, `on B`, `off`), the line of those in the share is stretched to the whole.
/// A user's variant may therefore change with the share, as with flagd's weights.
#[expect(clippy::cast_possible_truncation, reason = "less than `total`")]
pub(super) fn draw(salt: &str, value: &str, share: Percentage, total: u32) -> u32 {
    let hash = u128::from(Murmur3::of(0, &[salt, value]));
    let whole = u128::from(share.thousandths()) << 32;
    let place = (hash * u128::from(total) * u128::from(Percentage::ALL.thousandths())).checked_div(whole).unwrap_or(0);
    // Those outside the share, of whom nobody should ask, are at its end.
    place.min(u128::from(total.saturating_sub(1))) as u32
}
