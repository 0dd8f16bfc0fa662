//! Why the store did not do what it was asked.

use std::path::PathBuf;
use std::time::Duration;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or brought to this version's schema.
    #[error("cannot open the store {path}: {source}; check the folder's owner and free space")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The schema is newer than this binary, or a migration failed.
    #[error("cannot bring the store {path} to this version's schema: {source}")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the store cannot be read or written: {0}")]
    Sql(#[from] sqlx::Error),
    /// It did not answer.
    #[error("the store did not answer within {limit:?}")]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// Somebody else wrote the document since it was read.
    #[error("the document of `{environment}` was changed by somebody else: expected revision {expected}")]
    Conflict {
        /// Whose.
        environment: String,
        /// The revision it should have had.
        expected: u64,
    },
    /// A stored value does not read back; another version may have written it.
    #[error("the stored {what} of `{environment}` does not read back: {source}")]
    Format {
        /// Which value.
        what: &'static str,
        /// Whose.
        environment: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The resource cannot be read or written just now.
    #[error("the resource `{name}` cannot be read or written: {why}")]
    Away {
        /// Namespace and name.
        name: String,
        /// What happened on the way.
        why: String,
    },
    /// The API server refuses what is in the document, and would again.
    #[error(
        "the API server refuses the state of `{name}`: {why}; look at the resource with `kubectl get bg -o yaml`, \
         and whether `manifests/base/crd.yaml` of this version is installed"
    )]
    Refused {
        /// Namespace and name.
        name: String,
        /// The rule that it breaks, as the server has it.
        why: String,
    },
}
