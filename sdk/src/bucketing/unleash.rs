//! As Unleash's own clients deal users: `normalizedStrategyValue` and `normalizedVariantValue` of its client for Node, the same in
//! Yggdrasil.
//!
//! ```text
//! in the share:  murmur3(seed 0,        "GROUP:USER") % 100 + 1   <= percentage
//! variant:       murmur3(seed 86028157, "GROUP:USER") % weights + 1, the first variant whose weights up to it reach that
//! ```
//!
//! Here both count from 0. The group is the salt. Texts are hashed as UTF-8.

use super::murmur3::Murmur3;

/// How many buckets there are.
pub(super) const BUCKETS: u32 = 100;

const VARIANT_SEED: u32 = 86_028_157;

pub(super) fn bucket(salt: &str, value: &str) -> u32 {
    Murmur3::of(0, &[salt, ":", value]) % BUCKETS
}

/// Below `total`, which is at least 1.
pub(super) fn draw(salt: &str, value: &str, total: u32) -> u32 {
    Murmur3::of(VARIANT_SEED, &[salt, ":", value]).checked_rem(total).unwrap_or(0)
}
