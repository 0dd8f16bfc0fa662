//! Reading the audit log: of one flag or segment, or of all, narrowed and in pages.

use teal_flags::model::Timestamp;

use super::audit::Audit;
use super::transaction::{Row, Transaction, Value};
use crate::flags::edit::Reference;
use crate::flags::error::FlagsError;

/// What is wanted of the log: entries for which all of this holds, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this flag, also when it is gone.
    pub flag: Option<Reference>,
    /// Of this segment, likewise.
    pub segment: Option<String>,
    /// By whom.
    pub who: Option<String>,
    /// `create`, `update` or `delete`.
    pub action: Option<String>,
    /// Made at this moment or later, to the second.
    pub since: Option<Timestamp>,
    /// Made before this moment, to the second.
    pub until: Option<Timestamp>,
    /// Older than the entry of this id.
    pub before: Option<i64>,
    /// So many at most.
    pub limit: u32,
}

impl Wanted {
    /// All of one flag: at most `limit`, older than entry `before`.
    #[must_use]
    pub fn of(flag: Reference, before: Option<i64>, limit: u32) -> Self {
        Self { flag: Some(flag), before, limit, ..Self::default() }
    }
}

/// Everything but which thing: that is another index each.
macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, flag_id, flag_name, segment, action, revision, at, who, ip, reason, before, after FROM feature_flag_audit_log WHERE ",
            $which,
            " AND ($2 IS NULL OR id < $2) AND ($3 IS NULL OR who = $3) AND ($4 IS NULL OR action = $4)
              AND ($5 IS NULL OR at >= $5) AND ($6 IS NULL OR at < $6) ORDER BY id DESC LIMIT $7"
        )
    };
}

/// The entries.
pub(super) async fn read(tx: &mut Transaction, wanted: &Wanted) -> Result<Vec<Audit>, FlagsError> {
    let (sql, which): (&'static str, Value) = match (&wanted.flag, &wanted.segment) {
        (Some(Reference::Id(id)), _) => (select!("flag_id = $1"), (*id).into()),
        (Some(Reference::Name(name)), _) => (select!("flag_name = $1"), name.as_str().into()),
        (None, Some(segment)) => (select!("segment = $1"), segment.as_str().into()),
        (None, None) => (select!("id > $1"), 0_i64.into()),
    };
    let values = [
        which,
        wanted.before.into(),
        wanted.who.clone().into(),
        wanted.action.clone().into(),
        wanted.since.map(second).into(),
        wanted.until.map(second).into(),
        wanted.limit.into(),
    ];
    tx.rows(sql, values).await?.iter().map(audit).collect()
}

/// Whether there is any entry of this thing.
pub(super) async fn knows(tx: &mut Transaction, wanted: &Wanted) -> Result<bool, FlagsError> {
    let only = Wanted { flag: wanted.flag.clone(), segment: wanted.segment.clone(), limit: 1, ..Wanted::default() };
    Ok(!read(tx, &only).await?.is_empty())
}

/// The beginning of a moment's text, which is before every text of a moment in that second, whatever fraction it has.
fn second(at: Timestamp) -> String {
    at.to_string().chars().take("2026-11-28T09:10:11".len()).collect()
}

fn audit(row: &Row) -> Result<Audit, FlagsError> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let segment = row.optional_text(3)?;
    let is_flag = segment.is_none();
    Ok(Audit {
        id: row.integer(0)?,
        flag_id: Some(row.integer(1)?).filter(|_| is_flag),
        flag_name: Some(row.text(2)?).filter(|_| is_flag),
        segment,
        action: row.text(4)?,
        revision: row.count(5)?,
        at: row.text(6)?,
        who: row.text(7)?,
        ip: row.text(8)?,
        reason: row.text(9)?,
        before: json(row.optional_text(10)?),
        after: json(row.optional_text(11)?),
    })
}
