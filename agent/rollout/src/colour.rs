//! The two colours and the share of traffic between them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the two sets of servers that a component runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// `blue`, where the first release's predecessor would be.
    Blue,
    /// `green`.
    Green,
}

impl Colour {
    /// Both, in the order they are listed everywhere.
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    /// The opposite colour.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// `blue` or `green`, as it stands in maps, metrics and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not a colour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown colour `{0}`: it is `blue` or `green`")]
pub struct UnknownColour(pub String);

impl FromStr for Colour {
    type Err = UnknownColour;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "blue" => Ok(Self::Blue),
            "green" => Ok(Self::Green),
            other => Err(UnknownColour(other.to_owned())),
        }
    }
}

/// The candidate's share of a component's traffic, in thousandths of a percent: 0..=100 000.
///
/// One unit is one bucket of the edge and of the SDK (0.001 %).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Share(u32);

impl Share {
    /// No traffic.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(100_000);

    /// `None` above 100 000.
    #[must_use]
    pub const fn new(thousandths_of_a_percent: u32) -> Option<Self> {
        if thousandths_of_a_percent <= Self::ALL.0 { Some(Self(thousandths_of_a_percent)) } else { None }
    }

    /// Whole percent, capped at 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        if percent >= 100 { Self::ALL } else { Self(percent * 1000) }
    }

    /// Thousandths of a percent, 0..=100 000.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As a fraction, 0.0..=1.0, for the statistics.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ALL.0)
    }
}

/// A share above 100 %.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share is 0 to 100000 thousandths of a percent, not {0}")]
pub struct ShareTooLarge(pub u32);

impl TryFrom<u32> for Share {
    type Error = ShareTooLarge;

    fn try_from(value: u32) -> Result<Self, Self::Error> {
        Self::new(value).ok_or(ShareTooLarge(value))
    }
}

impl From<Share> for u32 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            write!(f, "{whole} %")
        } else {
            write!(f, "{} %", format!("{whole}.{rest:03}").trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_prints_as_an_exact_percentage() {
        for (thousandths, text) in [(0, "0 %"), (1, "0.001 %"), (12_500, "12.5 %"), (100_000, "100 %")] {
            assert_eq!(Share::new(thousandths).map(|s| s.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Share::new(100_001), None);
    }
}
