//! Functions that deal users into buckets.
//!
//! Teal's own is `teal1`. The others are for teams that move, so that nobody changes side on the day of the move.

mod crc32;
#[cfg(feature = "digests")]
mod digest;
mod flagd;
mod fnv1a;
mod general;
mod hash;
mod murmur3;
mod teal1;
mod two;
mod unleash;

#[cfg(test)]
mod tests;

use crate::model::{ModelError, Percentage};

pub use teal1::{BUCKETS, bucket};
pub(crate) use two::bucket_behind;

/// Which function deals users into buckets. The function behind a name never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bucketing {
    /// Teal's own, the same as at the edge: see [`crate::bucket`]. In JSON: `"teal1"`.
    #[default]
    Teal1,
    /// As Unleash deals them: murmur3 of `SALT:USER`, a hundred buckets, so that a share is rounded up to whole percents. In
    /// JSON: `"unleash"`.
    Unleash,
    /// As flagd's `fractional` deals them, from 2026 on: murmur3 of `SALT` and `USER` with nothing between. In JSON: `"flagd"`.
    Flagd,
    /// Any other of the usual kind. In JSON: an object with `hash`, `input` and `modulo`.
    General(General),
}

/// A hash of a text made of name and user, modulo something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct General {
    /// The hash.
    pub hash: Hash,
    /// What is hashed: `{name}` stands for the salt, `{user}` for the stickiness value, as in `{name}:{user}`. At most 100 characters.
    pub input: String,
    /// How many buckets there are, 1..=1 000 000 000. 100 makes whole percents; a share is rounded up to whole buckets.
    pub modulo: u32,
}

/// The hashes that others use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// FNV-1a, 32 bits. Mixes little: who is in the share of one flag tells something of who is in another's.
    Fnv1a32,
    /// CRC-32 (ISO-HDLC, as zlib's). Mixes little, as FNV-1a.
    Crc32,
    /// MurmurHash3 x86, 32 bits, seed 0.
    Murmur3,
    /// MD5: the first 8 bytes, big-endian. Needs the feature `digests`.
    Md5,
    /// SHA-256: the first 8 bytes, big-endian. Needs the feature `digests`.
    Sha256,
    /// XXH3, 64 bits.
    Xxh3,
}

impl Hash {
    /// Each with its name in JSON.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Fnv1a32, "fnv1a32"),
        (Self::Crc32, "crc32"),
        (Self::Murmur3, "murmur3_32"),
        (Self::Md5, "md5"),
        (Self::Sha256, "sha256"),
        (Self::Xxh3, "xxh3_64"),
    ];
}

impl Bucketing {
    /// Whether it can be computed, by this build too. What is refused here does not panic, and deals everybody alike.
    ///
    /// # Errors
    /// Names the field, relative to the bucketing, and the way out.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Teal1 | Self::Unleash | Self::Flagd => Ok(()),
            Self::General(general) => general.check(),
        }
    }

    /// Whether a value is in a share. Whoever is in a share is in every greater one.
    pub fn includes(&self, salt: &str, value: &str, share: Percentage) -> bool {
        match self {
            Self::Teal1 => bucket(salt, value) < share.thousandths(),
            Self::Unleash => unleash::bucket(salt, value) * (BUCKETS / unleash::BUCKETS) < share.thousandths(),
            Self::Flagd => flagd::includes(salt, value, share),
            Self::General(general) => general.includes(salt, value, share),
        }
    }

    /// A number in 0..total for one of the values in a share, even and independent of who is in the share: for choosing among variants
    /// whose weights add up to `total`, at least 1.
    ///
    /// `Flagd` alone needs the share for that: it has one number for both.
    pub fn draw(&self, salt: &str, value: &str, share: Percentage, total: u32) -> u32 {
        match self {
            Self::Teal1 => teal1::draw(salt, value, total),
            Self::Unleash => unleash::draw(salt, value, total),
            Self::Flagd => flagd::draw(salt, value, share, total),
            Self::General(general) => general.draw(salt, value, total),
        }
    }
}
