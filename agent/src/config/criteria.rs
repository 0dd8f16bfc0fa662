//! What a component's candidates are judged by, as it stands in `[watch]` and `[components.NAME.watch]`.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use teal_rollout::colour::Share;
use teal_rollout::criteria;

use super::text::{format_thousandths, serialize_duration, serialize_percent};

/// `[watch]` with `[components.NAME.watch]` over it, key by key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Criteria {
    /// The tolerated error rate while history is too short, above 0 % and at most 50 %; default 5 %.
    #[serde(serialize_with = "serialize_percent")]
    pub acceptable_error_rate: Share,
    /// The probability of a false alarm that a release of this component may spend, 1e-9 to 0.01; default 1e-6.
    #[serde(serialize_with = "serialize_alpha")]
    pub alpha: f64,
    /// How many times the old colour's measured error rate is tolerated, 1 to 100; default 1.5.
    pub rho: f64,
    /// Requests of the new colour needed to call a watch proven, at least 1; default 100.
    pub min_requests: u64,
    /// How much slower than the old colour is tolerated; default 20 %.
    pub latency: Latency,
    /// A client that gives up later than this counts as bad, where no route says otherwise; default 1 s.
    #[serde(serialize_with = "serialize_duration")]
    pub latency_limit: Duration,
    /// Paths that count for neither colour; default `/healthz` and `/metrics`.
    pub ignore_paths: Vec<String>,
    /// Which answers are bad.
    pub bad: Bad,
    /// Teal's own requests where there is little traffic.
    pub probes: Probes,
}

impl Criteria {
    /// As the state machine takes it. Probes are named as configured; whether there is anything to ask is not known here.
    pub(super) fn of_machine(&self, groups: Vec<String>) -> criteria::Criteria {
        criteria::Criteria {
            acceptable_error_rate: self.acceptable_error_rate.fraction(),
            alpha: self.alpha,
            rho: self.rho,
            min_requests: self.min_requests,
            latency: self.latency.factor(),
            groups,
            probes: match self.probes {
                Probes::Off => None,
                Probes::Below { below, every } => Some(criteria::Probes { below, every }),
            },
        }
    }
}

impl Default for Criteria {
    fn default() -> Self {
        let criteria::Criteria { alpha, rho, min_requests, .. } = criteria::Criteria::default();
        Self {
            acceptable_error_rate: Share::percent(5),
            alpha,
            rho,
            min_requests,
            latency: Latency::Slower(20_000),
            latency_limit: Duration::from_secs(1),
            ignore_paths: vec!["/healthz".to_owned(), "/metrics".to_owned()],
            bad: Bad::default(),
            probes: Probes::Below { below: 1.0, every: Duration::from_secs(1) },
        }
    }
}

/// How much slower than the old colour's 90th and 99th percentile is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Latency is not judged.
    Off,
    /// So many thousandths of a percent, up to 9900 %.
    Slower(u32),
}

impl Latency {
    /// As a factor from 1 to 100: 1.2 for 20 %. `None`: not judged.
    #[must_use]
    pub fn factor(self) -> Option<f64> {
        match self {
            Self::Off => None,
            Self::Slower(thousandths) => Some(1.0 + f64::from(thousandths) / 100_000.0),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Slower(thousandths) => write!(f, "{}%", format_thousandths(*thousandths)),
        }
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Which answers are bad. One that does not come at all always is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// Statuses that are bad. `5xx` is always among them; what of it is meant to be good stands in `not`.
    pub status: Vec<Statuses>,
    /// Statuses among them that are not; default none.
    pub not: Vec<Statuses>,
    /// Whether an answer that came only at a second try is bad; default true.
    pub retries: bool,
}

impl Default for Bad {
    fn default() -> Self {
        Self { status: vec![Statuses::SERVER_ERRORS], not: Vec::new(), retries: true }
    }
}

/// A status or a range of them: `429`, `5xx`, `520-529`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// The first, at least 100.
    pub first: u16,
    /// The last, at most 599.
    pub last: u16,
}

impl Statuses {
    /// `5xx`.
    pub(super) const SERVER_ERRORS: Self = Self { first: 500, last: 599 };

    /// Reads `429`, `5xx` or `520-529`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() == 3);
        let (first, last) = match (text.strip_suffix("xx"), text.split_once('-')) {
            (Some(hundreds), _) => {
                let hundreds = hundreds.parse::<u16>().ok().filter(|_| hundreds.len() == 1)?;
                (hundreds * 100, hundreds * 100 + 99)
            }
            (None, Some((first, last))) => (number(first.trim())?, number(last.trim())?),
            (None, None) => (number(text)?, number(text)?),
        };
        (first >= 100 && last <= 599 && first <= last).then_some(Self { first, last })
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { first, last } if first == last => write!(f, "{first}"),
            Self { first, last } if first % 100 == 0 && last == first + 99 => write!(f, "{}xx", first / 100),
            Self { first, last } => write!(f, "{first}-{last}"),
        }
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Teal's own requests where there is little traffic: the smoke suite's reading checks, one at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Probes {
    /// None.
    Off,
    /// Some, while there is less traffic than this. Without a reading check for the component there is nothing to ask.
    Below {
        /// Requests a second, more than 0; default 1.
        below: f64,
        /// One request each so often, at least 100 ms; default 1 s.
        every: Duration,
    },
}

impl Serialize for Probes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Table {
            below: f64,
            #[serde(serialize_with = "serialize_duration")]
            every: Duration,
        }
        match *self {
            Self::Off => to.serialize_str("off"),
            Self::Below { below, every } => Table { below, every }.serialize(to),
        }
    }
}

/// As text: a number that small would be written with an exponent, which few people read at once.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn serialize_alpha<S: Serializer>(alpha: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_a_number_a_class_or_a_range() {
        let check = |text: &str, range: Option<(u16, u16)>| {
            let read = Statuses::parse(text);
            assert_eq!(read.map(|s| (s.first, s.last)), range, "{text}");
            assert!(read.is_none_or(|s| Statuses::parse(&s.to_string()) == Some(s)), "{text}");
        };
        check("429", Some((429, 429)));
        check("5xx", Some((500, 599)));
        check("520-529", Some((520, 529)));
        check("500-599", Some((500, 599)));
        for wrong in ["", "42", "4290", "xx", "6xx", "0xx", "55xx", "529-520", "099", "600", "5x", "-1", "+42", "4.9"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_tolerance_of_twenty_percent_is_a_factor_of_1_2() {
        assert_eq!(Latency::Slower(20_000).factor(), Some(1.2));
        assert_eq!(Latency::Off.factor(), None);
        assert_eq!(Latency::Slower(12_500).to_string(), "12.5%");
    }

    #[test]
    fn the_defaults_are_those_of_the_machine() {
        let probes = criteria::Criteria::default().probes;
        assert_eq!(
            criteria::Criteria { probes, ..Criteria::default().of_machine(Vec::new()) },
            criteria::Criteria::default()
        );
    }
}
