//! Everything at one moment, read again only where it changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use teal_flags::model::{Document, Unreadable};

use super::prints::{self, Prints};
use super::transaction::Transaction;
use crate::flags::error::FlagsError;
use crate::flags::state::{Kept, Position, State};

/// What is in the database.
#[derive(Clone, Debug)]
pub(in crate::flags) struct Loaded {
    pub(in crate::flags) state: Arc<State>,
    pub(in crate::flags) prints: Prints,
    /// Whether the rows are those that the service left there, as far as their number and revisions tell.
    pub(in crate::flags) is_whole: bool,
}

/// Where the service stands, and how many flags it has left there.
async fn service(tx: &mut Transaction) -> Result<(Position, u64), FlagsError> {
    let row = tx.row("SELECT instance, revision, flags FROM feature_flag_service", []).await?;
    Ok((Position { instance: row.text(0)?.into(), revision: row.count(1)? }, row.count(2)?))
}

/// Reads everything; of what was known at an earlier revision of the same instance, only what changed since.
pub(super) async fn load(tx: &mut Transaction, known: Option<&Loaded>) -> Result<Loaded, FlagsError> {
    let (position, flags) = service(tx).await?;
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
                read(&flag, revision, &mut kept, &mut unreadable);
            }
        }
    }
    let mut deleted = known.map_or_else(BTreeMap::new, |known| known.state.deleted().clone());
    for row in tx.rows("SELECT name, revision FROM feature_flag_tombstones WHERE revision > $1", [since.into()]).await?
    {
        deleted.insert(row.text(0)?, row.count(1)?);
    }
    for kept in &kept {
        deleted.remove(&kept.flag.name);
    }
    let mut state = State::new(position, kept, deleted, unreadable);
    if let Some(known) = known {
        state = state.since(known.state.position().revision);
    }
    Ok(Loaded { state: Arc::new(state), prints, is_whole })
}

/// Whether everything looks as it did; `None`: the service stands elsewhere.
pub(super) async fn is_same(tx: &mut Transaction, known: &Loaded) -> Result<Option<bool>, FlagsError> {
    let (position, _) = service(tx).await?;
    if position != *known.state.position() {
        return Ok(None);
    }
    Ok(Some(prints::seen(tx).await? == known.prints.all()))
}

/// Reads a stored flag. One that a newer version wrote is handed on as it is.
fn read(text: &str, revision: u64, kept: &mut Vec<Kept>, unreadable: &mut Vec<Unreadable>) {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let mut one = Document::from_value(json!({ "flags": [json] })).unwrap_or_default();
    for entry in &one.unreadable {
        tracing::error!(name = entry.name, error = %entry.error, "a stored flag does not read back; it is handed on as it is");
    }
    unreadable.append(&mut one.unreadable);
    kept.extend(one.flags.into_iter().map(|flag| Kept { flag: Arc::new(flag), revision }));
}
