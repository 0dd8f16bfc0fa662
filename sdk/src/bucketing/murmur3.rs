//! MurmurHash3 x86, 32 bits: Austin Appleby's `MurmurHash3_x86_32`, which Unleash and flagd use.

use super::hash::Running;

const FIRST: u32 = 0xcc9e_2d51;
const SECOND: u32 = 0x1b87_3593;

/// The hash of the whole words so far, and the bytes of the one that is not whole yet.
pub(super) struct Murmur3 {
    hash: u32,
    word: u32,
    length: u32,
}

impl Murmur3 {
    pub(super) const fn seeded(seed: u32) -> Self {
        Self { hash: seed, word: 0, length: 0 }
    }

    /// The hash of these pieces as one text.
    pub(super) fn of(seed: u32, pieces: &[&str]) -> u32 {
        let mut running = Self::seeded(seed);
        pieces.iter().for_each(|piece| running.update(piece.as_bytes()));
        running.digest()
    }

    fn digest(self) -> u32 {
        // Without bytes in it the word is 0, and so is what it adds.
        let mut hash = self.hash ^ scrambled(self.word) ^ self.length;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

const fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(FIRST).rotate_left(15).wrapping_mul(SECOND)
}

impl Running for Murmur3 {
    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.word |= u32::from(*byte) << (self.length % 4 * 8);
            self.length = self.length.wrapping_add(1);
            if self.length.is_multiple_of(4) {
                self.hash =
                    (self.hash ^ scrambled(self.word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
                self.word = 0;
            }
        }
    }

    fn finish(self) -> u64 {
        self.digest().into()
    }
}
