//! SQLite: one file in the state folder, WAL, one writer.

mod copy;
mod value;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Row};
use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::statistics::History;

use self::value::{parse, signed, unsigned, write};
use super::{Entry, ReleaseRow, StoreError, TimelineRow};

/// How long a statement may wait for the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Releases of an environment that keep their timeline, the newest: one takes up to 100 kB a component.
const TIMELINES: u32 = 100;

/// An open store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    /// Opens `path`, creating it with mode 0600 where it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] and [`StoreError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let open = |source| StoreError::Open { path: path.to_owned(), source };
        private_file(path).map_err(|e| open(sqlx::Error::Io(e)))?;
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await.map_err(open)?;
        let migrate = |source| StoreError::Migrate { path: path.to_owned(), source };
        sqlx::migrate!("../migrations/sqlite").run(&pool).await.map_err(migrate)?;
        Ok(Self { pool })
    }

    /// The document of an environment; `None` before its first write.
    ///
    /// # Errors
    /// [`StoreError::Sql`] and [`StoreError::Format`].
    pub async fn document(&self, environment: &str) -> Result<Option<Document>, StoreError> {
        self.json("document", "SELECT document FROM environment WHERE name = ?", environment).await
    }

    /// The last checkpoint of an environment.
    ///
    /// # Errors
    /// [`StoreError::Sql`] and [`StoreError::Format`].
    pub async fn checkpoint(&self, environment: &str) -> Result<Option<Checkpoint>, StoreError> {
        self.json("checkpoint", "SELECT checkpoint FROM checkpoint WHERE environment = ?", environment).await
    }

    /// The baselines of an environment by component name.
    ///
    /// # Errors
    /// [`StoreError::Sql`] and [`StoreError::Format`].
    pub async fn baselines(&self, environment: &str) -> Result<Vec<(String, History)>, StoreError> {
        let rows = sqlx::query("SELECT component, baseline FROM baseline WHERE environment = ?")
            .bind(environment)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.get(0), parse("baseline", environment, row.get(1))?))).collect()
    }

    /// Writes a document over the one of revision `expected` (0: there is none yet).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another revision stands there, else [`StoreError::Sql`].
    pub async fn put_document(&self, environment: &str, expected: u64, doc: &Document) -> Result<(), StoreError> {
        let json = write("document", environment, doc)?;
        let done = sqlx::query(
            "INSERT INTO environment (name, revision, document, updated_at)
             VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ'))
             ON CONFLICT (name) DO UPDATE
             SET revision = ?2, document = ?3, updated_at = excluded.updated_at
             WHERE environment.revision = ?4",
        )
        .bind(environment)
        .bind(signed(doc.revision))
        .bind(json)
        .bind(signed(expected))
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreError::Conflict { environment: environment.to_owned(), expected })
        }
    }

    /// Replaces the checkpoint of an environment.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_checkpoint(&self, environment: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let json = write("checkpoint", environment, checkpoint)?;
        sqlx::query("INSERT OR REPLACE INTO checkpoint (environment, checkpoint) VALUES (?, ?)")
            .bind(environment)
            .bind(json)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Replaces the baseline of a component.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_baseline(&self, environment: &str, component: &str, value: &History) -> Result<(), StoreError> {
        let json = write("baseline", environment, value)?;
        sqlx::query("INSERT OR REPLACE INTO baseline (environment, component, baseline) VALUES (?, ?, ?)")
            .bind(environment)
            .bind(component)
            .bind(json)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Adds an entry to the journal. Adding the same one twice is harmless.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn add_entry(&self, environment: &str, entry: &Entry) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT OR IGNORE INTO journal (environment, seq, release, at, kind, text, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(environment)
        .bind(signed(entry.seq))
        .bind(signed(entry.release))
        .bind(&entry.at)
        .bind(&entry.kind)
        .bind(&entry.text)
        .bind(entry.data.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last number used in an environment's journal; 0 for an empty one.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn last_seq(&self, environment: &str) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM journal WHERE environment = ?")
            .bind(environment)
            .fetch_one(&self.pool)
            .await?;
        Ok(unsigned(row.get(0)))
    }

    /// Journal entries of a release, or of all when `release` is `None`, after `after`, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn entries(
        &self,
        environment: &str,
        release: Option<u64>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, release, at, kind, text, data FROM journal
             WHERE environment = ?1 AND seq > ?2 AND (?3 IS NULL OR release = ?3) ORDER BY seq LIMIT ?4",
        )
        .bind(environment)
        .bind(signed(after))
        .bind(release.map(signed))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Entry {
                    seq: unsigned(row.get(0)),
                    release: unsigned(row.get(1)),
                    at: row.get(2),
                    kind: row.get(3),
                    text: row.get(4),
                    data: parse("journal entry", environment, row.get(5))?,
                })
            })
            .collect()
    }

    /// Creates or replaces the row of a release.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_release(&self, environment: &str, release: &ReleaseRow) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO release (environment, id, record) VALUES (?, ?, ?)")
            .bind(environment)
            .bind(signed(release.id))
            .bind(release.record.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The newest releases of an environment, newest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`] and [`StoreError::Format`].
    pub async fn releases(&self, environment: &str, limit: u32) -> Result<Vec<ReleaseRow>, StoreError> {
        let rows = sqlx::query("SELECT id, record FROM release WHERE environment = ? ORDER BY id DESC LIMIT ?")
            .bind(environment)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok(ReleaseRow { id: unsigned(row.get(0)), record: parse("release", environment, row.get(1))? }))
            .collect()
    }

    /// Creates or replaces the timeline of a release. Only the newest 100 of an environment are kept.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_timeline(&self, environment: &str, timeline: &TimelineRow) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT OR REPLACE INTO timeline (environment, release, timeline) VALUES (?, ?, ?)")
            .bind(environment)
            .bind(signed(timeline.release))
            .bind(&timeline.json)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM timeline WHERE environment = ?1 AND release NOT IN
             (SELECT release FROM timeline WHERE environment = ?1 ORDER BY release DESC LIMIT ?2)",
        )
        .bind(environment)
        .bind(TIMELINES)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The timeline of a release, of the newest that has one where `release` is `None`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn timeline(&self, environment: &str, release: Option<u64>) -> Result<Option<TimelineRow>, StoreError> {
        let row = sqlx::query(
            "SELECT release, timeline FROM timeline
             WHERE environment = ?1 AND (?2 IS NULL OR release = ?2) ORDER BY release DESC LIMIT 1",
        )
        .bind(environment)
        .bind(release.map(signed))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| TimelineRow { release: unsigned(row.get(0)), json: row.get(1) }))
    }

    /// Every later statement fails.
    #[cfg(test)]
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        sql: &'static str,
        environment: &str,
    ) -> Result<Option<T>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(sql)).bind(environment).fetch_optional(&self.pool).await?;
        row.map(|row| parse(what, environment, row.get(0))).transpose()
    }
}

/// SQLite creates files by the umask; state is for its owner alone.
fn private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests;
