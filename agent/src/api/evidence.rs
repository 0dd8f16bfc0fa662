//! What a candidate is judged by, part by part, and what its bad requests have in common.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Known;
use super::known::Words;

/// What a candidate is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Natural logarithm of the process M, all parts together.
    pub log_m: f64,
    /// M's threshold, the same way: 14.5 for 2e6.
    pub threshold: f64,
    /// An error rate above this (percent) would have been seen with 95 % probability; `None` while nothing can be said.
    pub excludable_percent: Option<f64>,
    /// What it is compared with.
    pub baseline: Baseline,
    /// How much the old colour's errors clustered, D: about 1 when they come one by one; 0 from an agent that does not say.
    pub dispersion: f64,
    /// Whether D is so high that each error counts for less than one.
    pub tempered: bool,
    /// What M is made of, the part that carries most of it first.
    pub parts: Vec<Part>,
    /// What the bad requests have in common, the most telling first.
    pub suspects: Vec<Suspect>,
    /// What is slow, where slowness and not errors speaks against the candidate.
    pub slow: Option<Slow>,
    /// What Teal's own requests have shown; `None` where it sends none.
    pub probes: Option<Probes>,
}

impl Evidence {
    /// The part that M comes from, where that is not the errors of all requests and M speaks against the candidate.
    #[must_use]
    pub fn leading(&self) -> Option<&Part> {
        self.parts.first().filter(|part| self.log_m > 0.0 && !part.kind.is(&PartKind::Errors))
    }
}

/// Teal's own requests to a candidate with little traffic, counted apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probes {
    /// How many were answered, or not answered in time.
    pub sent: u64,
    /// How many of them failed.
    pub failed: u64,
    /// An error rate above this (percent) among what is probed would have been seen with 95 % probability.
    pub excludable_percent: Option<f64>,
}

/// What is slow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slow {
    /// The old colour's quantile that shows it most, `p90` or `p99`.
    pub quantile: String,
    /// The route with the most slow requests; empty for any other path.
    pub route: String,
    /// The requests judged, and as bad ones those that were slow.
    pub seen: Seen,
    /// The part of them that may be, 0..=1.
    pub tolerated: f64,
    /// How long a request to that route may take, in milliseconds.
    pub within_ms: u64,
}

/// `210 of 400 requests too slow, most of them to route patients: over 240 ms`.
impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = title(&Known::Known(PartKind::Group), &self.route);
        write!(f, "{} requests too slow, most to {route}: over {} ms", self.seen, self.within_ms)
    }
}

/// What was usual before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Baseline {
    /// Requests it was measured on.
    pub n: u64,
    /// How many of them were bad.
    pub k: u64,
    /// `history` or `policy`; of a part also `old colour` and `waits`.
    pub source: String,
    /// The rate that is tolerated, 0..=1.
    pub p0: f64,
}

/// Requests and the bad ones among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// All.
    pub requests: u64,
    /// The bad ones.
    pub bad: u64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.bad, self.requests)
    }
}

/// One part of the evidence. M of the whole is the sum of weight x M over all parts but the probes, which stand apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// What it looks at.
    pub kind: Known<PartKind>,
    /// The route, where it looks at one (empty for any other path), or the quantile.
    pub name: String,
    /// Its share of the whole, 0..=1.
    pub weight: f64,
    /// Natural logarithm of this part's M alone.
    pub log_m: f64,
    /// What that would have to reach for this part alone to make the candidate bad.
    pub threshold: f64,
    /// What it has judged since the evidence last started.
    pub seen: Seen,
    /// What it is compared with; for `concurrent` the old colour's requests at the same time, without a rate.
    pub baseline: Baseline,
}

impl Part {
    /// What it looks at, in words.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, &self.name)
    }
}

/// The kinds of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// The errors of all requests.
    #[default]
    Errors,
    /// The errors of one route.
    Group,
    /// The share of errors that falls on the candidate while both colours serve.
    Concurrent,
    /// How many requests wait longer than the old colour's quantile that the part is named by; those are its bad ones.
    Latency,
    /// Teal's own requests, with a threshold of their own.
    Probes,
}

impl Words for PartKind {
    fn words(&self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Group => "route",
            Self::Concurrent => "side by side",
            Self::Latency => "latency",
            Self::Probes => "probes",
        }
    }
}

/// What a part looks at, in words: `errors`, `route patients`, `other routes`, `side by side`.
pub(super) fn title(kind: &Known<PartKind>, name: &str) -> String {
    match (kind.known(), name) {
        (Some(PartKind::Group), "") => "other routes".to_owned(),
        (_, "") => kind.to_string(),
        _ => format!("{kind} {name}"),
    }
}

/// Something that bad requests have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspect {
    /// What kind of thing.
    pub place: Known<PlaceKind>,
    /// The route (empty for any other path) or the server.
    pub name: String,
    /// The requests there.
    pub inside: Seen,
    /// All others.
    pub outside: Seen,
}

/// Kinds of things that bad requests may have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// A route.
    #[default]
    Route,
    /// GET, HEAD and OPTIONS.
    Reads,
    /// All other methods.
    Writes,
    /// One of the colour's servers.
    Server,
}

impl Words for PlaceKind {
    fn words(&self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Server => "server",
        }
    }
}

impl Suspect {
    /// The place alone: `writes`, `server s2`, `route patients`, `other routes`.
    fn title(&self) -> String {
        match (self.place.known(), self.name.as_str()) {
            (Some(PlaceKind::Route), "") => "other routes".to_owned(),
            (_, "") => self.place.to_string(),
            (_, name) => format!("{} {name}", self.place),
        }
    }

    /// In a few words: `writes only` where nothing else fails, else `mostly writes`.
    #[must_use]
    pub fn brief(&self) -> String {
        let title = self.title();
        if self.outside.bad == 0 { format!("{title} only") } else { format!("mostly {title}") }
    }
}

/// With its counts: `writes only: 31 of 31 bad; reads 0 of 280`.
impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = match self.place.known() {
            Some(PlaceKind::Reads) => "writes",
            Some(PlaceKind::Writes) => "reads",
            _ => "others",
        };
        let is_access = matches!(self.place.known(), Some(PlaceKind::Reads | PlaceKind::Writes));
        let title = if is_access && self.outside.bad == 0 { self.brief() } else { self.title() };
        write!(f, "{title}: {} bad; {others} {}", self.inside, self.outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspect_is_named_briefly_and_with_its_counts() {
        let check = |place: PlaceKind, name: &str, inside, outside, brief: &str, full: &str| {
            let seen = |(bad, requests)| Seen { requests, bad };
            let (inside, outside) = (seen(inside), seen(outside));
            let suspect = Suspect { place: place.into(), name: name.to_owned(), inside, outside };
            assert_eq!((suspect.brief().as_str(), suspect.to_string().as_str()), (brief, full));
        };
        use PlaceKind::{Reads, Route, Server, Writes};
        check(Writes, "", (31, 31), (0, 280), "writes only", "writes only: 31 of 31 bad; reads 0 of 280");
        check(Reads, "", (8, 9), (1, 90), "mostly reads", "reads: 8 of 9 bad; writes 1 of 90");
        check(Server, "s2", (40, 41), (0, 80), "server s2 only", "server s2: 40 of 41 bad; others 0 of 80");
        check(
            Route,
            "patients",
            (9, 9),
            (3, 900),
            "mostly route patients",
            "route patients: 9 of 9 bad; others 3 of 900",
        );
        let slow = Slow { within_ms: 240, seen: Seen { requests: 400, bad: 210 }, ..Slow::default() };
        assert_eq!(slow.to_string(), "210 of 400 requests too slow, most to other routes: over 240 ms");
        check(Route, "", (5, 5), (0, 90), "other routes only", "other routes: 5 of 5 bad; others 0 of 90");
    }

    #[test]
    fn a_part_of_a_newer_version_keeps_its_word() {
        let part: Part = serde_json::from_str(r#"{"kind":"queue_depth","weight":0.1,"x":1}"#).unwrap();
        assert_eq!(part.title(), "queue depth");
        let part = Part { kind: PartKind::Group.into(), name: "patients".into(), ..Part::default() };
        assert_eq!(
            (part.title().as_str(), Part { name: String::new(), ..part }.title().as_str()),
            ("route patients", "other routes")
        );
    }

    #[test]
    fn only_a_part_that_speaks_against_the_candidate_leads() {
        let part = Part { kind: PartKind::Group.into(), name: "patients".into(), ..Part::default() };
        let check = |log_m, parts: &[&Part], leads| {
            let evidence = Evidence { log_m, parts: parts.iter().copied().cloned().collect(), ..Evidence::default() };
            assert_eq!(evidence.leading().is_some(), leads, "{evidence:?}");
        };
        check(2.0, &[&part, &Part::default()], true);
        check(-0.1, &[&part, &Part::default()], false);
        check(2.0, &[&Part::default(), &part], false);
        check(2.0, &[], false);
    }
}
