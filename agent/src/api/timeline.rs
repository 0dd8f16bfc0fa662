//! The evidence of a release over time, as it is kept and sent: points, bounded in number, and what was asked.
//!
//! ```text
//! t = 0 at the switch          Timeline::seconds puts the journal's records on the same axis
//!   |-- Point -- Point -- ... -- Point(crossed) -- Asked(old) -- Point(verdict)
//! ```

use serde::{Deserialize, Serialize};
use teal_rollout::colour::{Colour, Share};

use super::evidence::title;
use super::known::Words;
use super::{Known, PartKind, Seen};

/// The evidence of a release over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    /// When the candidate's requests began to be judged, RFC 3339: `t` counts from here.
    pub since: String,
    /// One a component that took part.
    pub lines: Vec<Line>,
    /// What the confirm asked, in order; the same question with the same answer again and again is one entry.
    pub asked: Vec<Asked>,
    /// When records of the journal were written, on this axis, which no step of the wall clock moves.
    pub moments: Vec<Moment>,
}

/// When a record of the journal was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moment {
    /// The record's number.
    pub seq: u64,
    /// Seconds since [`Timeline::since`].
    pub t: f64,
}

impl Timeline {
    /// When a record was written, in seconds since [`Self::since`], negative before it; by the wall clock where the
    /// timeline does not know better. `None` where neither time can be read.
    #[must_use]
    pub fn seconds(&self, record: &super::Record) -> Option<f64> {
        let known = self.moments.iter().find(|moment| moment.seq == record.seq);
        known.map_or_else(|| super::between(&self.since, &record.at), |moment| Some(moment.t))
    }
}

/// One component's evidence over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Which component.
    pub component: String,
    /// What log M is compared with.
    pub threshold: f64,
    /// The parts that came near, in the order of [`Point::parts`]; the errors of all requests are always among them.
    pub parts: Vec<LinePart>,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// A part of the evidence that [`Point::parts`] speaks of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinePart {
    /// What it looks at.
    pub kind: Known<PartKind>,
    /// The route, where it looks at one (empty for any other path), or the quantile.
    pub name: String,
    /// What its own log M would have to reach alone.
    pub threshold: f64,
}

impl LinePart {
    /// What it looks at, in words.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, &self.name)
    }
}

/// A component's evidence at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// Seconds since [`Timeline::since`].
    pub t: f64,
    /// Requests of the candidate so far, those set aside included.
    pub requests: u64,
    /// How many of them were bad.
    pub bad: u64,
    /// Natural logarithm of M.
    pub log_m: f64,
    /// The candidate's share of the traffic.
    pub share: Share,
    /// Teal's own requests, where there is little traffic, and how many of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes: Option<Seen>,
    /// Natural logarithm of each part's own M, in the order of [`Line::parts`]; `None` where it was not looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Option<f64>>,
    /// What makes the moment a special one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Known<Mark>>,
}

/// What makes a moment a special one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Log M moved by more than 1 since the point before, or is about to.
    Jump,
    /// M passed its threshold, or that of the probes theirs.
    Crossed,
    /// The evidence started anew.
    Restarted,
    /// Nobody watched between the point before and this one: the agent was away.
    Resumed,
    /// A verdict fell.
    Verdict,
}

impl Words for Mark {
    fn words(&self) -> &'static str {
        match self {
            Self::Jump => "",
            Self::Crossed => "over the threshold",
            Self::Restarted => "the evidence starts anew",
            Self::Resumed => "the agent is back and goes on",
            Self::Verdict => "verdict",
        }
    }
}

/// Requests straight to one colour, all at once, or several rounds of them with the same answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// When the first was asked, seconds since [`Timeline::since`].
    pub t: f64,
    /// When the last was answered; `None` while it is not.
    pub until: Option<f64>,
    /// Which component.
    pub component: String,
    /// The old colour or the new one.
    pub arm: Known<Arm>,
    /// The colour asked.
    pub colour: Known<Colour>,
    /// The routes that had failed most, at most three; empty for any other path.
    pub routes: Vec<String>,
    /// How many requests were sent at once.
    pub requests: u8,
    /// From how many passes on the answer was good, and no others were waited for.
    pub enough: u8,
    /// How many had passed by then; `None` when no answer came.
    pub passed: Option<u8>,
    /// How many rounds in a row had this answer.
    pub rounds: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            t: 0.0,
            until: None,
            component: String::new(),
            arm: Known::default(),
            colour: Colour::Blue.into(),
            routes: Vec::new(),
            requests: 3,
            enough: 2,
            passed: None,
            rounds: 1,
        }
    }
}

/// Which colour a probe asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The proven one.
    #[default]
    Old,
    /// The candidate.
    New,
}

impl Words for Arm {
    fn words(&self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

impl std::fmt::Display for Asked {
    /// `old blue: probes passed (2 of 3)`; of those that pass no more than are enough are waited for.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { arm, colour, requests, .. } = self;
        write!(f, "{arm} {colour}: probes ")?;
        match self.passed {
            Some(passed) if passed >= self.enough => write!(f, "passed ({passed} of {requests})")?,
            Some(passed) => write!(f, "failed ({passed} of {requests} passed)")?,
            None => f.write_str("without an answer")?,
        }
        if self.rounds > 1 { write!(f, ", {} times", self.rounds) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_with_words_of_a_newer_version_is_read() {
        let json = r#"{"since":"2026-01-02T03:04:05.000Z","lines":[{"component":"api","parts":[{"kind":"queue"}],
            "points":[{"t":0.1,"mark":"thawed","parts":[null,1.5],"new":1}]}],"asked":[{"arm":"third","passed":2}]}"#;
        let timeline: Timeline = serde_json::from_str(json).unwrap();
        let (line, asked) = (&timeline.lines[0], &timeline.asked[0]);
        assert_eq!(line.points[0].mark.as_ref().unwrap().to_string(), "thawed");
        assert_eq!(
            (line.parts[0].title().as_str(), line.points[0].parts.as_slice()),
            ("queue", &[None, Some(1.5)][..])
        );
        assert_eq!(asked.to_string(), "third blue: probes passed (2 of 3)");
    }

    #[test]
    fn plain_points_take_little_room() {
        let point = Point { t: 1.25, requests: 100, bad: 1, log_m: -0.5, share: Share::ALL, ..Point::default() };
        let json = serde_json::to_string(&point).unwrap();
        assert_eq!(json, r#"{"t":1.25,"requests":100,"bad":1,"log_m":-0.5,"share":100000}"#);
    }
}
