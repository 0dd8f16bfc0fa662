//! How a run of the suite went: one outcome a check, and the sentence that says what failed.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Why a check failed: what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No answer, or one that broke off.
    #[error("expected an answer, got `{0}`")]
    Unreachable(String),
    /// No complete answer in time.
    #[error("expected an answer within {}, got none", Millis(*.0))]
    TimedOut(Duration),
    /// Another status.
    #[error("expected status {}, got {got}", any_of(expected))]
    Status {
        /// Any of these would have done.
        expected: Vec<u16>,
        /// The status that came.
        got: u16,
    },
    /// Complete and right, but too slow.
    #[error("expected an answer within {}, got it after {}", Millis(*limit), Millis(*took))]
    Latency {
        /// The check's bound.
        limit: Duration,
        /// How long it took.
        took: Duration,
    },
    /// More than the check is willing to read.
    #[error("expected an answer of at most {0} bytes, got more")]
    TooLong(usize),
    /// The text is not in the answer.
    #[error("expected `{text}` in the answer, got {length} bytes without it")]
    Contains {
        /// The text looked for.
        text: String,
        /// The answer's length in bytes.
        length: usize,
    },
    /// The answer is no JSON.
    #[error("expected JSON, got something else ({0})")]
    NotJson(String),
    /// A JSON value is not as expected.
    #[error("expected {expected} at {}, got {got}", if pointer.is_empty() { "the document's root" } else { pointer })]
    Json {
        /// Where.
        pointer: String,
        /// What should have been there.
        expected: String,
        /// What was, shortened.
        got: String,
    },
    /// A header's value could not be read from its file.
    #[error("expected the header `{header}` in {file}, got `{error}`")]
    HeaderFile {
        /// Which header.
        header: String,
        /// Which file.
        file: String,
        /// Why not.
        error: String,
    },
}

/// How one check went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Verdict {
    /// As expected on every target.
    Passed,
    /// No target of its component was given.
    Skipped,
    /// Not as expected on this target, the first of several.
    Failed {
        /// Which one, as address or URL.
        target: String,
        /// What was expected and got.
        #[serde(serialize_with = "as_text")]
        failure: Failure,
    },
}

/// One check's line in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The check's name.
    pub check: String,
    /// Its component.
    pub component: String,
    /// How long the slowest target took until the whole answer was there; zero when skipped.
    #[serde(rename = "took_ms", serialize_with = "as_millis")]
    pub took: Duration,
    /// How it went.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A whole run, in the order of the suite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each check.
    pub checks: Vec<Outcome>,
}

impl Report {
    /// Whether nothing failed. A run in which every check was skipped is one too; see [`Report::ran`].
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.first_failure().is_none()
    }

    /// How many checks were not skipped.
    #[must_use]
    pub fn ran(&self) -> usize {
        self.checks.iter().filter(|outcome| outcome.verdict != Verdict::Skipped).count()
    }

    /// How many passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.checks.iter().filter(|outcome| outcome.verdict == Verdict::Passed).count()
    }

    /// The check that took longest.
    #[must_use]
    pub fn slowest(&self) -> Option<&Outcome> {
        self.checks.iter().filter(|outcome| outcome.verdict != Verdict::Skipped).max_by_key(|outcome| outcome.took)
    }

    /// The first failed check in one sentence: its name, where, what was expected and what came.
    #[must_use]
    pub fn first_failure(&self) -> Option<String> {
        self.checks.iter().find_map(|outcome| match &outcome.verdict {
            Verdict::Failed { target, failure } => {
                Some(format!("check `{}` ({} at {target}): {failure}", outcome.check, outcome.component))
            }
            Verdict::Passed | Verdict::Skipped => None,
        })
    }
}

impl fmt::Display for Report {
    /// `7/7, slowest bhyt 143 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(slowest) = self.slowest() else { return f.write_str("no check for these components") };
        write!(f, "{}/{}, slowest {} {}", self.passed(), self.ran(), slowest.check, Millis(slowest.took))
    }
}

struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0.as_millis())
    }
}

fn any_of(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

fn as_text<S: Serializer>(failure: &Failure, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(failure)
}

fn as_millis<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}
