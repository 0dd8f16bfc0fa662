//! Flags as rows: found, numbered, written, deleted.

use serde_json::Value;
use teal_flags::model::{Flag, Timestamp, limits};

use super::postgres::CHANNEL;
use super::transaction::{Row, Transaction};
use crate::flags::edit::{self, Reference, tag};
use crate::flags::error::{FieldError, FlagsError};
use crate::flags::state::{Position, TOMBSTONES};

/// Bytes of all flags and segments: a document of them fits into what SDKs read, with the names of what was deleted.
const WHOLE: u64 = if cfg!(test) { 1 << 20 } else { limits::DOCUMENT_BYTES as u64 - (4 << 20) };

/// Where the service stands. From here on no other agent edits until the transaction ends; SQLite's begins like that.
pub(super) async fn lock(tx: &mut Transaction) -> Result<Position, FlagsError> {
    let sql = if tx.is_postgres() {
        "SELECT instance, revision FROM feature_flag_service FOR UPDATE"
    } else {
        "SELECT instance, revision FROM feature_flag_service"
    };
    let row = tx.row(sql, []).await?;
    Ok(Position { instance: row.text(0)?.into(), revision: row.count(1)? })
}

/// Tells the other agents, when the transaction is made so.
pub(super) async fn tell(tx: &mut Transaction, position: &Position) -> Result<(), FlagsError> {
    if tx.is_postgres() {
        tx.row("SELECT pg_notify($1, $2)", [CHANNEL.into(), position.to_string().into()]).await?;
    }
    Ok(())
}

/// A flag as it is stored.
pub(super) fn text(flag: &Flag) -> String {
    flag.to_value().to_string()
}

/// The flag that is to be made, under an id that was never given.
pub(super) async fn create(tx: &mut Transaction, fields: &Value, now: Timestamp) -> Result<Flag, FlagsError> {
    let mut flag = edit::created(fields, 0, now)?;
    let flags = tx.row("SELECT COUNT(*) FROM feature_flags", []).await?.count(0)?;
    if flags >= limits::FLAGS as u64 {
        let problem = format!("is one too many: there are {} flags; delete those that are not used", limits::FLAGS);
        return Err(FieldError::new("name", problem).into());
    }
    let same = tx.optional("SELECT id FROM feature_flags WHERE name = $1", [flag.name.as_str().into()]).await?;
    if same.is_some() {
        return Err(FlagsError::Exists(flag.name));
    }
    flag.id = next_id(tx).await?;
    Ok(flag)
}

/// An id that was never given.
pub(super) async fn next_id(tx: &mut Transaction) -> Result<i64, FlagsError> {
    // The table's own count of ids does not fall when the newest flag is deleted; rows written by hand may be beyond it.
    let next = if tx.is_postgres() {
        "SELECT setval(sequence, GREATEST(nextval(sequence), (SELECT COALESCE(MAX(id), 0) + 1 FROM feature_flags)))
         FROM (SELECT pg_get_serial_sequence('feature_flags', 'id')::regclass AS sequence) AS ids"
    } else {
        "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'feature_flags'), 0) + 1"
    };
    tx.row(next, []).await?.integer(0)
}

/// An id was given elsewhere, and is not to be given again when its flag is gone. SQLite notes that itself.
pub(super) async fn took(tx: &mut Transaction, id: i64) -> Result<(), FlagsError> {
    if tx.is_postgres() {
        let sql = "SELECT setval(sequence, GREATEST(nextval(sequence) - 1, $1))
             FROM (SELECT pg_get_serial_sequence('feature_flags', 'id')::regclass AS sequence) AS ids";
        tx.row(sql, [id.into()]).await?;
    }
    Ok(())
}

/// The flag, if it is the one that `only_if` means.
pub(super) async fn find(tx: &mut Transaction, flag: &Reference, only_if: Option<&str>) -> Result<Flag, FlagsError> {
    let row = match flag {
        Reference::Id(id) => tx.optional("SELECT flag FROM feature_flags WHERE id = $1", [(*id).into()]).await,
        Reference::Name(name) => {
            tx.optional("SELECT flag FROM feature_flags WHERE name = $1", [name.as_str().into()]).await
        }
    };
    let found = read(&row?.ok_or_else(|| FlagsError::Unknown(flag.to_string()))?)?;
    match only_if {
        Some(only_if) if !edit::is_met(only_if, &tag(&found)) => {
            Err(FlagsError::Stale { version: found.version, tag: tag(&found) })
        }
        _ => Ok(found),
    }
}

/// All flags that read back.
pub(super) async fn all(tx: &mut Transaction) -> Result<Vec<Flag>, FlagsError> {
    let rows = tx.rows("SELECT flag FROM feature_flags", []).await?;
    Ok(rows.iter().filter_map(|row| read(row).ok()).collect())
}

/// The next revision, with so many flags more.
pub(super) async fn advance(tx: &mut Transaction, more: i64) -> Result<Position, FlagsError> {
    let sql =
        "UPDATE feature_flag_service SET revision = revision + 1, flags = flags + $1 RETURNING instance, revision";
    let row = tx.row(sql, [more.into()]).await?;
    Ok(Position { instance: row.text(0)?.into(), revision: row.count(1)? })
}

/// Refuses when all flags and segments together have become larger than SDKs take.
pub(super) async fn fits(tx: &mut Transaction) -> Result<(), FlagsError> {
    let row = tx.row(
        "SELECT COALESCE((SELECT SUM(octet_length(flag)) FROM feature_flags), 0)
              + COALESCE((SELECT SUM(octet_length(segment)) FROM feature_flag_segments), 0)",
        [],
    );
    if row.await?.count(0)? <= WHOLE {
        return Ok(());
    }
    let problem = format!(
        "makes all flags and segments together larger than {WHOLE} bytes, which no SDK takes: use less, or delete some"
    );
    Err(FieldError::new("", problem).into())
}

/// Puts the flag that is there after a change in the place of the one before; without one it is deleted.
pub(super) async fn write(
    tx: &mut Transaction,
    before: Option<&Flag>,
    after: Option<&Flag>,
    revision: u64,
) -> Result<(), FlagsError> {
    if let Some(flag) = after {
        let sql = "INSERT INTO feature_flags (id, name, version, revision, flag) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, revision = excluded.revision, flag = excluded.flag";
        let text = text(flag);
        let row = [flag.id.into(), flag.name.as_str().into(), flag.version.into(), revision.into(), text.into()];
        tx.execute(sql, row).await?;
        // It is there again.
        tx.execute("DELETE FROM feature_flag_tombstones WHERE name = $1", [flag.name.as_str().into()]).await?;
    } else if let Some(flag) = before {
        tx.execute("DELETE FROM feature_flags WHERE id = $1", [flag.id.into()]).await?;
        let sql = "INSERT INTO feature_flag_tombstones (name, revision) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET revision = excluded.revision";
        tx.execute(sql, [flag.name.as_str().into(), revision.into()]).await?;
        let sql = "DELETE FROM feature_flag_tombstones WHERE revision <=
             (SELECT revision FROM feature_flag_tombstones ORDER BY revision DESC LIMIT 1 OFFSET $1)";
        tx.execute(sql, [(TOMBSTONES as u64).into()]).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<Flag, FlagsError> {
    let json: Value = serde_json::from_str(&row.text(0)?).unwrap_or_default();
    Ok(Flag::from_value(json).map_err(FieldError::from)?)
}
