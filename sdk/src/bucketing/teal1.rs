//! One hash from the edge to the code: which of 100 000 buckets a user falls into.
//!
//! ```text
//! bucket = (xxh3_64(salt ++ ":" ++ value) & 0x7fff_ffff_ffff_ffff) % 100_000
//! HAProxy: var(txn.salt),concat(:,txn.uid),xxh3(0),and(9223372036854775807),mod(100000)
//! ```

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// How many buckets there are: one is 0.001 % of all users.
pub const BUCKETS: u32 = 100_000;

/// HAProxy computes with signed numbers; without the sign bit both sides see the same one.
const WITHOUT_SIGN: u64 = 0x7fff_ffff_ffff_ffff;

/// The bucket, 0..100 000, of a stickiness value (most often a user id) under a salt.
///
/// A share of N thousandths of a percent takes the buckets below N, so raising a share only adds users. The
/// function never changes: who is in a running roll-out depends on it. It does not allocate. An empty value has
/// a bucket too, the same for everybody; callers treat it as no value.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "less than 100 000")]
pub fn bucket(salt: &str, value: &str) -> u32 {
    let mut short = [0; 256];
    let length = salt.len() + 1 + value.len();
    let hash = match short.get_mut(..length) {
        Some(input) => {
            input[..salt.len()].copy_from_slice(salt.as_bytes());
            input[salt.len()] = b':';
            input[salt.len() + 1..].copy_from_slice(value.as_bytes());
            xxh3_64(input)
        }
        None => {
            let mut hasher = Xxh3::new();
            for part in [salt, ":", value] {
                hasher.update(part.as_bytes());
            }
            hasher.digest()
        }
    };
    ((hash & WITHOUT_SIGN) % u64::from(BUCKETS)) as u32
}

/// A number in 0..total, at least 1, for choosing a variant: the hash under the salt `SALT.variant`, modulo `total`.
///
/// ```text
/// HAProxy: var(txn.salt),concat(.variant:,txn.uid),xxh3(0),and(9223372036854775807),mod(TOTAL)
/// ```
#[expect(clippy::cast_possible_truncation, reason = "less than `total`")]
pub(super) fn draw(salt: &str, value: &str, total: u32) -> u32 {
    let mut hasher = Xxh3::new();
    for part in [salt, ".variant:", value] {
        hasher.update(part.as_bytes());
    }
    (hasher.digest() & WITHOUT_SIGN).checked_rem(u64::from(total)).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_salt_deals_users_evenly() {
        let mut tenths = [0; 10];
        for user in 0..10_000 {
            tenths[bucket("new-editor", &format!("user-{user}")) as usize / 10_000] += 1;
        }
        assert!(tenths.iter().all(|count| (900..1_100).contains(count)), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn short_and_long_values_are_hashed_as_one_text(salt in "[A-Za-z0-9_.-]{1,64}", value in ".{0,300}") {
            let text = format!("{salt}:{value}");
            let expected = (xxh3_64(text.as_bytes()) & WITHOUT_SIGN) % u64::from(BUCKETS);
            prop_assert_eq!(u64::from(bucket(&salt, &value)), expected);
        }
    }
}
