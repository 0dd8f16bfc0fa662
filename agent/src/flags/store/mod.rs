//! The flags' database. A change is one transaction: flag, audit row, revision.
//!
//! ```text
//! Store: open, load, edit, audit, count --Transaction--> sqlite     one file, one agent
//!                                                   \--> postgres   schema `teal`, several agents
//! ```
//! What is done is written once (`change`, `rows`, `audit`, `exposures`); what differs between the two is how a database is opened, how a
//! transaction begins, and where the next id comes from.

mod asked;
mod audit;
mod change;
mod exposures;
mod import;
mod load;
mod log;
mod postgres;
mod prints;
mod rows;
mod segments;
mod sqlite;
mod steps;
mod tokens;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::SqlitePool;
use teal_flags::model::Timestamp;
use tokio::sync::mpsc;

pub(super) use asked::Asked;
pub use audit::{Audit, Author};
pub use exposures::Served;
pub(super) use exposures::{OTHER, minute};
pub use log::Wanted;
pub(super) use tokens::Mark;
pub use tokens::TokenAudit;

use super::edit::Edit;
use super::error::FlagsError;
use super::import::{Import, Imported};
use super::state::Position;
pub(super) use change::{Edited, Outcome};
pub(super) use load::Loaded;
pub(super) use postgres::Hint;
use transaction::Transaction;

/// Where flags are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An SQLite file, which one agent owns.
    File(PathBuf),
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
    Sqlite {
        pool: SqlitePool,
        path: PathBuf,
    },
    /// Who reads the audit log has connections of their own: edits do not wait for them.
    Postgres {
        writer: PgPool,
        readers: PgPool,
        options: Arc<PgConnectOptions>,
    },
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
            Place::File(path) => Database::Sqlite { pool: sqlite::open(path).await?, path: path.clone() },
            Place::Postgres { dsn } => {
                let options = Arc::new(postgres::options(dsn)?);
                let [writer, readers] =
                    [postgres::WRITERS, postgres::READERS].map(|most| postgres::pool(&options, most));
                Database::Postgres { writer, readers, options }
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
            "INSERT INTO feature_flag_service (one, instance, revision, flags, segments)
             SELECT 1, $1, COALESCE(MAX(revision), 0), (SELECT COUNT(*) FROM feature_flags), (SELECT COUNT(*) FROM feature_flag_segments)
             FROM (SELECT revision FROM feature_flags UNION ALL SELECT revision FROM feature_flag_segments) AS changes
             WHERE true ON CONFLICT DO NOTHING",
            [new_instance().into()],
        )
        .await?;
        tx.commit().await
    }

    /// Whether other agents may write to the same database.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres { .. })
    }

    /// Sends a hint whenever another agent may have made a change. Ends when nobody takes them; at once where there is no other.
    pub(super) async fn listen(self, hints: mpsc::Sender<Hint>) {
        if let Database::Postgres { options, .. } = self.database {
            postgres::listen((*options).clone(), hints).await;
        }
    }

    /// Everything, at one moment; what is known already is not read again where it did not change.
    pub(super) async fn load(&self, known: Option<&Loaded>) -> Result<Loaded, FlagsError> {
        let mut reading = self.reading(false).await?;
        let loaded = load::load(&mut reading, known).await?;
        reading.rollback().await?;
        Ok(loaded)
    }

    /// Whether every row looks as it did; `None`: the service stands elsewhere now.
    pub(super) async fn is_same(&self, known: &Loaded) -> Result<Option<bool>, FlagsError> {
        let mut reading = self.reading(false).await?;
        let is_same = load::is_same(&mut reading, known).await?;
        reading.rollback().await?;
        Ok(is_same)
    }

    /// Lets the database go.
    pub(super) async fn close(&self) {
        match &self.database {
            Database::Sqlite { pool, .. } => pool.close().await,
            Database::Postgres { writer, readers, .. } => postgres::close([writer, readers]).await,
        }
    }

    /// Another life of the service begins: SDKs will take everything anew. Of several agents that want it, one begins it: nothing is
    /// done when it is not `instance` any more.
    pub(super) async fn renew(&self, instance: &str) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        let renewed = tx.optional(
            "UPDATE feature_flag_service SET instance = $1, flags = (SELECT COUNT(*) FROM feature_flags),
             segments = (SELECT COUNT(*) FROM feature_flag_segments),
             revision = (SELECT MAX(revision) FROM (SELECT revision FROM feature_flags UNION ALL
                 SELECT revision FROM feature_flag_segments UNION ALL SELECT revision FROM feature_flag_service) AS changes)
             WHERE instance = $2 RETURNING instance, revision",
            [new_instance().into(), instance.into()],
        );
        if let Some(row) = renewed.await? {
            let position = Position { instance: row.text(0)?.into(), revision: row.count(1)? };
            rows::tell(&mut tx, &position).await?;
        }
        tx.commit().await
    }

    /// Makes a change, unless the database stands before `known`.
    pub(super) async fn edit(
        &self,
        edit: &Edit,
        author: &Author,
        now: Timestamp,
        known: &Position,
    ) -> Result<Outcome, FlagsError> {
        let mut tx = self.writing().await?;
        match change::make(&mut tx, edit, author, now, known).await {
            Ok(Outcome::Edited(edited)) if edited.change.is_some() => {
                tx.commit().await?;
                Ok(Outcome::Edited(edited))
            }
            // What it was refused for counts; a transaction that cannot be undone is undone by its end.
            other => {
                let _ = tx.rollback().await;
                other
            }
        }
    }

    /// Carries over what another application kept; `None`: the database stands before `known`, and nothing was done.
    pub(super) async fn import(
        &self,
        import: &Import,
        author: &Author,
        now: Timestamp,
        known: &Position,
    ) -> Result<Option<Imported>, FlagsError> {
        let mut tx = self.writing().await?;
        match import::make(&mut tx, import, author, now, known).await {
            Ok(Some(imported)) => {
                tx.commit().await?;
                Ok(Some(imported))
            }
            other => {
                let _ = tx.rollback().await;
                other
            }
        }
    }

    /// The audit log's entries; `None`: there never was such a thing.
    pub(super) async fn audit(&self, wanted: &Wanted) -> Result<Option<Vec<Audit>>, FlagsError> {
        let mut reading = self.reading(true).await?;
        let found = log::read(&mut reading, wanted).await?;
        let is_known = !found.is_empty() || log::knows(&mut reading, wanted).await?;
        reading.rollback().await?;
        Ok(is_known.then_some(found))
    }

    /// What applications asked for.
    pub(super) async fn asked(&self) -> Result<Vec<Asked>, FlagsError> {
        let mut reading = self.reading(true).await?;
        let asked = asked::read(&mut reading).await?;
        reading.rollback().await?;
        Ok(asked)
    }

    /// Adds counts of what was served, unless this report was counted before.
    pub(super) async fn count(
        &self,
        report: Option<&str>,
        environment: &str,
        at: Timestamp,
        now: Timestamp,
        served: &[Served],
    ) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        exposures::add(&mut tx, report, environment, at, now, served).await?;
        tx.commit().await
    }

    /// A transaction that sees one moment; `aside`: not on the connection that edits need.
    async fn reading(&self, aside: bool) -> Result<Transaction, FlagsError> {
        Ok(match &self.database {
            Database::Sqlite { pool, .. } => Transaction::Sqlite(pool.begin().await?),
            Database::Postgres { writer, readers, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                let pool = if aside { readers } else { writer };
                Transaction::Postgres(postgres::Transaction::begin(pool, begin).await?)
            }
        })
    }

    /// A transaction that may write.
    async fn writing(&self) -> Result<Transaction, FlagsError> {
        Ok(match &self.database {
            Database::Sqlite { pool, .. } => Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Database::Postgres { writer, .. } => {
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
                Transaction::Postgres(postgres::Transaction::begin(writer, begin).await?)
            }
        })
    }
}

fn new_instance() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
