//! What is told of a change: who made it, and the line of the audit log.

use serde::Serialize;
use serde_json::Value;
use teal_flags::model::{Flag, Timestamp};

use super::transaction::Transaction;
use crate::flags::error::FlagsError;

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

/// One change of a flag or segment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// Rises with each change.
    pub id: i64,
    /// Of which flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag_id: Option<i64>,
    /// Its name then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag_name: Option<String>,
    /// Or of which segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
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
    /// It before; null for a new one.
    pub before: Option<Value>,
    /// It after; null for a deleted one.
    pub after: Option<Value>,
}

/// What a line says of its flag.
pub(super) struct Line<'a> {
    pub(super) flag_id: i64,
    pub(super) flag_name: &'a str,
    pub(super) action: &'a str,
    /// JSON, likewise `after`.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Writes the line of a change; without a flag before it is a new one, without one after it is deleted.
pub(super) async fn add(
    tx: &mut Transaction,
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
    // No change is without a flag.
    let Some(flag) = after.or(before) else { return Ok(()) };
    let json = |flag: Option<&Flag>| flag.map(|flag| flag.to_value().to_string());
    let line = Line { flag_id: flag.id, flag_name: &flag.name, action, before: json(before), after: json(after) };
    write(tx, line, revision, author, now).await
}

/// Writes a line.
pub(super) async fn write(
    tx: &mut Transaction,
    line: Line<'_>,
    revision: u64,
    author: &Author,
    at: Timestamp,
) -> Result<(), FlagsError> {
    let row = [
        line.flag_id.into(),
        line.flag_name.into(),
        line.action.into(),
        revision.into(),
        at.to_string().into(),
        author.who.as_str().into(),
        author.ip.as_str().into(),
        author.reason.as_str().into(),
        line.before.into(),
        line.after.into(),
    ];
    tx.execute(
        "INSERT INTO feature_flag_audit_log (flag_id, flag_name, action, revision, at, who, ip, reason, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row,
    )
    .await
}
