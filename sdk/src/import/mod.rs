//! Flags of other services as ours, with a report of what cannot be carried over.
//!
//! ```text
//! Unleash's client features --unleash--+
//!                                      +--> Imported { document, names, report }
//! flagd's flags ------------flagd------+
//! ```
//!
//! The aim is that nobody changes side on the day of the move: users are dealt by the other service's own function. What has no
//! counterpart errs on the side of off, and the report says so.

mod flagd;
mod names;
mod report;
mod unleash;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::condition::Matcher;
use crate::model::{Document, Operator, limits};

pub use flagd::flagd;
pub use report::Finding;
pub use unleash::unleash;

/// What became of another service's flags.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The flags and segments. All are valid.
    pub document: Document,
    /// What each flag is called now, by the name that it had. Names here have small letters only.
    pub names: BTreeMap<String, String>,
    /// What was not carried over as it was.
    pub report: Vec<Finding>,
}

/// Why nothing could be imported at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// More than [`limits::DOCUMENT_BYTES`], or more than [`limits::FLAGS`] flags or [`limits::SEGMENTS`] segments.
    TooLarge,
    /// Not JSON at all.
    NoJson(String),
    /// JSON of something else; what was looked for.
    Unknown(&'static str),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => {
                write!(f, "too large: at most {} bytes, {} flags, ", limits::DOCUMENT_BYTES, limits::FLAGS)?;
                write!(f, "{} segments", limits::SEGMENTS)
            }
            Self::NoJson(problem) => write!(f, "no JSON: {problem}"),
            Self::Unknown(wanted) => write!(f, "this is something else: {wanted}"),
        }
    }
}

impl std::error::Error for ImportError {}

fn parse(json: &[u8]) -> Result<Value, ImportError> {
    if json.len() > limits::DOCUMENT_BYTES {
        return Err(ImportError::TooLarge);
    }
    serde_json::from_slice(json).map_err(|error| ImportError::NoJson(error.to_string()))
}

/// The texts of a list; what is no text is left out.
fn texts(value: Option<&Value>) -> Vec<String> {
    let members = value.and_then(Value::as_array).into_iter().flatten();
    members.filter_map(|member| member.as_str().map(str::to_owned)).collect()
}

/// Whether the operator can compare with this value.
fn fits(operator: Operator, value: &Value) -> bool {
    Matcher::compile(operator, std::slice::from_ref(value), false).is_ok()
}
