//! FNV-1a, 32 bits: Fowler, Noll and Vo.

use super::hash::Running;

const BASIS: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// FNV-1a of what was added so far.
pub(super) struct Fnv1a(u32);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(BASIS)
    }
}

impl Running for Fnv1a {
    fn update(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME));
    }

    fn finish(self) -> u64 {
        self.0.into()
    }
}
