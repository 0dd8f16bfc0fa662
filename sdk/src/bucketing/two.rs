//! XXH3 of two texts as if they were one, without putting them together: the fast path of `teal1`.
//!
//! ```text
//! prefix "telehealth:" | value "0192f3c4-..."      most ids are written behind a prefix that never changes
//!  +--------16--------++--------16--------+...     XXH3 reads 16 bytes at a time; one of them lies across the seam
//! ```
//! Writing both into one place and reading that at once costs more than the hash: a read that spans two writes waits until both
//! have left the processor's store buffer. So each 16 bytes are taken from where they are, and those across the seam are put
//! together in a register.
//!
//! The formula is that of XXH3 64 for 17 to 128 bytes and seed 0 (xxHash specification, section "XXH3 algorithm overview"; the
//! constants are the first 128 bytes of its default secret). A property test holds it against the crate `xxhash-rust`.

use super::teal1::{bucket_of, of_hash};

/// The default secret as little-endian words, two for each 16 bytes of input.
const SECRET: [(u64, u64); 8] = [
    (0xbe4b_a423_396c_feb8, 0x1cad_21f7_2c81_017c),
    (0xdb97_9083_e96d_d4de, 0x1f67_b3b7_a4a4_4072),
    (0x78e5_c0cc_4ee6_79cb, 0x2172_ffcc_7dd0_5a82),
    (0x8e24_43f7_7446_08b8, 0x4c26_3a81_e690_35e0),
    (0xcb00_c391_bb52_283c, 0xa32e_531b_8b65_d088),
    (0x4ef9_0da2_9748_6471, 0xd8ac_dea9_46ef_1938),
    (0x3f34_9ce3_3f76_faa8, 0x1d4f_0bc7_c7bb_dcf9),
    (0x3159_b4cd_4be0_518a, 0x6473_78d9_c97e_9fc8),
];
const PRIME64_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_MX1: u64 = 0x1656_6791_9e37_79f9;

/// The bucket of a value behind the first `length` bytes of `prefix`, which are `salt:`. From there on `prefix` is all nought for
/// 16 bytes or to its end.
#[inline]
pub(crate) fn bucket_behind<const N: usize>(prefix: &[u8; N], length: usize, value: &str) -> u32 {
    let hash = Seam::new(prefix, length, value.as_bytes()).and_then(|seam| seam.xxh3());
    match hash {
        Some(hash) => of_hash(hash),
        None => bucket_of(prefix.get(..length).unwrap_or_default(), value.as_bytes()),
    }
}

/// Two texts, one behind the other.
struct Seam<'a> {
    /// With room behind it.
    prefix: &'a [u8],
    /// Where the value begins.
    at: usize,
    value: &'a [u8],
    /// The first 16 bytes of the value; nought where it has fewer.
    first: u128,
}

impl<'a> Seam<'a> {
    #[inline]
    fn new(prefix: &'a [u8], at: usize, value: &'a [u8]) -> Option<Self> {
        let first = match value.first_chunk() {
            Some(first) => u128::from_le_bytes(*first),
            None => short(value)?,
        };
        Some(Self { prefix, at, value, first })
    }

    /// The hash of both; `None` for fewer than 17 and more than 128 bytes.
    #[inline]
    fn xxh3(&self) -> Option<u64> {
        let length = self.at + self.value.len();
        if !(17..=128).contains(&length) {
            return None;
        }
        let mut sum = (length as u64).wrapping_mul(PRIME64_1);
        let mut pair = |which: usize| {
            let (front, back) = (SECRET[2 * which], SECRET[2 * which + 1]);
            let front = mix(self.read(16 * which)?, front);
            let back = mix(self.read(length - 16 * (which + 1))?, back);
            sum = sum.wrapping_add(front).wrapping_add(back);
            Some(())
        };
        pair(0)?;
        if length > 32 {
            pair(1)?;
            if length > 64 {
                pair(2)?;
                if length > 96 {
                    pair(3)?;
                }
            }
        }
        Some(avalanche(sum))
    }

    /// The 16 bytes from a place on.
    #[inline]
    fn read(&self, from: usize) -> Option<u128> {
        let chunk = |text: &[u8], from: usize| Some(u128::from_le_bytes(*text.get(from..)?.first_chunk()?));
        match self.at.checked_sub(from) {
            None | Some(0) => chunk(self.value, from - self.at),
            Some(before @ 1..16) => Some(chunk(self.prefix, from)? | self.first << (8 * before)),
            Some(_) => chunk(self.prefix, from),
        }
    }
}

/// Fewer than 16 bytes, with noughts behind them.
#[inline]
fn short(text: &[u8]) -> Option<u128> {
    let bits = |bytes: usize| 8 * bytes;
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            Some(u128::from(first) | u128::from(last) << bits(text.len() - 8))
        }
        _ => Some(text.iter().rev().fold(0, |sum, byte| sum << 8 | u128::from(*byte))),
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of 16 bytes and of a product")]
fn mix(input: u128, (low, high): (u64, u64)) -> u64 {
    let product = u128::from(input as u64 ^ low) * u128::from((input >> 64) as u64 ^ high);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
const fn avalanche(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 37)).wrapping_mul(PRIME_MX1);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket;
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    /// As an entry keeps it.
    fn padded(salt: &str) -> ([u8; 104], usize) {
        let mut prefix = [0; 104];
        prefix[..salt.len()].copy_from_slice(salt.as_bytes());
        prefix[salt.len()] = b':';
        (prefix, salt.len() + 1)
    }

    #[test]
    fn every_pair_of_lengths_hashes_as_one_text() {
        let text: String = ('!'..='~').cycle().take(200).collect();
        for salt in 1..=64 {
            for value in 0..=140 {
                let (salt, value) = (&text[..salt], &text[7..7 + value]);
                let (prefix, length) = padded(salt);
                assert_eq!(bucket_behind(&prefix, length, value), bucket(salt, value), "{salt} {value}");
                let hash = Seam::new(&prefix, length, value.as_bytes()).and_then(|seam| seam.xxh3());
                let whole = format!("{salt}:{value}");
                let is_fast = (17..=128).contains(&whole.len());
                // What lies behind a long prefix is not nought any more.
                let room = length + 16 <= 104 || whole.len() <= 104;
                assert!(hash.is_none() || hash == Some(xxh3_64(whole.as_bytes())), "{whole}");
                assert!(!is_fast || !room || hash.is_some(), "{whole} is not hashed fast");
            }
        }
    }

    proptest! {
        #[test]
        fn any_two_texts_hash_as_one(salt in "[A-Za-z0-9_.-]{1,64}", value in ".{0,60}") {
            let (prefix, length) = padded(&salt);
            prop_assert_eq!(bucket_behind(&prefix, length, &value), bucket(&salt, &value));
        }
    }
}
