//! The flags' database: SQLite, one file, WAL. A change is one transaction: flag, audit row, revision.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, SqliteConnection};
use teal_flags::model::{Document, Flag, Timestamp, limits};

use super::audit::{self, Audit, Author};
use super::edit::{self, Edit, Reference, tag};
use super::error::{FieldError, FlagsError};
use super::exposures::{self, Served};
use super::state::{Changed, Kept, Position, State};

/// How long a statement may wait for the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Names of deleted flags that are remembered, the newest: an SDK that was away for more deletions keeps the flags.
const TOMBSTONES: u32 = 10_000;

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pool: SqlitePool,
}

/// What came of an edit.
#[derive(Debug)]
pub(super) struct Edited {
    /// The flag as it is now, or was last.
    pub(super) flag: Flag,
    /// What is different, and at which revision; `None`: nothing is.
    pub(super) change: Option<(Position, Changed)>,
}

impl Store {
    /// Opens `path`, creating it with mode 0600 where it is missing, and brings its schema up to date.
    pub(super) async fn open(path: &Path) -> Result<Self, FlagsError> {
        let failed = |source| FlagsError::Open { path: path.to_owned(), source };
        let mut file = std::fs::OpenOptions::new();
        file.create(true).append(true).mode(0o600).open(path).map_err(|error| failed(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(failed)?;
        let migrate = |source| FlagsError::Migrate { path: PathBuf::from(path), source };
        sqlx::migrate!("../migrations/sqlite/flags").run(&pool).await.map_err(migrate)?;
        sqlx::query(
            "INSERT OR IGNORE INTO feature_flag_service (one, instance, revision, flags)
             SELECT 1, ?, COALESCE(MAX(revision), 0), COUNT(*) FROM feature_flags",
        )
        .bind(new_instance())
        .execute(&pool)
        .await?;
        Ok(Self { pool })
    }

    /// Everything, at one moment; and whether the flags are those that the service left there.
    pub(super) async fn load(&self) -> Result<(State, bool), FlagsError> {
        let mut reading = self.pool.begin().await?;
        let service =
            sqlx::query("SELECT instance, revision, flags FROM feature_flag_service").fetch_one(&mut *reading).await?;
        let rows = sqlx::query("SELECT flag, revision FROM feature_flags ORDER BY id").fetch_all(&mut *reading).await?;
        let deleted =
            sqlx::query("SELECT name, revision FROM feature_flag_tombstones").fetch_all(&mut *reading).await?;
        reading.rollback().await?;
        let position = Position { instance: service.get::<String, _>(0).into(), revision: unsigned(service.get(1)) };
        let is_whole = rows.len() as u64 == unsigned(service.get(2))
            && rows.iter().all(|row| unsigned(row.get(1)) <= position.revision);
        let (mut flags, mut unreadable) = (Vec::new(), Vec::new());
        for row in &rows {
            let read: Value = serde_json::from_str(row.get(0)).unwrap_or_default();
            let mut one = Document::from_value(json!({ "flags": [read] })).unwrap_or_default();
            for entry in &one.unreadable {
                tracing::error!(name = entry.name, error = %entry.error, "a stored flag does not read back; it is handed on as it is");
            }
            unreadable.append(&mut one.unreadable);
            let revision = unsigned(row.get(1));
            flags.extend(one.flags.into_iter().map(|flag| Kept { flag: Arc::new(flag), revision }));
        }
        let deleted: BTreeMap<String, u64> = deleted.iter().map(|row| (row.get(0), unsigned(row.get(1)))).collect();
        Ok((State::new(position, flags, deleted, unreadable), is_whole))
    }

    /// Lets the file go.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Another life of the service begins: SDKs will take everything anew.
    pub(super) async fn renew(&self) -> Result<(), FlagsError> {
        sqlx::query("UPDATE feature_flag_service SET instance = ?, flags = (SELECT COUNT(*) FROM feature_flags)")
            .bind(new_instance())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Makes a change.
    pub(super) async fn edit(&self, edit: &Edit, author: &Author, now: Timestamp) -> Result<Edited, FlagsError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let (before, after) = match edit {
            Edit::Create(fields) => (None, Some(create(&mut tx, fields, now).await?)),
            Edit::Patch { flag, fields, only_if } => {
                let before = find(&mut tx, flag, only_if.as_deref()).await?;
                let after = edit::patched(&before, fields, now)?;
                if after == before {
                    return Ok(Edited { flag: before, change: None });
                }
                (Some(before), Some(after))
            }
            Edit::Delete { flag, only_if } => (Some(find(&mut tx, flag, only_if.as_deref()).await?), None),
        };
        if let Some(flag) = after.as_ref().filter(|flag| edit::stands_on_others(flag)) {
            let rows = sqlx::query("SELECT flag FROM feature_flags").fetch_all(&mut *tx).await?;
            edit::usable(flag, rows.iter().filter_map(|row| read(row).ok()), now)?;
        }
        let position = advance(&mut tx, i64::from(after.is_some()) - i64::from(before.is_some())).await?;
        write(&mut tx, before.as_ref(), after.as_ref(), position.revision).await?;
        audit::add(&mut tx, before.as_ref(), after.as_ref(), position.revision, author, now).await?;
        tx.commit().await?;
        let (flag, changed) = match (before, after) {
            (_, Some(flag)) => (flag.clone(), Changed::Put(Box::new(flag))),
            (Some(flag), None) => (flag.clone(), Changed::Deleted { id: flag.id, name: flag.name }),
            // No edit is without a flag.
            (None, None) => return Err(FlagsError::Unknown(String::new())),
        };
        Ok(Edited { flag, change: Some((position, changed)) })
    }

    /// See [`audit::read`].
    pub(super) async fn audit(
        &self,
        flag: &Reference,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Audit>, FlagsError> {
        audit::read(&self.pool, flag, before, limit).await
    }

    /// Adds counts of what was served.
    pub(super) async fn count(
        &self,
        environment: &str,
        at: Timestamp,
        now: Timestamp,
        served: &[Served],
    ) -> Result<(), FlagsError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        exposures::add(&mut tx, environment, at, now, served).await?;
        Ok(tx.commit().await?)
    }
}

async fn create(tx: &mut SqliteConnection, fields: &Value, now: Timestamp) -> Result<Flag, FlagsError> {
    // The table's own count of ids, which does not fall when the newest flag is deleted.
    let row = sqlx::query(
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'feature_flags'), 0) + 1, (SELECT COUNT(*) FROM feature_flags)",
    )
    .fetch_one(&mut *tx)
    .await?;
    let flag = edit::created(fields, row.get(0), now)?;
    if unsigned(row.get(1)) >= limits::FLAGS as u64 {
        let problem = format!("is one too many: there are {} flags; delete those that are not used", limits::FLAGS);
        return Err(FieldError::new("name", problem).into());
    }
    let same = sqlx::query("SELECT 1 FROM feature_flags WHERE name = ?").bind(&flag.name).fetch_optional(tx).await?;
    if same.is_some() { Err(FlagsError::Exists(flag.name)) } else { Ok(flag) }
}

async fn find(tx: &mut SqliteConnection, flag: &Reference, only_if: Option<&str>) -> Result<Flag, FlagsError> {
    let row = match flag {
        Reference::Id(id) => sqlx::query("SELECT flag FROM feature_flags WHERE id = ?").bind(id),
        Reference::Name(name) => sqlx::query("SELECT flag FROM feature_flags WHERE name = ?").bind(name),
    };
    let row = row.fetch_optional(tx).await?.ok_or_else(|| FlagsError::Unknown(flag.to_string()))?;
    let found = read(&row)?;
    match only_if {
        Some(only_if) if !edit::is_met(only_if, &tag(&found)) => {
            Err(FlagsError::Stale { version: found.version, tag: tag(&found) })
        }
        _ => Ok(found),
    }
}

/// The next revision.
async fn advance(tx: &mut SqliteConnection, more: i64) -> Result<Position, FlagsError> {
    let row = sqlx::query(
        "UPDATE feature_flag_service SET revision = revision + 1, flags = flags + ? RETURNING instance, revision",
    )
    .bind(more)
    .fetch_one(tx)
    .await?;
    Ok(Position { instance: row.get::<String, _>(0).into(), revision: unsigned(row.get(1)) })
}

async fn write(
    tx: &mut SqliteConnection,
    before: Option<&Flag>,
    after: Option<&Flag>,
    revision: u64,
) -> Result<(), FlagsError> {
    if let Some(flag) = after {
        sqlx::query(
            "INSERT INTO feature_flags (id, name, version, revision, flag) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, revision = excluded.revision, flag = excluded.flag",
        )
        .bind(flag.id)
        .bind(&flag.name)
        .bind(signed(flag.version))
        .bind(signed(revision))
        .bind(flag.to_value().to_string())
        .execute(&mut *tx)
        .await?;
        // It is there again.
        sqlx::query("DELETE FROM feature_flag_tombstones WHERE name = ?").bind(&flag.name).execute(tx).await?;
    } else if let Some(flag) = before {
        sqlx::query("DELETE FROM feature_flags WHERE id = ?").bind(flag.id).execute(&mut *tx).await?;
        sqlx::query("INSERT OR REPLACE INTO feature_flag_tombstones (name, revision) VALUES (?, ?)")
            .bind(&flag.name)
            .bind(signed(revision))
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM feature_flag_tombstones WHERE revision <=
             (SELECT revision FROM feature_flag_tombstones ORDER BY revision DESC LIMIT 1 OFFSET ?)",
        )
        .bind(TOMBSTONES)
        .execute(tx)
        .await?;
    }
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Flag, FieldError> {
    let json: Value = serde_json::from_str(row.get(0)).unwrap_or_default();
    Ok(Flag::from_value(json)?)
}

fn new_instance() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// SQLite's integers are signed; revisions and versions stay far below 2^63.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
