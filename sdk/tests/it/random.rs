//! Random texts that come again by their seed.

use std::hash::{BuildHasher, RandomState};

use teal_flags::model::Percentage;

const ALPHABETS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-",
    "abc,;= @:/+?&%#\"'\\()[]{}<>|^`!*$0123456789",
    "ăâđêôơưàảãáạ日本語кириллица",
    "0123456789abcdef-",
];

/// A sequence (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    /// Another sequence each time, or that of `$TEAL_SEED`; says how to have it again.
    pub(crate) fn new() -> Self {
        let given = std::env::var("TEAL_SEED").ok().map(|seed| seed.parse().expect("TEAL_SEED is a number"));
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        println!("the same again: TEAL_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to one less than this.
    #[expect(clippy::cast_possible_truncation, reason = "less than `bound`")]
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn letters(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[self.below(letters.len())]).collect()
    }

    /// 1 to 64 of the characters that a salt may have.
    pub(crate) fn salt(&mut self) -> String {
        let length = 1 + self.below(64);
        self.letters("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", length)
    }

    /// Any share.
    pub(crate) fn share(&mut self) -> Percentage {
        u32::try_from(self.below(100_001)).ok().and_then(Percentage::from_thousandths).unwrap()
    }

    /// The id of a user: a number, a UUID, or 1 to 60 characters of some alphabet.
    pub(crate) fn user(&mut self) -> String {
        match self.below(6) {
            0 => self.next().to_string(),
            1 => [8, 4, 4, 4, 12].map(|length| self.letters("0123456789abcdef", length)).join("-"),
            _ => {
                let (alphabet, length) = (self.below(ALPHABETS.len()), 1 + self.below(60));
                self.letters(ALPHABETS[alphabet], length)
            }
        }
    }
}
