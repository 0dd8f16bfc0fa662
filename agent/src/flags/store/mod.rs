//! The flags' database. A change is one transaction: flag, audit row, revision.
//!
//! ```text
//! Store: open, load, edit, audit, count --Transaction--> sqlite     one file, one agent
//!                                                   \--> postgres   schema `teal`, several agents
//! ```
//! What is done is written once (`rows`, `audit`, `exposures`); what differs between the two is how a database is opened, how a
//! transaction begins, and where the next id comes from.

mod audit;
mod exposures;
mod postgres;
mod rows;
mod sqlite;
mod steps;
mod transaction;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::SqlitePool;
use teal_flags::model::{Document, Flag, Timestamp};

pub use audit::{Audit, Author};
pub use exposures::Served;
pub(super) use exposures::minute;

use super::edit::{self, Edit, Reference};
use super::error::FlagsError;
use super::state::{Changed, Kept, Position, State};
use transaction::Transaction;

/// Where flags are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, which one agent owns.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which several agents share.
    Postgres {
        /// The file that holds its address.
        dsn: PathBuf,
    },
}

/// The open database. Cheap to clone.
#[derive(Clone)]
pub(super) struct Store {
    database: Database,
    /// Whether the schema may be changed.
    may_migrate: bool,
}

#[derive(Clone)]
enum Database {
    Sqlite { pool: SqlitePool, path: PathBuf },
    Postgres { pool: PgPool, options: Arc<PgConnectOptions> },
}

/// What came of an edit.
#[derive(Debug)]
pub(super) struct Edited {
    /// The flag as it is now, or was last.
    pub(super) flag: Flag,
    /// What is different, and at which revision; `None`: nothing is.
    pub(super) change: Option<(Position, Changed)>,
}

impl std::fmt::Debug for Store {
    /// The options hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.database {
            Database::Sqlite { .. } => "Store(SQLite)",
            Database::Postgres { .. } => "Store(PostgreSQL)",
        })
    }
}

impl Store {
    /// Opens the file, or reads how to reach the server: that is asked when something is wanted of it.
    pub(super) async fn open(place: &Place, may_migrate: bool) -> Result<Self, FlagsError> {
        let database = match place {
            Place::Sqlite(path) => Database::Sqlite { pool: sqlite::open(path).await?, path: path.clone() },
            Place::Postgres { dsn } => {
                let options = Arc::new(postgres::options(dsn)?);
                Database::Postgres { pool: postgres::pool(&options), options }
            }
        };
        Ok(Self { database, may_migrate })
    }

    /// Brings the schema up to date, and makes it a service where it is new.
    pub(super) async fn prepare(&self) -> Result<(), FlagsError> {
        match &self.database {
            Database::Sqlite { pool, path } => sqlite::migrate(pool, path, self.may_migrate).await?,
            Database::Postgres { options, .. } => postgres::migrate(options, self.may_migrate).await?,
        }
        let mut tx = self.writing().await?;
        tx.execute(
            "INSERT INTO feature_flag_service (one, instance, revision, flags)
             SELECT 1, $1, COALESCE(MAX(revision), 0), COUNT(*) FROM feature_flags WHERE true ON CONFLICT DO NOTHING",
            [new_instance().into()],
        )
        .await?;
        tx.commit().await
    }

    /// Everything, at one moment; and whether the flags are those that the service left there.
    pub(super) async fn load(&self) -> Result<(State, bool), FlagsError> {
        let mut reading = self.reading().await?;
        let service = reading.row("SELECT instance, revision, flags FROM feature_flag_service", []).await?;
        let rows = reading.rows("SELECT flag, revision FROM feature_flags ORDER BY id", []).await?;
        let gone = reading.rows("SELECT name, revision FROM feature_flag_tombstones", []).await?;
        reading.rollback().await?;
        let position = Position { instance: service.text(0)?.into(), revision: service.count(1)? };
        let mut is_whole = rows.len() as u64 == service.count(2)?;
        let (mut flags, mut unreadable) = (Vec::new(), Vec::new());
        for row in &rows {
            let read: Value = serde_json::from_str(&row.text(0)?).unwrap_or_default();
            let mut one = Document::from_value(json!({ "flags": [read] })).unwrap_or_default();
            for entry in &one.unreadable {
                tracing::error!(name = entry.name, error = %entry.error, "a stored flag does not read back; it is handed on as it is");
            }
            unreadable.append(&mut one.unreadable);
            let revision = row.count(1)?;
            is_whole &= revision <= position.revision;
            flags.extend(one.flags.into_iter().map(|flag| Kept { flag: Arc::new(flag), revision }));
        }
        let deleted: BTreeMap<String, u64> =
            gone.iter().map(|row| Ok((row.text(0)?, row.count(1)?))).collect::<Result<_, FlagsError>>()?;
        Ok((State::new(position, flags, deleted, unreadable), is_whole))
    }

    /// Lets the database go.
    pub(super) async fn close(&self) {
        match &self.database {
            Database::Sqlite { pool, .. } => pool.close().await,
            Database::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// Another life of the service begins: SDKs will take everything anew.
    pub(super) async fn renew(&self) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        let sql = "UPDATE feature_flag_service SET instance = $1, flags = (SELECT COUNT(*) FROM feature_flags)";
        tx.execute(sql, [new_instance().into()]).await?;
        tx.commit().await
    }

    /// Makes a change.
    pub(super) async fn edit(&self, edit: &Edit, author: &Author, now: Timestamp) -> Result<Edited, FlagsError> {
        let mut tx = self.writing().await?;
        match changed(&mut tx, edit, author, now).await {
            Ok(edited) => {
                tx.commit().await?;
                Ok(edited)
            }
            Err(refused) => {
                // What it was refused for counts; a transaction that cannot be undone is undone by its end.
                let _ = tx.rollback().await;
                Err(refused)
            }
        }
    }

    /// See [`audit::read`].
    pub(super) async fn audit(
        &self,
        flag: &Reference,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Audit>, FlagsError> {
        let mut reading = self.reading().await?;
        let found = audit::read(&mut reading, flag, before, limit).await?;
        reading.rollback().await?;
        Ok(found)
    }

    /// Adds counts of what was served.
    pub(super) async fn count(
        &self,
        environment: &str,
        at: Timestamp,
        now: Timestamp,
        served: &[Served],
    ) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        exposures::add(&mut tx, environment, at, now, served).await?;
        tx.commit().await
    }

    /// A transaction that sees one moment.
    async fn reading(&self) -> Result<Transaction, FlagsError> {
        Ok(match &self.database {
            Database::Sqlite { pool, .. } => Transaction::Sqlite(pool.begin().await?),
            Database::Postgres { pool, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Transaction::Postgres(postgres::Transaction::begin(pool, begin).await?)
            }
        })
    }

    /// A transaction that may write.
    async fn writing(&self) -> Result<Transaction, FlagsError> {
        Ok(match &self.database {
            Database::Sqlite { pool, .. } => Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Database::Postgres { pool, .. } => {
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
                Transaction::Postgres(postgres::Transaction::begin(pool, begin).await?)
            }
        })
    }
}

/// Makes a change in a transaction.
async fn changed(tx: &mut Transaction, edit: &Edit, author: &Author, now: Timestamp) -> Result<Edited, FlagsError> {
    rows::lock(tx).await?;
    let (before, after) = match edit {
        Edit::Create(fields) => (None, Some(rows::create(tx, fields, now).await?)),
        Edit::Patch { flag, fields, only_if } => {
            let before = rows::find(tx, flag, only_if.as_deref()).await?;
            let after = edit::patched(&before, fields, now)?;
            if after == before {
                return Ok(Edited { flag: before, change: None });
            }
            (Some(before), Some(after))
        }
        Edit::Delete { flag, only_if } => (Some(rows::find(tx, flag, only_if.as_deref()).await?), None),
    };
    if let Some(flag) = after.as_ref().filter(|flag| edit::stands_on_others(flag)) {
        edit::usable(flag, rows::all(tx).await?.into_iter(), now)?;
    }
    let more = i64::from(after.is_some()) - i64::from(before.is_some());
    let position = rows::advance(tx, more).await?;
    rows::write(tx, before.as_ref(), after.as_ref(), position.revision).await?;
    audit::add(tx, before.as_ref(), after.as_ref(), position.revision, author, now).await?;
    let (flag, changed) = match (before, after) {
        (_, Some(flag)) => (flag.clone(), Changed::Put(Box::new(flag))),
        (Some(flag), None) => (flag.clone(), Changed::Deleted { id: flag.id, name: flag.name }),
        // No edit is without a flag.
        (None, None) => return Err(FlagsError::Unknown(String::new())),
    };
    Ok(Edited { flag, change: Some((position, changed)) })
}

fn new_instance() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
