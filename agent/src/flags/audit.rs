//! What is told of a change: who made it, and the line of the audit log.

use serde::Serialize;
use serde_json::Value;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};
use teal_flags::model::{Flag, Timestamp};

use super::edit::Reference;
use super::error::FlagsError;
use super::store::{signed, unsigned};

/// Who changes something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// As the client says: nobody proves it before there are tokens.
    pub who: String,
    /// Where the connection comes from.
    pub ip: String,
    /// In their words.
    pub reason: String,
}

/// One change of a flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// Rises with each change.
    pub id: i64,
    /// Whose.
    pub flag_id: i64,
    /// Its name then.
    pub flag_name: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// The service's revision after it.
    pub revision: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who, as the client said; empty where it did not.
    pub who: String,
    /// Where the connection came from.
    pub ip: String,
    /// Why; empty where none was given.
    pub reason: String,
    /// The flag before; null for a new one.
    pub before: Option<Value>,
    /// The flag after; null for a deleted one.
    pub after: Option<Value>,
}

/// Writes the line of a change; without a flag before it is a new one, without one after it is deleted.
pub(super) async fn add(
    tx: &mut SqliteConnection,
    before: Option<&Flag>,
    after: Option<&Flag>,
    revision: u64,
    author: &Author,
    now: Timestamp,
) -> Result<(), FlagsError> {
    let action = match (before, after) {
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "delete",
    };
    let flag = after.or(before);
    let json = |flag: Option<&Flag>| flag.map(|flag| flag.to_value().to_string());
    sqlx::query(
        "INSERT INTO feature_flag_audit_log (flag_id, flag_name, action, revision, at, who, ip, reason, before, after)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(flag.map(|flag| flag.id))
    .bind(flag.map(|flag| flag.name.as_str()))
    .bind(action)
    .bind(signed(revision))
    .bind(now.to_string())
    .bind(&author.who)
    .bind(&author.ip)
    .bind(&author.reason)
    .bind(json(before))
    .bind(json(after))
    .execute(tx)
    .await?;
    Ok(())
}

/// The changes of a flag, also of a deleted one, newest first: at most `limit`, older than entry `before`.
pub(super) async fn read(
    pool: &SqlitePool,
    flag: &Reference,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Audit>, FlagsError> {
    let (id, name) = match flag {
        Reference::Id(id) => (Some(*id), None),
        Reference::Name(name) => (None, Some(name)),
    };
    let rows = sqlx::query(
        "SELECT id, flag_id, flag_name, action, revision, at, who, ip, reason, before, after FROM feature_flag_audit_log
         WHERE (flag_id = ?1 OR flag_name = ?2) AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4",
    )
    .bind(id)
    .bind(name)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let audit = |row: &SqliteRow| Audit {
        id: row.get(0),
        flag_id: row.get(1),
        flag_name: row.get(2),
        action: row.get(3),
        revision: unsigned(row.get(4)),
        at: row.get(5),
        who: row.get(6),
        ip: row.get(7),
        reason: row.get(8),
        before: json(row.get(9)),
        after: json(row.get(10)),
    };
    Ok(rows.iter().map(audit).collect())
}
