//! What can go wrong with the client. None of it reaches who asks for a flag: it is said in [`super::Status`] and in the log.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::course::{Act, Cause};

/// What went wrong, and what to do. Names no token and no user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The service's address cannot be used.
    Address {
        /// As it was given, without what may be a password.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The token would travel in clear.
    PlainHttp {
        /// The host.
        host: String,
    },
    /// The certificates to trust cannot be used.
    Trust(String),
    /// The token cannot be used.
    Token {
        /// Its file; `None` when it was given as it is.
        path: Option<PathBuf>,
        /// What is wrong with it.
        problem: String,
    },
    /// No connection, or it broke.
    Unreachable(String),
    /// Too slow.
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// The token was refused: 401 or 403.
    Refused {
        /// The status.
        status: u16,
    },
    /// The service wants to be left alone for a while: 429 or 503.
    Busy {
        /// The status.
        status: u16,
        /// For how long, if it says.
        retry_after: Option<Duration>,
    },
    /// The service wants us elsewhere.
    Redirected {
        /// The status.
        status: u16,
        /// Where to, without its query.
        to: String,
    },
    /// Any other status that is no success.
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is no stream.
    NoStream {
        /// Its content type.
        content_type: String,
    },
    /// The stream ended. A service that restarts does this.
    Ended,
    /// Larger than [`super::Limits::size`].
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What came is no document of flags.
    Unreadable(String),
    /// The service offered an older state than is here.
    Older {
        /// The service's instance.
        instance: Option<String>,
        /// What is here.
        here: u64,
        /// What it offered.
        offered: u64,
    },
    /// A change does not fit what is here: everything is fetched.
    Gap {
        /// What is here.
        here: u64,
        /// The revision that the change builds on.
        since: Option<u64>,
    },
    /// A file with flags cannot be used; what it said before still holds.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The snapshot on disk cannot be read or written.
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The client could not start its thread, or its runtime ended.
    Stopped(String),
}

impl ClientError {
    /// What this means for the next attempt.
    pub(super) fn cause(&self, act: Act) -> Cause {
        match self {
            Self::Refused { .. } | Self::Token { .. } => Cause::Refused,
            Self::Busy { retry_after, .. } => Cause::Busy(*retry_after),
            Self::Gap { .. } if act == Act::Stream => Cause::Gap,
            Self::NoStream { .. } | Self::Status { status: 404 | 405 | 406 | 501 } if act == Act::Stream => {
                Cause::NoStream
            }
            Self::TimedOut { what, .. } if act == Act::Stream && *what == FIRST_BYTE => Cause::NoStream,
            _ => Cause::Broken,
        }
    }
}

/// What a stream that a proxy holds back does not give.
pub(super) const FIRST_BYTE: &str = "the stream's first byte";

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, problem } => write!(f, "service address {address}: {problem}"),
            Self::PlainHttp { host } => write!(
                f,
                "http to {host} would carry the token in clear; use https, or allow_plain_http() where the network itself \
                 is trusted"
            ),
            Self::Trust(problem) => write!(f, "certificates to trust: {problem}"),
            Self::Token { path: Some(path), problem } => write!(f, "token file {}: {problem}", path.display()),
            Self::Token { path: None, problem } => write!(f, "token: {problem}"),
            Self::Unreachable(problem) => write!(f, "not reachable: {problem}"),
            Self::TimedOut { what, limit } => write!(f, "waited {limit:?} in vain for {what}"),
            Self::Refused { status: 403 } => f.write_str(
                "the service answered 403: the token's role or environment does not allow this; give it the role sdk",
            ),
            Self::Refused { status } => {
                write!(
                    f,
                    "the service answered {status}: it does not know the token, or there is none; make one with \
                     `teal token create`"
                )
            }
            Self::Busy { status, retry_after: Some(after) } => {
                write!(f, "the service answered {status}: come back in {after:?}")
            }
            Self::Busy { status, retry_after: None } => write!(f, "the service answered {status}: come back later"),
            Self::Redirected { status, to } => write!(
                f,
                "the service answered {status} and points to {to}; redirects are not followed, lest the token go \
                 elsewhere: use that address"
            ),
            Self::Status { status: 404 } => {
                f.write_str("the service answered 404: is its address right? /api/v1/feature-flags is added to it")
            }
            Self::Status { status } => write!(f, "the service answered {status}"),
            Self::NoStream { content_type } => {
                write!(f, "the stream is of type {content_type:?}, not text/event-stream")
            }
            Self::Ended => f.write_str("the stream ended"),
            Self::TooLarge { limit } => write!(f, "larger than {limit} bytes; raise Limits::size if that is right"),
            Self::Unreadable(problem) => write!(f, "what came is no document of flags: {problem}"),
            Self::Older { instance, here, offered } => write!(
                f,
                "the service offered revision {offered} of {}, and {here} is here: refused; a replica lags, or a backup \
                 was restored as if nothing had happened",
                instance.as_deref().unwrap_or("no instance")
            ),
            Self::Gap { here, since: Some(since) } => {
                write!(f, "a change since revision {since} does not fit revision {here}; fetching everything")
            }
            Self::Gap { here, since: None } => write!(f, "a document does not fit revision {here}"),
            Self::File { path, problem } => {
                write!(f, "flag file {}: {problem}; what it said before still holds", path.display())
            }
            Self::Snapshot { path, problem } => write!(f, "snapshot {}: {problem}", path.display()),
            Self::Stopped(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for ClientError {}
