//! Functions that deal users into buckets.
//!
//! Teal's own is `teal1`. The others are for teams that move, so that nobody changes side on the day of the move.

mod teal1;
mod two;

use crate::model::{ModelError, Percentage};

pub use teal1::{BUCKETS, bucket};
pub(crate) use two::bucket_behind;

/// Which function deals users into buckets. The function behind a name never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bucketing {
    /// Teal's own, the same as at the edge: see [`crate::bucket`]. In JSON: `"teal1"`.
    #[default]
    Teal1,
    /// As Unleash deals them: murmur3 of `SALT:USER`, a hundred buckets. In JSON: `"unleash"`.
    Unleash,
    /// As flagd's `fractional` deals them. In JSON: `"flagd"`.
    Flagd,
    /// Any other of the usual kind. In JSON: an object with `hash`, `input` and `modulo`.
    General(General),
}

/// A hash of a text made of name and user, modulo something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct General {
    /// The hash.
    pub hash: Hash,
    /// What is hashed: `{name}` stands for the salt, `{user}` for the stickiness value, as in `{name}:{user}`.
    pub input: String,
    /// How many buckets there are, 1..=1 000 000 000. 100 makes whole percents.
    pub modulo: u32,
}

/// The hashes that others use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// FNV-1a, 32 bits.
    Fnv1a32,
    /// CRC-32 (ISO-HDLC, as zlib's).
    Crc32,
    /// MurmurHash3 x86, 32 bits, seed 0.
    Murmur3,
    /// MD5: the first 8 bytes, big-endian.
    Md5,
    /// SHA-256: the first 8 bytes, big-endian.
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
    /// Whether this build can compute it.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Teal1 => Ok(()),
            Self::Unleash | Self::Flagd | Self::General(_) => Err(ModelError::new("", "is not known to this version")),
        }
    }

    /// Whether a value is in a share.
    pub(crate) fn includes(&self, salt: &str, value: &str, share: Percentage) -> bool {
        bucket(salt, value) < share.thousandths()
    }

    /// A number below `total`, at random by salt and value, and independent of [`Bucketing::includes`].
    #[expect(clippy::cast_possible_truncation, reason = "less than `total`")]
    pub(crate) fn draw(&self, salt: &str, value: &str, total: u32) -> u32 {
        let place = bucket(&format!("{salt}.variant"), value);
        (u64::from(place) * u64::from(total) / u64::from(BUCKETS)) as u32
    }
}
