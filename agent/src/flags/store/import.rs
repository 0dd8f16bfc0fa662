//! An import: what another application kept comes in as one change, with its history before it.

use std::collections::HashSet;

use teal_flags::model::{Flag, Timestamp, limits};

use super::audit::{self, Author, Of};
use super::transaction::Transaction;
use super::{rows, segments};
use crate::flags::edit;
use crate::flags::error::{FieldError, FlagsError};
use crate::flags::import::{History, Import, Imported, plan};
use crate::flags::state::Position;

/// Does it, in a transaction; `None`: the database stands before `known`.
pub(super) async fn make(
    tx: &mut Transaction,
    import: &Import,
    author: &Author,
    now: Timestamp,
    known: &Position,
) -> Result<Option<Imported>, FlagsError> {
    let here = rows::lock(tx).await?;
    if here.instance == known.instance && here.revision < known.revision {
        return Ok(None);
    }
    let there = rows::all(tx).await?;
    // The migrations leave revision 1.
    let mut plan = plan(import, &there, here.revision <= 1, now)?;
    let flags = there.len() + plan.put.iter().filter(|(before, _)| before.is_none()).count() - plan.deleted.len();
    if flags > limits::FLAGS {
        let problem =
            format!("are too many: with those that are there they would be {flags}, the most is {}", limits::FLAGS);
        return Err(FieldError::new("flags", problem).into());
    }
    let mut revision = here.revision;
    if !plan.put.is_empty() {
        let more = i64::try_from(flags).unwrap_or(i64::MAX) - i64::try_from(there.len()).unwrap_or(i64::MAX);
        let position = rows::advance(tx, more).await?;
        rows::tell(tx, &position).await?;
        revision = position.revision;
    }
    for flag in &plan.deleted {
        rows::write(tx, Some(flag), None, revision).await?;
    }
    // Ids that came are taken before others are given.
    plan.put.sort_by_key(|(_, flag)| flag.id == 0);
    rows::took(tx, plan.put.iter().map(|(_, flag)| flag.id).max().unwrap_or(0)).await?;
    for (before, after) in &mut plan.put {
        if after.id == 0 {
            after.id = rows::next_id(tx).await?;
        }
        rows::write(tx, before.as_ref(), Some(after), revision).await?;
    }
    let put: Vec<&Flag> = plan.put.iter().map(|(_, flag)| flag).collect();
    if put.iter().any(|flag| edit::stands_on_others(flag)) {
        edit::usable(&put, rows::all(tx).await?, segments::all(tx).await?, now)?;
    }
    rows::fits(tx).await?;
    plan.told.history = history(tx, &import.history, revision).await?;
    for flag in &plan.deleted {
        let of = Of::Flag(flag.id, &flag.name);
        audit::add(tx, of, (Some(flag.to_value()), None), revision, author, now).await?;
    }
    for (before, after) in &plan.put {
        let both = (before.as_ref().map(Flag::to_value), Some(after.to_value()));
        audit::add(tx, Of::Flag(after.id, &after.name), both, revision, author, now).await?;
    }
    plan.told.revision = revision;
    Ok(Some(plan.told))
}

/// Writes those lines that are not there yet.
async fn history(tx: &mut Transaction, history: &[History], revision: u64) -> Result<u64, FlagsError> {
    if history.is_empty() {
        return Ok(0);
    }
    let mut there: HashSet<[String; 4]> = HashSet::new();
    for row in tx.rows("SELECT flag_id, flag_name, action, at, who FROM feature_flag_audit_log", []).await? {
        there.insert(key(row.integer(0)?, &row.text(1)?, &[&row.text(2)?, &row.text(3)?, &row.text(4)?]));
    }
    let mut written = 0;
    for (index, line) in history.iter().enumerate() {
        let wrong = |field: &str, problem: &str| FieldError::new(format!("history[{index}].{field}"), problem);
        if !["create", "update", "delete"].contains(&line.action.as_str()) {
            return Err(wrong("action", "is none of create, update, delete").into());
        }
        if line.flag_id < 1 {
            return Err(wrong("flag_id", "is no id: they count from 1").into());
        }
        let at: Timestamp = line.at.parse().map_err(|_| wrong("at", "is no time such as 2026-11-28T09:00:00Z"))?;
        if !there.insert(key(line.flag_id, &line.flag_name, &[&line.action, &at.to_string(), &line.who])) {
            continue;
        }
        let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        let author =
            Author { who: line.who.clone(), ip: line.ip.clone(), reason: line.reason.clone(), ..Author::default() };
        let noted = audit::Line {
            of: Of::Flag(line.flag_id, &line.flag_name),
            action: &line.action,
            before: json(&line.before),
            after: json(&line.after),
        };
        audit::write(tx, noted, revision, &author, at).await?;
        written += 1;
    }
    Ok(written)
}

fn key(id: i64, name: &str, [action, at, who]: &[&str; 3]) -> [String; 4] {
    [format!("{id} {name}"), (*action).to_owned(), (*at).to_owned(), (*who).to_owned()]
}
