//! From a flag's name to its number, in one or two cache lines.

use std::sync::Arc;

use crate::bytes;

/// Names and their numbers; made once for each set of names. Open addressing, at most a quarter full, linear probing.
///
/// ```text
/// slot = 12 bits of the name's hash | number + 1 (20 bits);  0 = free
/// ```
/// The caller compares the name itself, so that a name that only hashes alike is no match.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: Box<[u32]>,
}

const NUMBER_BITS: u32 = 20;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;

/// The most names that fit.
pub(crate) const MAX_NAMES: usize = NUMBER as usize - 1;

impl Index {
    /// The names in the order of their numbers, at most [`MAX_NAMES`], each once.
    pub(crate) fn new(names: &[Arc<str>]) -> Self {
        let mut slots = vec![0; (names.len() * 4).next_power_of_two().max(2)].into_boxed_slice();
        let mask = slots.len() - 1;
        for (number, name) in (1..NUMBER).zip(names) {
            let (mut at, tag) = place(name, mask);
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = tag | number;
        }
        Self { slots }
    }

    /// The number of a name; `is_it` tells whether a number is the name's.
    #[inline]
    pub(crate) fn find(&self, name: &str, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let (mut at, tag) = place(name, mask);
        loop {
            // Not found in an empty index; otherwise there is always a free slot.
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            let number = (slot & NUMBER) - 1;
            if slot & !NUMBER == tag && is_it(number) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Where a name is looked for first, and the tag in its slot.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the upper bits of a hash are cut off on purpose")]
fn place(name: &str, mask: usize) -> (usize, u32) {
    let hash = bytes::hash(name.as_bytes());
    (hash as usize & mask, (hash >> 32) as u32 & !NUMBER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_is_found_by_its_number_and_no_other(names in prop::collection::hash_set("[a-z]{1,3}", 0..200)) {
            let names: Vec<Arc<str>> = names.iter().map(|name| name.as_str().into()).collect();
            let index = Index::new(&names);
            let find = |name: &str| index.find(name, |number| &*names[number as usize] == name);
            for (number, name) in (0..).zip(&names) {
                prop_assert_eq!(find(name), Some(number));
            }
            prop_assert_eq!(find("not there"), None);
        }
    }

    #[test]
    fn nothing_is_found_in_an_empty_index() {
        assert_eq!(Index::new(&[]).find("a", |_| true), None);
        assert_eq!(Index::default().find("a", |_| true), None);
    }
}
