//! Why the flag service did not do what it was asked.

use std::path::PathBuf;

use teal_flags::model::ModelError;

use crate::dsn::DsnError;

/// A field of a request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", place(.field))]
pub struct FieldError {
    /// The place, as in `rules[0].percentage`.
    pub field: String,
    /// What is wrong there, and the way out.
    pub problem: String,
}

impl FieldError {
    /// Something is wrong at a place.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl From<ModelError> for FieldError {
    fn from(error: ModelError) -> Self {
        Self { field: error.at, problem: error.problem }
    }
}

fn place(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}

/// The first names of a list that may be long.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Why the flag service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum FlagsError {
    /// The file cannot be opened.
    #[error("cannot open the flags {path}: {source}; check the folder's owner and free space")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The file with PostgreSQL's address cannot be used.
    #[error("`flags.postgres_file` {0}")]
    Dsn(#[from] DsnError),
    /// The schema is not this binary's and is not made so.
    #[error("the flags in {database}: {source}")]
    Schema {
        /// Where.
        database: String,
        /// What is wrong.
        source: SchemaError,
    },
    /// A statement failed.
    #[error("the flags cannot be read or written: {0}")]
    Sql(sqlx::Error),
    /// The database does not answer. Nothing was changed.
    #[error("the flags' database does not answer: {0}")]
    Away(String),
    /// The database stopped answering when the change was to become so.
    #[error(
        "the flags' database stopped answering in the middle of the change: {0}; it may have been made or not: read the flag again"
    )]
    Unsure(String),
    /// There is no such flag.
    #[error("there is no flag `{0}`")]
    Unknown(String),
    /// There is one of this name.
    #[error("there is a flag `{0}` already: change it with PATCH, or choose another name")]
    Exists(String),
    /// What is to be carried over is there already, and differs.
    #[error("nothing was carried over, because this is there already: {}", .0.join("; "))]
    Taken(Vec<String>),
    /// There is no such segment.
    #[error("there is no segment `{0}`")]
    UnknownSegment(String),
    /// There is one of this name.
    #[error("there is a segment `{0}` already: change it with PATCH, or choose another name")]
    SegmentExists(String),
    /// It cannot go while others stand on it.
    #[error("{what} is needed by {}: change or delete them first", some(by))]
    Needed {
        /// What it is.
        what: String,
        /// The flags that stand on it.
        by: Vec<String>,
    },
    /// A field of the request.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It was changed since the client read it.
    #[error("it has version {version} now: read it again, and decide again")]
    Stale {
        /// Its version.
        version: u64,
        /// Its entity tag.
        tag: String,
    },
    /// It is a relay, which changes nothing and keeps no audit log.
    #[error("this is a relay: flags are changed, and their audit log is read, at {upstream}")]
    Relay {
        /// Where.
        upstream: String,
    },
    /// There is no such token.
    #[error("there is no token `{0}`")]
    UnknownToken(String),
    /// There is one of this name.
    #[error("there is a token `{0}` already: choose another name, or revoke that one")]
    TokenExists(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: no token was made")]
    NoRandom,
    /// A token of some environments would change a flag of others.
    #[error("the token is for {own}; the flag is meant for {meant}")]
    Elsewhere {
        /// Those of the token.
        own: String,
        /// Those of the flag, before or after the change.
        meant: String,
    },
    /// The agent ends.
    #[error("the agent is stopping")]
    Stopping,
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Another binary was here.
    #[error(
        "the schema has step {applied}, and this `teal` knows steps up to {newest}: use the newer one, or go the way back that the \
         head of that step's file names"
    )]
    New {
        /// The step that is not known.
        applied: i64,
        /// The newest that is.
        newest: i64,
    },
    /// It may not be changed.
    #[error(
        "the schema has steps up to {applied}, this `teal` needs {newest}, and `flags.migrate` is false: start one agent with \
         `migrate = true`"
    )]
    Old {
        /// The newest that was done; 0: none.
        applied: i64,
        /// The newest there is.
        newest: i64,
    },
    /// What was done is not what would be.
    #[error(
        "step {version} was another one when it was done: a released file was changed, or this is another program's schema"
    )]
    Drift {
        /// Which.
        version: i64,
    },
    /// A step failed, and was undone.
    #[error("{0}")]
    Failed(String),
}

impl FlagsError {
    /// Whether the database did not answer, and may do so later.
    pub(super) const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Unsure(_))
    }
}

impl From<sqlx::Error> for FlagsError {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Away(error.to_string()) } else { Self::Sql(error) }
    }
}

/// Whether it is the database that is missing, and not something in it.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed => true,
        // Connection lost (08), shut down or starting (57P), too many connections, frozen in a transaction, a standby.
        Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08") || code.starts_with("57P") || ["53300", "25P03", "25006"].contains(&code.as_ref())
        }),
        _ => false,
    }
}
