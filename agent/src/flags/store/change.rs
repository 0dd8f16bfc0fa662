//! One change, from what is asked to what is so: found, checked, numbered, written, audited, told.

use teal_flags::model::{Flag, Timestamp};

use super::audit::{self, Author};
use super::rows;
use super::transaction::Transaction;
use crate::flags::edit::{self, Edit};
use crate::flags::error::FlagsError;
use crate::flags::state::{Changed, Position};

/// What came of an edit.
#[derive(Debug)]
pub(in crate::flags) enum Outcome {
    /// It was made.
    Edited(Box<Edited>),
    /// The database is older than it was: nothing was done.
    WentBack,
}

/// An edit that was made.
#[derive(Debug)]
pub(in crate::flags) struct Edited {
    /// The flag as it is now, or was last.
    pub(in crate::flags) flag: Flag,
    /// What is different, and at which revision; `None`: nothing is.
    pub(in crate::flags) change: Option<(Position, Changed)>,
}

/// Makes a change in a transaction.
pub(super) async fn make(
    tx: &mut Transaction,
    edit: &Edit,
    author: &Author,
    now: Timestamp,
    known: &Position,
) -> Result<Outcome, FlagsError> {
    let here = rows::lock(tx).await?;
    if here.instance == known.instance && here.revision < known.revision {
        return Ok(Outcome::WentBack);
    }
    let (before, after) = match edit {
        Edit::Create(fields) => (None, Some(rows::create(tx, fields, now).await?)),
        Edit::Patch { flag, fields, only_if } => {
            let before = rows::find(tx, flag, only_if.as_deref()).await?;
            let after = edit::patched(&before, fields, now)?;
            if after == before {
                return Ok(Outcome::Edited(Box::new(Edited { flag: before, change: None })));
            }
            (Some(before), Some(after))
        }
        Edit::Delete { flag, only_if } => (Some(rows::find(tx, flag, only_if.as_deref()).await?), None),
    };
    if let Some(flag) = after.as_ref().filter(|flag| edit::stands_on_others(flag)) {
        edit::usable(flag, rows::all(tx).await?.into_iter(), now)?;
    }
    let more = i64::from(after.is_some()) - i64::from(before.is_some());
    let position = rows::advance(tx, more).await?;
    rows::write(tx, before.as_ref(), after.as_ref(), position.revision).await?;
    audit::add(tx, before.as_ref(), after.as_ref(), position.revision, author, now).await?;
    rows::tell(tx, &position).await?;
    let (flag, changed) = match (before, after) {
        (_, Some(flag)) => (flag.clone(), Changed::Put(Box::new(flag))),
        (Some(flag), None) => (flag.clone(), Changed::Deleted { id: flag.id, name: flag.name }),
        // No edit is without a flag.
        (None, None) => return Err(FlagsError::Unknown(String::new())),
    };
    Ok(Outcome::Edited(Box::new(Edited { flag, change: Some((position, changed)) })))
}
