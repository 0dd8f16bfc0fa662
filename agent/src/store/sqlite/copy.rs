//! What is here of what counts in the cluster: a copy of the document, and the last order.

use sqlx::Row as _;
use teal_rollout::document::Document;

use super::Sqlite;
use super::value::{signed, write};
use crate::store::{IntentRow, StoreError};

impl Sqlite {
    /// Keeps a copy of a document that counts elsewhere, over whatever is here.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn copy_document(&self, environment: &str, doc: &Document) -> Result<(), StoreError> {
        let json = write("document", environment, doc)?;
        sqlx::query(
            "INSERT OR REPLACE INTO environment (name, revision, document, updated_at)
             VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ'))",
        )
        .bind(environment)
        .bind(signed(doc.revision))
        .bind(json)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last order that was given here and what came of it; on Kubernetes only.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn intent(&self, environment: &str) -> Result<Option<IntentRow>, StoreError> {
        let row = sqlx::query("SELECT id, taken, message FROM intent WHERE environment = ?")
            .bind(environment)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| IntentRow { id: row.get(0), taken: row.get(1), message: row.get(2) }))
    }

    /// Remembers that order.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_intent(&self, environment: &str, row: &IntentRow) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO intent (environment, id, taken, message) VALUES (?, ?, ?, ?)")
            .bind(environment)
            .bind(&row.id)
            .bind(row.taken)
            .bind(&row.message)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
