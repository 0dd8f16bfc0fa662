//! MD5 and SHA-256 by their crates: the first eight bytes, as a big-endian number.

use super::hash::Running;

/// A digest that is being computed.
#[derive(Default)]
pub(super) struct Digest<D>(D);

impl<D: sha2::Digest> Running for Digest<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> u64 {
        self.0.finalize().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}
