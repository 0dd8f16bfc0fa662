//! Hashes that others use, fed piece by piece so that no text has to be put together.

use xxhash_rust::xxh3::Xxh3;

use super::Hash;
use super::crc32::Crc32;
#[cfg(feature = "digests")]
use super::digest::Digest;
use super::fnv1a::Fnv1a;
use super::murmur3::Murmur3;

/// A hash that is being computed.
pub(super) trait Running {
    /// Adds bytes.
    fn update(&mut self, bytes: &[u8]);

    /// The hash of all that was added.
    fn finish(self) -> u64;
}

impl Running for Xxh3 {
    fn update(&mut self, bytes: &[u8]) {
        Self::update(self, bytes);
    }

    fn finish(self) -> u64 {
        self.digest()
    }
}

impl Hash {
    /// The feature of this crate that it needs and that this build does not have.
    pub(super) const fn missing(self) -> Option<&'static str> {
        match self {
            Self::Md5 | Self::Sha256 if !cfg!(feature = "digests") => Some("digests"),
            _ => None,
        }
    }

    /// The hash of the pieces that `write` hands over, as one text. Without its feature ([`Hash::missing`]) it is 0.
    pub(super) fn of(self, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> u64 {
        match self {
            Self::Fnv1a32 => run(Fnv1a::default(), write),
            Self::Crc32 => run(Crc32::default(), write),
            Self::Murmur3 => run(Murmur3::seeded(0), write),
            Self::Xxh3 => run(Xxh3::new(), write),
            #[cfg(feature = "digests")]
            Self::Md5 => run(Digest::<md5::Md5>::default(), write),
            #[cfg(feature = "digests")]
            Self::Sha256 => run(Digest::<sha2::Sha256>::default(), write),
            #[cfg(not(feature = "digests"))]
            Self::Md5 | Self::Sha256 => 0,
        }
    }
}

fn run<R: Running>(mut running: R, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> u64 {
    write(&mut |bytes| running.update(bytes));
    running.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(hash: Hash, text: &str, expected: u64) {
        assert_eq!(hash.of(|write| write(text.as_bytes())), expected, "{hash:?} of {text:?}");
    }

    #[test]
    fn hashes_are_those_that_their_authors_published() {
        // Noll, test_fnv.c.
        check(Hash::Fnv1a32, "", 0x811c_9dc5);
        check(Hash::Fnv1a32, "a", 0xe40c_292c);
        check(Hash::Fnv1a32, "foobar", 0xbf9c_f968);
        // The catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC.
        check(Hash::Crc32, "", 0);
        check(Hash::Crc32, "123456789", 0xcbf4_3926);
        // SMHasher, as computed by its MurmurHash3_x86_32.
        check(Hash::Murmur3, "", 0);
        check(Hash::Murmur3, "test", 0xba6b_d213);
        check(Hash::Murmur3, "Hello, world!", 0xc036_3e43);
        check(Hash::Murmur3, "The quick brown fox jumps over the lazy dog", 0x2e4f_f723);
        // xxHash's reference implementation, xxhsum -H3.
        check(Hash::Xxh3, "", 0x2d06_8005_38d3_94c2);
    }

    #[cfg(feature = "digests")]
    #[test]
    fn of_digests_the_first_eight_bytes_count() {
        // RFC 1321, appendix A.5, and FIPS 180-2, appendix B.1.
        check(Hash::Md5, "abc", 0x9001_5098_3cd2_4fb0);
        check(Hash::Md5, "", 0xd41d_8cd9_8f00_b204);
        check(Hash::Sha256, "abc", 0xba78_16bf_8f01_cfea);
    }

    proptest! {
        #[test]
        fn pieces_are_hashed_as_one_text(pieces in prop::collection::vec(".{0,12}", 0..6)) {
            for (hash, _) in Hash::ALL {
                let whole = hash.of(|write| write(pieces.concat().as_bytes()));
                let piecewise = hash.of(|write| pieces.iter().for_each(|piece| write(piece.as_bytes())));
                prop_assert_eq!(piecewise, whole, "{:?}", hash);
            }
        }
    }
}
