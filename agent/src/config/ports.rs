//! The ports of a component's processes.

use std::fmt;

use serde::{Serialize, Serializer};
use teal_rollout::colour::Colour;

/// TCP ports of this machine, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortRange {
    /// The first, blue's slot 1.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl PortRange {
    /// How many each colour has.
    #[must_use]
    pub const fn per_colour(self) -> u16 {
        // Half of `last - first + 1`, without the overflow that the addition could bring.
        let gaps = self.last - self.first;
        gaps / 2 + gaps % 2
    }

    /// The port of a colour's slot, counted from 0.
    #[must_use]
    pub const fn port(self, colour: Colour, slot: u16) -> u16 {
        match colour {
            Colour::Blue => self.first + slot,
            Colour::Green => self.first + self.per_colour() + slot,
        }
    }

    /// Whether the two have a port in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_half_of_a_port_range_is_blue_and_the_second_green() {
        let range = PortRange { first: 8100, last: 8109 };
        assert_eq!(range.per_colour(), 5);
        assert_eq!((range.port(Colour::Blue, 0), range.port(Colour::Green, 0)), (8100, 8105));
        assert_eq!(range.port(Colour::Green, 4), 8109);
        // An odd range leaves its last port unused.
        assert_eq!(PortRange { first: 1, last: 3 }.per_colour(), 1);
        assert_eq!(PortRange { first: 1, last: 65_535 }.per_colour(), 32_767);
    }

    #[test]
    fn ranges_overlap_when_they_share_a_port() {
        let range = |first, last| PortRange { first, last };
        assert!(range(10, 19).overlaps(range(19, 20)) && range(10, 19).overlaps(range(12, 13)));
        assert!(!range(10, 19).overlaps(range(20, 29)));
    }
}
