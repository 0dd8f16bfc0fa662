//! Everything at one moment, read again only where it changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use teal_flags::model::{Document, Unreadable};

use super::prints::{self, Prints};
use super::transaction::Transaction;
use crate::flags::error::FlagsError;
use crate::flags::state::{Kept, KeptSegment, Position, State, TOMBSTONES, forget_the_oldest};

/// What is in the database.
#[derive(Clone, Debug)]
pub(in crate::flags) struct Loaded {
    pub(in crate::flags) state: Arc<State>,
    pub(in crate::flags) prints: Prints,
    /// Whether the rows are those that the service left there, as far as their number and revisions tell.
    pub(in crate::flags) is_whole: bool,
}

/// Where the service stands, and how many flags and segments it has left there.
async fn service(tx: &mut Transaction) -> Result<(Position, u64, u64), FlagsError> {
    let row = tx.row("SELECT instance, revision, flags, segments FROM feature_flag_service", []).await?;
    Ok((Position { instance: row.text(0)?.into(), revision: row.count(1)? }, row.count(2)?, row.count(3)?))
}

/// Reads everything; of what was known at an earlier revision of the same instance, only what changed since.
pub(super) async fn load(tx: &mut Transaction, known: Option<&Loaded>) -> Result<Loaded, FlagsError> {
    let (position, flags, segments) = service(tx).await?;
    let known = known.filter(|known| {
        let here = known.state.position();
        // What does not read back is in no state: it is read again.
        here.instance == position.instance && here.revision <= position.revision && known.state.is_readable()
    });
    let since = known.map_or(-1, |known| i64::try_from(known.state.position().revision).unwrap_or(i64::MAX));
    let sql = "SELECT id, name, revision, CASE WHEN revision > $1 THEN flag END FROM feature_flags ORDER BY id";
    let rows = tx.rows(sql, [since.into()]).await?;
    let mut is_whole = rows.len() as u64 == flags;
    let (mut kept, mut prints, mut unreadable) = (Vec::new(), Prints::default(), Vec::new());
    for row in &rows {
        let (id, revision) = (row.integer(0)?, row.count(2)?);
        is_whole &= revision <= position.revision;
        match (row.optional_text(3)?, known) {
            (None, Some(known)) => {
                kept.extend(known.state.kept(id).cloned());
                prints.add_again(id, &known.prints);
            }
            (flag, _) => {
                let flag = flag.unwrap_or_default();
                prints.add(id, &row.text(1)?, revision, &flag);
                kept.extend(
                    read("flags", &flag, &mut unreadable)
                        .flags
                        .into_iter()
                        .map(|flag| Kept { flag: Arc::new(flag), revision }),
                );
            }
        }
    }
    let mut deleted = known.map_or_else(BTreeMap::new, |known| known.state.deleted().clone());
    gone(tx, "SELECT name, revision FROM feature_flag_tombstones WHERE revision > $1", since, &mut deleted).await?;
    for kept in &kept {
        deleted.remove(&kept.flag.name);
    }

    let sql =
        "SELECT name, revision, CASE WHEN revision > $1 THEN segment END FROM feature_flag_segments ORDER BY name";
    let rows = tx.rows(sql, [since.into()]).await?;
    is_whole &= rows.len() as u64 == segments;
    let mut kept_segments = Vec::new();
    for row in &rows {
        let (name, revision) = (row.text(0)?, row.count(1)?);
        is_whole &= revision <= position.revision;
        match (row.optional_text(2)?, known) {
            (None, Some(known)) => {
                kept_segments.extend(known.state.segments.get(&name).cloned());
                prints.add_segment_again(&name, &known.prints);
            }
            (segment, _) => {
                let segment = segment.unwrap_or_default();
                prints.add_segment(&name, revision, &segment);
                let read = read("segments", &segment, &mut unreadable).segments.into_iter();
                kept_segments.extend(read.map(|segment| KeptSegment { segment: Arc::new(segment), revision }));
            }
        }
    }
    let mut gone_segments = known.map_or_else(BTreeMap::new, |known| known.state.deleted_segments.clone());
    let sql = "SELECT name, revision FROM feature_flag_segment_tombstones WHERE revision > $1";
    gone(tx, sql, since, &mut gone_segments).await?;
    for kept in &kept_segments {
        gone_segments.remove(&kept.segment.name);
    }

    forget_the_oldest(&mut deleted, TOMBSTONES);
    forget_the_oldest(&mut gone_segments, TOMBSTONES);
    let mut state = State::new(position, kept, deleted, unreadable).with_segments(kept_segments, gone_segments);
    if let Some(known) = known {
        state = state.since(known.state.position().revision);
    }
    Ok(Loaded { state: Arc::new(state), prints, is_whole })
}

/// Whether everything looks as it did; `None`: the service stands elsewhere.
pub(super) async fn is_same(tx: &mut Transaction, known: &Loaded) -> Result<Option<bool>, FlagsError> {
    let (position, ..) = service(tx).await?;
    if position != *known.state.position() {
        return Ok(None);
    }
    Ok(Some(prints::seen(tx).await? == known.prints.all()))
}

/// Adds names that were deleted since.
async fn gone(
    tx: &mut Transaction,
    sql: &'static str,
    since: i64,
    deleted: &mut BTreeMap<String, u64>,
) -> Result<(), FlagsError> {
    for row in tx.rows(sql, [since.into()]).await? {
        deleted.insert(row.text(0)?, row.count(1)?);
    }
    Ok(())
}

/// Reads a stored flag or segment. One that a newer version wrote is handed on as it is.
fn read(part: &str, text: &str, unreadable: &mut Vec<Unreadable>) -> Document {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let mut one = Document::from_value(json!({ part: [json] })).unwrap_or_default();
    for entry in &one.unreadable {
        tracing::error!(name = entry.name, error = %entry.error, "what is stored does not read back; it is handed on as it is");
    }
    unreadable.append(&mut one.unreadable);
    one
}
