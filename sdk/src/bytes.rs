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
    if let (Some((a, a_end)), Some((b, b_end))) = (ends::<8>(a), ends::<8>(b)) {
        let differ = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
        return differ(a, b) | differ(a_end, b_end) == 0;
    }
    if let (Some((a, a_end)), Some((b, b_end))) = (ends::<16>(a), ends::<16>(b)) {
        let differ = |a: &[u8; 16], b: &[u8; 16]| u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b);
        return differ(a, b) | differ(a_end, b_end) == 0;
    }
    if let (Some((a, a_end)), Some((b, b_end))) = (ends::<4>(a), ends::<4>(b)) {
        let differ = |a: &[u8; 4], b: &[u8; 4]| u32::from_ne_bytes(*a) ^ u32::from_ne_bytes(*b);
        return differ(a, b) | differ(a_end, b_end) == 0;
    }
    if a.len() < 4 {
        return a.iter().zip(b).all(|(a, b)| a == b);
    }
    a == b
}

/// A text that is kept in place where it is short, so that it is found without another cache line.
#[derive(Debug)]
pub(crate) enum Text {
    /// Length and bytes.
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

/// Makes a text 24 bytes.
const SHORT: usize = 22;

impl Text {
    /// Whether they are the same.
    #[inline]
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Short(length, bytes) => {
                bytes.get(..usize::from(*length)).is_some_and(|known| equal(known, text.as_bytes()))
            }
            Self::Long(known) => equal(known.as_bytes(), text.as_bytes()),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(text.as_bytes());
                Self::Short(length, bytes)
            }
            _ => Self::Long(text.into()),
        }
    }
}

/// Odd constants with half of their bits set: the fractional parts of the square roots of 2, 3, 5 and 7.
const KEYS: [u64; 4] = [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// A hash for tables that are looked up in by trusted names: words are taken in pairs, and each pair is multiplied to 128 bits and
/// folded, as wyhash and foldhash do; up to 32 bytes side by side, not one after the other. It says nothing to the outside, and
/// may change.
#[inline]
pub(crate) fn hash(text: &[u8]) -> u64 {
    let seed = KEYS[0] ^ text.len() as u64;
    let whole = if let Some((first, last)) = ends::<16>(text) {
        pair(first, KEYS[0]) ^ pair(last, KEYS[1])
    } else if let Some((first, last)) = ends::<8>(text) {
        fold(u64::from_le_bytes(*first) ^ KEYS[1], u64::from_le_bytes(*last) ^ KEYS[2])
    } else if let Some((first, last)) = ends::<4>(text) {
        fold(u64::from(u32::from_le_bytes(*first)) ^ KEYS[1], u64::from(u32::from_le_bytes(*last)) ^ KEYS[2])
    } else {
        // The end is hashed by itself, whether or not it overlaps the last chunk.
        let (chunks, _) = text.as_chunks();
        let end = text
            .last_chunk()
            .map_or_else(|| text.iter().fold(1, |sum, byte| sum << 8 | u64::from(*byte)), |end| pair(end, KEYS[1]));
        chunks.iter().fold(end, |sum, chunk| fold(sum ^ KEYS[2], pair(chunk, KEYS[0])))
    };
    fold(whole ^ seed, KEYS[3])
}

/// A product of 128 bits, its halves laid over each other.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// Two words, folded.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of 16 bytes")]
const fn pair(bytes: &[u8; 16], key: u64) -> u64 {
    let both = u128::from_le_bytes(*bytes);
    fold(both as u64 ^ key, (both >> 64) as u64 ^ KEYS[3])
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
        fn a_text_is_kept_whatever_its_length(text in ".{0,40}", other in ".{0,40}") {
            let kept = Text::from(text.as_str());
            prop_assert!(kept.is(&text));
            prop_assert_eq!(kept.is(&other), text == other);
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
