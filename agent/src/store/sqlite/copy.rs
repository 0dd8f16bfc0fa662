//! What is here of what counts in the cluster: a copy of the document, and the last order.

use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;
use teal_rollout::document::Document;

use super::value::{signed, write};
use crate::store::{IntentRow, StoreError};

pub(super) async fn document(pool: &SqlitePool, environment: &str, doc: &Document) -> Result<(), StoreError> {
    let json = write("document", environment, doc)?;
    sqlx::query(
        "INSERT OR REPLACE INTO environment (name, revision, document, updated_at)
         VALUES (?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%fZ'))",
    )
    .bind(environment)
    .bind(signed(doc.revision))
    .bind(json)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn intent(pool: &SqlitePool, environment: &str) -> Result<Option<IntentRow>, StoreError> {
    let row = sqlx::query("SELECT id, taken, message FROM intent WHERE environment = ?")
        .bind(environment)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| IntentRow { id: row.get(0), taken: row.get(1), message: row.get(2) }))
}

pub(super) async fn put_intent(pool: &SqlitePool, environment: &str, row: &IntentRow) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO intent (environment, id, taken, message) VALUES (?, ?, ?, ?)")
        .bind(environment)
        .bind(&row.id)
        .bind(row.taken)
        .bind(&row.message)
        .execute(pool)
        .await?;
    Ok(())
}
