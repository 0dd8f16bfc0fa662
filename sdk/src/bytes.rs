//! Short texts, compared and hashed without a call into the C library: most names and ids have 8 to 64 bytes, and there a
//! call costs more than the work.
//!
//! ```text
//! |<--- first N --->|
//!        |<--- last N --->|        a text of N to 2 N bytes is its two ends, which overlap
//! ```

/// The first and the last N bytes of a text of N to 2 N bytes.
#[inline]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    if text.len() > 2 * N {
        return None;
    }
    Some((text.first_chunk()?, text.last_chunk()?))
}

/// Whether two texts are the same.
#[inline]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some((a, a_end)), Some((b, b_end))) = (ends::<16>(a), ends::<16>(b)) {
        let differ = |a: &[u8; 16], b: &[u8; 16]| u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b);
        return differ(a, b) | differ(a_end, b_end) == 0;
    }
    if let (Some((a, a_end)), Some((b, b_end))) = (ends::<8>(a), ends::<8>(b)) {
        let differ = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
        return differ(a, b) | differ(a_end, b_end) == 0;
    }
    a == b
}

/// Odd constants with half of their bits set: the fractional parts of the square roots of 2, 3, 5 and 7.
const KEYS: [u64; 4] = [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// A hash for tables that are looked up in by trusted names: 16 bytes at a time, each pair of words multiplied to 128 bits and
/// folded, as wyhash and foldhash do. It says nothing to the outside, and may change.
#[inline]
pub(crate) fn hash(text: &[u8]) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let two = |bytes: &[u8; 16]| {
        let (low, high) = bytes.split_at(8);
        (low.first_chunk().map_or(0, word), high.first_chunk().map_or(0, word))
    };
    let mut state = KEYS[0] ^ text.len() as u64;
    let (a, b) = if let Some((first, last)) = ends::<8>(text) {
        (word(first), word(last))
    } else if let Some((first, last)) = ends::<4>(text) {
        (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
    } else if let Some(end) = text.last_chunk::<16>() {
        let (chunks, _) = text.as_chunks::<16>();
        // The end is hashed by itself, whether or not it overlaps the last chunk.
        for chunk in chunks {
            let (a, b) = two(chunk);
            state = fold(a ^ state, b ^ KEYS[1]);
        }
        two(end)
    } else {
        match text {
            [] => (0, 0),
            [first, .., last] => (u64::from(*first) << 8 | u64::from(*last), text[text.len() / 2].into()),
            [only] => (u64::from(*only) << 8 | u64::from(*only), (*only).into()),
        }
    };
    fold(fold(a ^ KEYS[2], b ^ state), KEYS[3])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_equals_its_copy(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let copy = text.clone();
            prop_assert!(equal(&text, &copy));
            prop_assert_eq!(hash(&text), hash(&copy));
        }

        #[test]
        fn one_other_bit_anywhere_is_seen(text in prop::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0..8) {
            let mut other = text.clone();
            other[at.index(text.len())] ^= 1_u8 << bit;
            prop_assert!(!equal(&text, &other) && !equal(&text, &text[1..]));
            prop_assert_ne!(hash(&text), hash(&other));
        }
    }

    #[test]
    fn names_that_are_much_alike_spread_over_a_table() {
        let names: Vec<String> = (0..1000).map(|number| format!("release.feature-{number}")).collect();
        let places: HashSet<u64> = names.iter().map(|name| hash(name.as_bytes()) % 2048).collect();
        // Of 1000 in 2048 places at random 791 places are taken on average, with a standard deviation of 9.
        assert!(places.len() > 740, "{}", places.len());
    }
}
