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
//! The formulas are those of XXH3 64 for 9 to 16 and 17 to 128 bytes and seed 0 (xxHash specification, section "XXH3 algorithm
//! overview"; the constants are the first 128 bytes of its default secret). A property test holds them against the crate
//! `xxhash-rust`. It takes 1.2 to 1.7 times as long as the hash of one text that is already there.

use super::teal1::{bucket_of, of_hash};

/// Sixteen bytes as two little-endian words.
type Words = (u64, u64);

/// The default secret, a pair for each 16 bytes of input.
const SECRET: [Words; 8] = [
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
    match xxh3(prefix, length, value.as_bytes()) {
        Some(hash) => of_hash(hash),
        None => written_out(prefix, length, value),
    }
}

/// Lengths for which there is no short cut.
#[cold]
fn written_out(prefix: &[u8], length: usize, value: &str) -> u32 {
    bucket_of(prefix.get(..length).unwrap_or_default(), value.as_bytes())
}

/// The hash of both; `None` for fewer than 9 and more than 128 bytes.
#[inline]
fn xxh3<const N: usize>(prefix: &[u8; N], at: usize, value: &[u8]) -> Option<u64> {
    let first = value.first_chunk().map_or_else(|| short(value), words);
    let seam = Seam { prefix, at, value, first };
    let length = at + value.len();
    match length {
        17..=128 => {
            let mut sum = (length as u64).wrapping_mul(PRIME64_1).wrapping_add(seam.pair::<0>(length)?);
            if length > 32 {
                sum = sum.wrapping_add(seam.pair::<1>(length)?);
                if length > 64 {
                    sum = sum.wrapping_add(seam.pair::<2>(length)?);
                    if length > 96 {
                        sum = sum.wrapping_add(seam.pair::<3>(length)?);
                    }
                }
            }
            Some(avalanche(sum))
        }
        9..=16 => {
            let (low, high) = seam.read(0)?;
            // The last 8 bytes overlap the first 8, unless there are 16.
            let last = if length == 16 { high } else { low >> (8 * (length - 8)) | high << (8 * (16 - length)) };
            let (low, last) = (low ^ SECRET[1].1 ^ SECRET[2].0, last ^ SECRET[2].1 ^ SECRET[3].0);
            let sum = (length as u64).wrapping_add(low.swap_bytes()).wrapping_add(last);
            Some(avalanche(sum.wrapping_add(folded(low, last))))
        }
        _ => None,
    }
}

/// Two texts, one behind the other.
#[derive(Clone, Copy)]
struct Seam<'a, const N: usize> {
    /// With noughts behind it.
    prefix: &'a [u8; N],
    /// Where the value begins.
    at: usize,
    value: &'a [u8],
    /// The first 16 bytes of the value; nought where it has fewer.
    first: Words,
}

impl<const N: usize> Seam<'_, N> {
    /// The 16 bytes so far from the beginning, and so far from the end. Inlined, so that each place is a constant or nearly one:
    /// otherwise it takes twice the time.
    #[inline(always)]
    fn pair<const WHICH: usize>(self, length: usize) -> Option<u64> {
        let front = mix(self.read(16 * WHICH)?, SECRET[2 * WHICH]);
        let back = mix(self.read(length - 16 * (WHICH + 1))?, SECRET[2 * WHICH + 1]);
        Some(front.wrapping_add(back))
    }

    /// The 16 bytes from a place on.
    #[inline(always)]
    fn read(self, from: usize) -> Option<Words> {
        if from >= self.at {
            return chunk(self.value, from - self.at);
        }
        let ((low, high), before) = (chunk(self.prefix, from)?, self.at - from);
        let (first, second) = self.first;
        Some(if before >= 16 {
            (low, high)
        } else if before >= 8 {
            (low, high | first << (8 * (before - 8)))
        } else {
            let bits = 8 * before;
            (low | first << bits, high | second << bits | first >> (64 - bits))
        })
    }
}

#[inline]
fn chunk(text: &[u8], from: usize) -> Option<Words> {
    text.get(from..from.checked_add(16)?)?.first_chunk().map(words)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of 16 bytes")]
const fn words(bytes: &[u8; 16]) -> Words {
    let both = u128::from_le_bytes(*bytes);
    (both as u64, (both >> 64) as u64)
}

/// Fewer than 16 bytes, with noughts behind them.
#[inline]
fn short(text: &[u8]) -> Words {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // Of the last 8 those that are not among the first 8: none to seven.
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        return (first, if text.len() == 8 { 0 } else { last >> (8 * (16 - text.len())) });
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
        return (first | last << (8 * (text.len() - 4)), 0);
    }
    (text.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 0)
}

#[inline]
fn mix((a, b): Words, (low, high): Words) -> u64 {
    folded(a ^ low, b ^ high)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
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
                let hash = xxh3(&prefix, length, value.as_bytes());
                let whole = format!("{salt}:{value}");
                let is_fast = (9..=128).contains(&whole.len());
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
