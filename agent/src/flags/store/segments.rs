//! Segments as rows.

use serde_json::Value;
use teal_flags::model::{Segment, limits};

use super::rows;
use super::transaction::{Row, Transaction};
use crate::flags::edit;
use crate::flags::error::{FieldError, FlagsError};
use crate::flags::segments::{self, segment_tag};
use crate::flags::state::TOMBSTONES;

/// The segment that is to be made.
pub(super) async fn create(tx: &mut Transaction, fields: &Value) -> Result<Segment, FlagsError> {
    let segment = segments::created(fields)?;
    let count = tx.row("SELECT COUNT(*) FROM feature_flag_segments", []).await?.count(0)?;
    if count >= limits::SEGMENTS as u64 {
        let problem =
            format!("is one too many: there are {} segments; delete those that are not used", limits::SEGMENTS);
        return Err(FieldError::new("name", problem).into());
    }
    let sql = "SELECT version FROM feature_flag_segments WHERE name = $1";
    match tx.optional(sql, [segment.name.as_str().into()]).await? {
        Some(_) => Err(FlagsError::SegmentExists(segment.name)),
        None => Ok(segment),
    }
}

/// The segment, if it is the one that `only_if` means.
pub(super) async fn find(tx: &mut Transaction, name: &str, only_if: Option<&str>) -> Result<Segment, FlagsError> {
    let row = tx.optional("SELECT segment FROM feature_flag_segments WHERE name = $1", [name.into()]).await?;
    let found = read(&row.ok_or_else(|| FlagsError::UnknownSegment(name.to_owned()))?)?;
    let tag = segment_tag(&found);
    match only_if {
        Some(only_if) if !edit::is_met(only_if, &tag) => Err(FlagsError::Stale { version: found.version, tag }),
        _ => Ok(found),
    }
}

/// All segments that read back.
pub(super) async fn all(tx: &mut Transaction) -> Result<Vec<Segment>, FlagsError> {
    let rows = tx.rows("SELECT segment FROM feature_flag_segments", []).await?;
    Ok(rows.iter().filter_map(|row| read(row).ok()).collect())
}

/// Refuses when a flag has a rule on the segment.
pub(super) async fn not_needed(tx: &mut Transaction, name: &str) -> Result<(), FlagsError> {
    let needs = rows::all(tx).await?.into_iter().filter(|flag| segments::stands_on_segment(flag, name));
    needed(format!("the segment `{name}`"), needs.map(|flag| flag.name).collect())
}

/// Refuses when something is needed by these flags.
pub(super) fn needed(what: String, by: Vec<String>) -> Result<(), FlagsError> {
    if by.is_empty() { Ok(()) } else { Err(FlagsError::Needed { what, by }) }
}

/// A segment as it is stored.
pub(super) fn text(segment: &Segment) -> String {
    segment.to_value().to_string()
}

/// Puts the segment that is there after a change in the place of the one before; without one it is deleted.
pub(super) async fn write(
    tx: &mut Transaction,
    before: Option<&Segment>,
    after: Option<&Segment>,
    revision: u64,
) -> Result<(), FlagsError> {
    if let Some(segment) = after {
        let sql = "INSERT INTO feature_flag_segments (name, version, revision, segment) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE SET version = excluded.version, revision = excluded.revision, segment = excluded.segment";
        let row = [segment.name.as_str().into(), segment.version.into(), revision.into(), text(segment).into()];
        tx.execute(sql, row).await?;
        // It is there again.
        let sql = "DELETE FROM feature_flag_segment_tombstones WHERE name = $1";
        tx.execute(sql, [segment.name.as_str().into()]).await?;
    } else if let Some(segment) = before {
        let name = || segment.name.as_str().into();
        tx.execute("DELETE FROM feature_flag_segments WHERE name = $1", [name()]).await?;
        let sql = "INSERT INTO feature_flag_segment_tombstones (name, revision) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET revision = excluded.revision";
        tx.execute(sql, [name(), revision.into()]).await?;
        let sql = "DELETE FROM feature_flag_segment_tombstones WHERE revision <=
             (SELECT revision FROM feature_flag_segment_tombstones ORDER BY revision DESC LIMIT 1 OFFSET $1)";
        tx.execute(sql, [(TOMBSTONES as u64).into()]).await?;
    }
    let more = i64::from(after.is_some()) - i64::from(before.is_some());
    tx.execute("UPDATE feature_flag_service SET segments = segments + $1", [more.into()]).await
}

fn read(row: &Row) -> Result<Segment, FlagsError> {
    let json: Value = serde_json::from_str(&row.text(0)?).unwrap_or_default();
    Ok(Segment::from_value(json).map_err(FieldError::from)?)
}
