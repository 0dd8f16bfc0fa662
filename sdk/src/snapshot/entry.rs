//! One flag in a snapshot, laid out so that the common answers touch one or two cache lines.

use std::sync::Arc;

use super::compiled::Compiled;
use crate::bytes;

/// How a flag is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It is not known, and only its number is: somebody holds a handle to it, or it was deleted.
    Unknown,
    /// It is known and cannot be used.
    Broken,
    /// A switch that is off for everybody.
    Off,
    /// A switch that is on for everybody.
    On,
    /// A switch that is on for the users whose bucket is below the share.
    Split,
    /// Everything else.
    Full,
}

/// Room for what is hashed before the user, and for the flag's name where that differs. Up to 40 bytes of it share the first
/// cache line with all else that a split needs.
const TEXT: usize = 104;

/// What is hashed is read by 16 bytes, and has noughts behind it.
const GAP: usize = 16;

/// A flag by its number. Two cache lines.
///
/// ```text
/// plan | lengths | share | counter | compiled | salt ':'         where the name is the salt, as it is by default
///                                             | salt ':' name    otherwise
/// ```
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(crate) struct Entry {
    plan: Plan,
    name_start: u8,
    name_end: u8,
    prefix_end: u8,
    /// Thousandths of a percent; with [`Plan::Split`].
    share: u32,
    /// Where this flag's counts begin.
    counter: u32,
    compiled: Option<Arc<Compiled>>,
    text: [u8; TEXT],
}

/// Not counted.
pub(crate) const UNCOUNTED: u32 = u32::MAX;

impl Entry {
    /// A flag that is not known.
    pub(crate) fn unknown(name: &str) -> Self {
        Self::new(name, "", Plan::Unknown, 0, None)
    }

    /// A flag that is known and cannot be used.
    pub(crate) fn broken(name: &str) -> Self {
        Self::new(name, "", Plan::Broken, 0, None)
    }

    /// A compiled flag.
    pub(crate) fn known(name: &str, compiled: Compiled) -> Self {
        let (plan, share) = compiled.plan();
        let compiled = Arc::new(compiled);
        let salt = compiled.salt();
        let entry = Self::new(name, salt, plan, share.thousandths(), Some(compiled.clone()));
        let has_no_room = entry.prefix_end == 0;
        if plan == Plan::Split && has_no_room { Self { plan: Plan::Full, ..entry } } else { entry }
    }

    /// A salt that does not fit beside the name is left out.
    #[expect(clippy::cast_possible_truncation, reason = "at most 104")]
    fn new(name: &str, salt: &str, plan: Plan, share: u32, compiled: Option<Arc<Compiled>>) -> Self {
        let is_same = salt == name;
        let behind = if is_same { 0 } else { GAP + name.len() };
        let fits = salt.len() + 1 + behind <= TEXT;
        let prefix_end = if fits { salt.len() + 1 } else { 0 };
        let name_start = if is_same || !fits { 0 } else { prefix_end + GAP };
        let mut text = [0; TEXT];
        let parts = [(0, salt, fits), (salt.len(), ":", fits), (name_start, name, !is_same)];
        for (start, part, is_there) in parts {
            if let Some(room) = text.get_mut(start..start + part.len()).filter(|_| is_there) {
                room.copy_from_slice(part.as_bytes());
            }
        }
        let [name_start, name_end, prefix_end] =
            [name_start, name_start + name.len(), prefix_end].map(|place| place as u8);
        Self { plan, name_start, name_end, prefix_end, share, counter: UNCOUNTED, compiled, text }
    }

    /// The same, counted from here on.
    pub(crate) fn counted_at(self, counter: u32) -> Self {
        Self { counter, ..self }
    }

    #[inline]
    pub(crate) const fn plan(&self) -> Plan {
        self.plan
    }

    #[inline]
    pub(crate) const fn share(&self) -> u32 {
        self.share
    }

    #[inline]
    pub(crate) const fn counter(&self) -> u32 {
        self.counter
    }

    #[inline]
    pub(crate) const fn compiled(&self) -> Option<&Arc<Compiled>> {
        self.compiled.as_ref()
    }

    /// Whether this is its name.
    #[inline]
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let known = self.text.get(usize::from(self.name_start)..usize::from(self.name_end));
        known.is_some_and(|known| bytes::equal(known, name.as_bytes()))
    }

    /// What is hashed before the user, `salt:`, is so many bytes of this; none where it has no room, and with plans that do not
    /// hash.
    #[inline]
    pub(crate) fn prefix(&self) -> (&[u8; TEXT], usize) {
        (&self.text, usize::from(self.prefix_end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::compiled::tests::compiled;

    fn check(name: &str, salt: &str, plan: Plan, prefix: &str) {
        let entry = Entry::known(name, compiled(salt));
        assert!(entry.is_called(name), "{name}");
        let (text, length) = entry.prefix();
        assert_eq!((entry.plan(), str::from_utf8(&text[..length]).unwrap()), (plan, prefix), "{name} {salt}");
    }

    #[test]
    fn a_name_and_its_salt_are_kept_beside_the_flag_where_they_fit() {
        let long = "n".repeat(100);
        check("telehealth", "telehealth", Plan::Split, "telehealth:");
        check("telehealth", "shared", Plan::Split, "shared:");
        check(&long, &long, Plan::Split, &format!("{long}:"));
        check(&long, "s", Plan::Full, "");
        check(&long[..50], &"s".repeat(37), Plan::Split, &format!("{}:", "s".repeat(37)));
        check(&long[..50], &"s".repeat(38), Plan::Full, "");
        check("x", &"s".repeat(64), Plan::Split, &format!("{}:", "s".repeat(64)));
    }

    #[test]
    fn an_entry_is_two_cache_lines() {
        assert_eq!(size_of::<Entry>(), 128);
    }

    #[test]
    fn a_name_is_matched_as_a_whole() {
        let entry = Entry::unknown("telehealth");
        assert!(entry.is_called("telehealth") && !entry.is_called("tele") && !entry.is_called("telehealth:"));
        assert!(!entry.is_called(""));
    }
}
