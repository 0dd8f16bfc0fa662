//! Why the flag service did not do what it was asked.

use std::path::PathBuf;

use teal_flags::model::ModelError;

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
    /// The schema is newer than this binary, or a migration failed.
    #[error("cannot bring the flags {path} to this version's schema: {source}")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the flags cannot be read or written: {0}")]
    Sql(#[from] sqlx::Error),
    /// There is no such flag.
    #[error("there is no flag `{0}`")]
    Unknown(String),
    /// There is one of this name.
    #[error("there is a flag `{0}` already: change it with PATCH, or choose another name")]
    Exists(String),
    /// A field of the request.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The flag was changed since the client read it.
    #[error("the flag has version {version} now: read it again, and decide again")]
    Stale {
        /// Its version.
        version: u64,
        /// Its entity tag.
        tag: String,
    },
    /// The agent ends.
    #[error("the agent is stopping")]
    Stopping,
}
