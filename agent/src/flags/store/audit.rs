//! What is told of a change: who made it, and the line of the audit log.

use serde::Serialize;
use serde_json::Value;
use teal_flags::model::Timestamp;

use super::transaction::Transaction;
use crate::flags::error::FlagsError;

/// Who changes something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The token's name, the user of the machine, or how else they came in.
    pub who: String,
    /// The person behind a token, as it says; empty where it does not.
    pub person: String,
    /// Where the connection comes from.
    pub ip: String,
    /// In their words.
    pub reason: String,
    /// The environments that their token is confined to; empty: none.
    pub environments: Vec<String>,
}

impl Author {
    /// Both in one text: `ci for anna`.
    pub(super) fn signature(&self) -> String {
        if self.person.is_empty() { self.who.clone() } else { format!("{} for {}", self.who, self.person) }
    }
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
    /// Who, by the token's name, with the person for whom it acted.
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

/// What was changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of<'a> {
    /// A flag, by id and name.
    Flag(i64, &'a str),
    /// A segment, by name.
    Segment(&'a str),
}

/// What a line says.
pub(super) struct Line<'a> {
    pub(super) of: Of<'a>,
    pub(super) action: &'a str,
    /// JSON, likewise `after`.
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Writes the line of a change; with nothing before it is a new one, with nothing after it is deleted.
pub(super) async fn add(
    tx: &mut Transaction,
    of: Of<'_>,
    (before, after): (Option<Value>, Option<Value>),
    revision: u64,
    author: &Author,
    now: Timestamp,
) -> Result<(), FlagsError> {
    let action = match (&before, &after) {
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "delete",
    };
    let json = |value: Option<Value>| value.map(|value| value.to_string());
    write(tx, Line { of, action, before: json(before), after: json(after) }, revision, author, now).await
}

/// Writes a line.
pub(super) async fn write(
    tx: &mut Transaction,
    line: Line<'_>,
    revision: u64,
    author: &Author,
    at: Timestamp,
) -> Result<(), FlagsError> {
    let (id, name, segment) = match line.of {
        Of::Flag(id, name) => (id, name, None),
        Of::Segment(name) => (0, "", Some(name.to_owned())),
    };
    let row = [
        id.into(),
        name.into(),
        segment.into(),
        line.action.into(),
        revision.into(),
        at.to_string().into(),
        author.signature().into(),
        author.ip.as_str().into(),
        author.reason.as_str().into(),
        line.before.into(),
        line.after.into(),
    ];
    tx.execute(
        "INSERT INTO feature_flag_audit_log (flag_id, flag_name, segment, action, revision, at, who, ip, reason, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        row,
    )
    .await
}
