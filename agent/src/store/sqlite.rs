//! SQLite: one file in the state folder, WAL, one writer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Row};
use teal_rollout::document::{Checkpoint, Document};
use teal_rollout::statistics::Baseline;

use super::{Entry, ReleaseRow};

/// How long a statement may wait for the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

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
}

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
    pub async fn baselines(&self, environment: &str) -> Result<Vec<(String, Baseline)>, StoreError> {
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
    pub async fn put_baseline(&self, environment: &str, component: &str, value: &Baseline) -> Result<(), StoreError> {
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

fn parse<T: serde::de::DeserializeOwned>(what: &'static str, environment: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Format {
        what,
        environment: environment.to_owned(),
        source,
    })
}

fn write<T: serde::Serialize>(what: &'static str, environment: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Format {
        what,
        environment: environment.to_owned(),
        source,
    })
}

/// SQLite's integers are signed; release numbers and revisions stay far below 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use teal_rollout::policy::Salt;

    async fn store() -> (tempfile::TempDir, Sqlite) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("teal.db")).await.unwrap();
        (folder, store)
    }

    fn document(revision: u64) -> Document {
        let salt = Salt::try_from("demo".to_owned()).unwrap();
        Document { revision, ..Document::new(["api".to_owned()], salt, vec!["edge".into()]) }
    }

    #[tokio::test]
    async fn a_document_is_written_only_over_the_revision_it_was_read_at() {
        let (_folder, store) = store().await;
        assert_eq!(store.document("prod").await.unwrap(), None);
        store.put_document("prod", 0, &document(1)).await.unwrap();
        store.put_document("prod", 1, &document(3)).await.unwrap();
        let conflict = store.put_document("prod", 1, &document(2)).await.unwrap_err();
        assert!(matches!(conflict, StoreError::Conflict { expected: 1, .. }), "{conflict}");
        assert_eq!(store.document("prod").await.unwrap(), Some(document(3)));
        assert_eq!(store.document("dev").await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, _store) = store().await;
        let mode = std::fs::metadata(folder.path().join("teal.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn the_journal_is_read_in_order_by_release_and_from_a_point_on() {
        let (_folder, store) = store().await;
        for seq in 1..=4 {
            let entry = Entry {
                seq,
                release: seq % 2,
                at: "2026-01-01T00:00:00Z".into(),
                kind: "switched".into(),
                text: format!("entry {seq}"),
                data: serde_json::json!({ "seq": seq }),
            };
            store.add_entry("prod", &entry).await.unwrap();
            store.add_entry("prod", &entry).await.unwrap();
        }
        assert_eq!(store.last_seq("prod").await.unwrap(), 4);
        let seqs = |entries: Vec<Entry>| entries.iter().map(|e| e.seq).collect::<Vec<_>>();
        assert_eq!(seqs(store.entries("prod", None, 2, 10).await.unwrap()), [3, 4]);
        assert_eq!(seqs(store.entries("prod", Some(1), 0, 10).await.unwrap()), [1, 3]);
        assert_eq!(seqs(store.entries("dev", None, 0, 10).await.unwrap()), [0; 0]);
    }
}
