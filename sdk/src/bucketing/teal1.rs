//! One hash from the edge to the code: which of 100 000 buckets a user falls into.
//!
//! ```text
//! bucket = (xxh3_64(salt ++ ":" ++ value) & 0x7fff_ffff_ffff_ffff) % 100_000
//! HAProxy: var(txn.salt),concat(:,txn.uid),xxh3(0),and(9223372036854775807),mod(100000)
//! ```

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::two::bucket_behind;

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
pub fn bucket(salt: &str, value: &str) -> u32 {
    // Room for a salt of up to 63 bytes, `:`, and 16 noughts.
    let mut prefix = [0; 80];
    let length = salt.len();
    if let (0..64, Some((room, [colon, ..]))) = (length, prefix.split_at_mut_checked(length)) {
        room.copy_from_slice(salt.as_bytes());
        *colon = b':';
        return bucket_behind(&prefix, length + 1, value);
    }
    of_hash(hash([salt.as_bytes(), b":", value.as_bytes()]))
}

/// The bucket of a value behind `salt:`.
pub(super) fn bucket_of(prefix: &[u8], value: &[u8]) -> u32 {
    of_hash(hash([prefix, b"", value]))
}

/// A number in 0..total, at least 1, for choosing a variant: the hash under the salt `SALT.variant`, modulo `total`.
///
/// ```text
/// HAProxy: var(txn.salt),concat(.variant:,txn.uid),xxh3(0),and(9223372036854775807),mod(TOTAL)
/// ```
#[expect(clippy::cast_possible_truncation, reason = "less than `total`")]
pub(super) fn draw(salt: &str, value: &str, total: u32) -> u32 {
    (hash([salt.as_bytes(), b".variant:", value.as_bytes()]) & WITHOUT_SIGN).checked_rem(u64::from(total)).unwrap_or(0)
        as u32
}

/// The bucket that a hash falls into.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "less than 100 000")]
pub(super) const fn of_hash(hash: u64) -> u32 {
    ((hash & WITHOUT_SIGN) % BUCKETS as u64) as u32
}

/// The hash of three texts as one, put together on the stack where there is room.
fn hash(parts: [&[u8]; 3]) -> u64 {
    let (mut room, mut length) = ([0; 256], 0);
    for part in parts {
        let Some(place) = room.get_mut(length..length + part.len()) else { return streamed(parts) };
        place.copy_from_slice(part);
        length += part.len();
    }
    room.get(..length).map_or(0, xxh3_64)
}

#[cold]
fn streamed(parts: [&[u8]; 3]) -> u64 {
    let mut hasher = Xxh3::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.digest()
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
