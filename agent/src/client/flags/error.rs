//! Why a call to the flag service brought no result, each with the way out.

use std::error::Error;

use http::StatusCode;

use crate::api::Problem;
use crate::client::error::{beginning, text};

/// A call that brought no result.
#[derive(Debug, thiserror::Error)]
pub enum FlagClientError {
    /// What was given is no address.
    #[error("the flag service's address `{address}`: {problem}")]
    Address {
        /// As it was given, without a password.
        address: String,
        /// What is wrong, and the form.
        problem: String,
    },
    /// What was given is no token.
    #[error("the token in {from}: {problem}")]
    Token {
        /// A path or the name of a variable.
        from: String,
        /// What is wrong.
        problem: String,
    },
    /// A secret would travel so that others can read it.
    #[error("{what} would travel unencrypted to {at}: use https://, or --plain-http where the network is yours alone")]
    Exposed {
        /// `the token`, or `the users' ids`.
        what: &'static str,
        /// Where to.
        at: String,
    },
    /// The certificates to trust cannot be used.
    #[error("the authorities to trust in {path}: {problem}")]
    Trust {
        /// The PEM file; empty for the system's.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody answers there.
    #[error("the flag service at {at} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        at: String,
        /// The innermost reason.
        reason: String,
    },
    /// An answer that no flag service gives.
    #[error("what listens at {at} did not answer like a flag service ({reason}){}", quoted(said))]
    Garbled {
        /// Where.
        at: String,
        /// What could not be read.
        reason: String,
        /// The beginning of the answer.
        said: String,
    },
    /// The service refused.
    #[error("{}", refusal(.0))]
    Refused(Box<Problem>),
}

impl FlagClientError {
    pub(in crate::client) fn refused(status: StatusCode, body: &[u8]) -> Self {
        let problem = serde_json::from_slice::<Problem>(body).ok().filter(|problem| !problem.title.is_empty());
        let other = || Problem {
            title: format!("the flag service answered {status}"),
            detail: beginning(body),
            ..Problem::default()
        };
        // The status line is what counts, whatever the body says.
        Self::Refused(Box::new(Problem { status: status.as_u16(), ..problem.unwrap_or_else(other) }))
    }

    pub(in crate::client) fn unreachable(at: String, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut reason: &dyn Error = &error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { reason.to_string() };
        Self::Unreachable { at, reason }
    }

    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            _ => None,
        }
    }

    /// There is no such flag or segment.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.status() == Some(404)
    }

    /// It was changed since it was read.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.status() == Some(412)
    }
}

/// What was said, where it may be repeated.
fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": `{said}`") }
}

/// `rollout_percentage: "12.3456" has more than three decimals; ...`; otherwise title and detail.
fn refusal(problem: &Problem) -> String {
    match &problem.field {
        Some(field) if !problem.detail.is_empty() => format!("{field}: {}", problem.detail),
        _ => text(problem),
    }
}
