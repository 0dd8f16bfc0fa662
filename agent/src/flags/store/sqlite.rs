//! SQLite: one file, WAL, owned by one process.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::steps::{ForSqlite, STEPS, newest};
use crate::flags::error::{FlagsError, SchemaError};

/// How long a statement may wait for the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens `path`, creating it with mode 0600 where it is missing.
pub(super) async fn open(path: &Path) -> Result<SqlitePool, FlagsError> {
    let failed = |source| FlagsError::Open { path: path.to_owned(), source };
    let mut file = std::fs::OpenOptions::new();
    file.create(true).append(true).mode(0o600).open(path).map_err(|error| failed(error.into()))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(failed)
}

/// Brings the schema up to date, or says what it is not.
pub(super) async fn migrate(pool: &SqlitePool, path: &Path, may_migrate: bool) -> Result<(), FlagsError> {
    let failed = |source| FlagsError::Schema { database: PathBuf::from(path).display().to_string(), source };
    if !may_migrate {
        let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
        let versions = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
        let is_new = sqlx::query_scalar::<_, i64>(tables).fetch_one(pool).await? == 0;
        let applied = if is_new { 0 } else { sqlx::query_scalar(versions).fetch_one(pool).await? };
        if STEPS.iter().any(|step| step.version > applied) {
            return Err(failed(SchemaError::Old { applied, newest: newest() }));
        }
    }
    let migrator = Migrator::new(ForSqlite).await.map_err(|error| failed(SchemaError::Failed(error.to_string())))?;
    migrator.run(pool).await.map_err(|error| {
        failed(match error {
            MigrateError::VersionMissing(applied) => SchemaError::New { applied, newest: newest() },
            MigrateError::VersionMismatch(version) => SchemaError::Drift { version },
            other => SchemaError::Failed(other.to_string()),
        })
    })
}
