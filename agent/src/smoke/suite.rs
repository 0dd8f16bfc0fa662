//! The validated suite: what a check may ask and expect, and why a suite is refused.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::DeTable;

use super::assertion::Assertion;
use super::read::RawSuite;

/// A validated suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Whether checks may use methods other than GET and HEAD. They then run one after another.
    pub allow_writes: bool,
    /// In the order of the file, with unique names.
    pub checks: Vec<Check>,
}

/// One request and what must come back.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Unique in the suite.
    pub name: String,
    /// Whose targets it is sent to.
    pub component: String,
    /// GET unless stated.
    pub method: Method,
    /// Path and query, starting with `/`.
    pub path: String,
    /// Any of these passes; 200 unless stated.
    pub status: Vec<u16>,
    /// Sent along.
    pub headers: HeaderMap,
    /// Headers whose value is the first line of a file, read anew in each run, so that no secret stands in the suite.
    pub header_files: Vec<(HeaderName, PathBuf)>,
    /// Sent as it stands; only with methods that write.
    pub body: Option<String>,
    /// What the JSON answer must hold.
    pub json: Vec<Assertion>,
    /// A text that must be in the answer.
    pub contains: Option<String>,
    /// A slower answer fails.
    pub latency: Option<Duration>,
    /// Overrides the run's limit for one check.
    pub timeout: Option<Duration>,
}

/// Why a suite is refused.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The file cannot be read.
    #[error("cannot read the smoke suite {}: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// Broken TOML, an unknown key or a value of the wrong type, with line and column where there are any.
    #[error("the smoke suite is not valid: {0}")]
    Form(Box<toml::de::Error>),
    /// No check at all.
    #[error("the smoke suite has no checks: add at least one [[checks]] with `name`, `component` and `path`")]
    Empty,
    /// Values that make no sense: all of them, not only the first.
    #[error("{}", lines(.0))]
    Checks(Vec<CheckError>),
}

/// One thing wrong with one check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("smoke check `{check}`: {problem}")]
pub struct CheckError {
    /// Its place among the checks, from 0.
    pub index: usize,
    /// The check's name.
    pub check: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing to tell it by.
    #[error("`name` is empty")]
    NoName,
    /// Two of one name.
    #[error("the name is used twice; names must be unique")]
    Duplicate,
    /// Not `/something`.
    #[error("`path` is `{0}`; it must start with `/`, without spaces or fragment")]
    Path(String),
    /// Not a method.
    #[error("`method` is `{0}`; use GET or HEAD, or with `allow_writes = true` POST, PUT, PATCH, DELETE or OPTIONS")]
    Method(String),
    /// It may change data.
    #[error(
        "`method` is {0}, which may change data; only GET and HEAD run unless the suite says `allow_writes = true`"
    )]
    Writes(Method),
    /// Not a status.
    #[error("`status` has {0}; a status is 100 to 599, for instance 200 or [200, 204]")]
    Status(u16),
    /// An empty list of statuses.
    #[error("`status` is an empty list; leave it out to expect 200")]
    NoStatus,
    /// Not a time limit.
    #[error("`{field}` is `{value}`; write whole milliseconds or seconds, for instance \"800ms\" or \"5s\"")]
    Duration {
        /// `latency` or `timeout`.
        field: &'static str,
        /// What stood there.
        value: String,
    },
    /// The bound could never be missed by a complete answer.
    #[error("`latency` is above `timeout`; the answer would be given up before it could be too slow")]
    LatencyAboveTimeout,
    /// Not a header.
    #[error("`{0}` is not a header name with a value of one line")]
    Header(String),
    /// GET and HEAD carry none.
    #[error("`body` is of no use with {0}; leave it out or use a method that writes")]
    Body(Method),
    /// HEAD has no answer to look into.
    #[error("HEAD has no body to look into; use GET for `json` and `contains`")]
    Head,
    /// Not a JSON pointer.
    #[error("`{0}` is not a JSON pointer; it is empty or starts with `/`, for instance \"/items/0/name\"")]
    Pointer(String),
    /// None or several expectations at one pointer.
    #[error("the assertion at `{0}` needs exactly one of `equals`, `exists` and `type`")]
    Expectation(String),
}

impl Suite {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// See [`SuiteError`].
    pub fn load(path: &Path) -> Result<Self, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|error| SuiteError::Read { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// Reads and checks TOML text.
    ///
    /// # Errors
    /// See [`SuiteError`].
    pub fn parse(text: &str) -> Result<Self, SuiteError> {
        toml::from_str::<RawSuite>(text).map_err(form)?.validate()
    }

    /// Reads and checks a table of a larger configuration (`[smoke]` with `[[smoke.checks]]`).
    ///
    /// # Errors
    /// See [`SuiteError`].
    pub fn from_table(table: toml::Table) -> Result<Self, SuiteError> {
        table.try_into::<RawSuite>().map_err(form)?.validate()
    }

    /// What is wrong with a suite that stands in a text, each with the bytes of the text that say so.
    #[must_use]
    pub fn mistakes(table: Spanned<DeTable<'_>>) -> Vec<(Range<usize>, String)> {
        let whole = table.span();
        let checks = table.get_ref().get("checks").and_then(|checks| checks.get_ref().as_array());
        let checks: Vec<Range<usize>> = checks.into_iter().flat_map(|all| all.iter().map(Spanned::span)).collect();
        let read =
            RawSuite::deserialize(toml::de::Deserializer::from(table)).map_err(form).and_then(RawSuite::validate);
        match read {
            Ok(_) => Vec::new(),
            Err(SuiteError::Form(error)) => {
                let place = error.span().filter(|span| !span.is_empty()).unwrap_or(whole);
                vec![(place, format!("the smoke suite is not valid: {}", error.message().replace('\n', ", ")))]
            }
            Err(SuiteError::Checks(errors)) => errors
                .iter()
                .map(|error| (checks.get(error.index).cloned().unwrap_or(whole.clone()), error.to_string()))
                .collect(),
            Err(error) => vec![(whole, error.to_string())],
        }
    }

    /// The components that checks ask for, so that a configuration can refuse unknown ones.
    #[must_use]
    pub fn components(&self) -> BTreeSet<&str> {
        self.checks.iter().map(|check| check.component.as_str()).collect()
    }
}

fn form(error: toml::de::Error) -> SuiteError {
    SuiteError::Form(Box::new(error))
}

fn lines(errors: &[CheckError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
