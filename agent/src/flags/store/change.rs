//! One change, from what is asked to what is so: found, checked, numbered, written, audited, told.

use teal_flags::model::{Flag, Segment, Timestamp};

use super::audit::{self, Author, Of};
use super::transaction::Transaction;
use super::{rows, segments};
use crate::flags::edit::{self, Edit, Thing};
use crate::flags::error::FlagsError;
use crate::flags::segments::{self as segment, SegmentEdit};
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
    /// The flag or segment as it is now, or was last.
    pub(in crate::flags) thing: Thing,
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
    let edited = match edit {
        Edit::Segment(edit) => segment(tx, edit, author, now).await?,
        edit => flag(tx, edit, author, now).await?,
    };
    if let Some((position, _)) = &edited.change {
        rows::tell(tx, position).await?;
    }
    Ok(Outcome::Edited(Box::new(edited)))
}

async fn flag(tx: &mut Transaction, edit: &Edit, author: &Author, now: Timestamp) -> Result<Edited, FlagsError> {
    let (before, after) = match edit {
        Edit::Create(fields) => (None, Some(rows::create(tx, fields, now).await?)),
        Edit::Patch { flag, fields, only_if } => {
            let before = rows::find(tx, flag, only_if.as_deref()).await?;
            let after = edit::patched(&before, fields, now)?;
            if after == before {
                return Ok(Edited { thing: Thing::Flag(Box::new(before)), change: None });
            }
            (Some(before), Some(after))
        }
        Edit::Delete { flag, only_if } => (Some(rows::find(tx, flag, only_if.as_deref()).await?), None),
        // It goes its own way.
        Edit::Segment(_) => (None, None),
    };
    edit::confined(&author.environments, before.as_ref(), after.as_ref())?;
    match (&before, &after) {
        (_, Some(flag)) if edit::stands_on_others(flag) => {
            edit::usable(&[flag], rows::all(tx).await?, segments::all(tx).await?, now)?;
        }
        (Some(flag), None) => {
            let needs = rows::all(tx).await?.into_iter().filter(|other| segment::stands_on_flag(other, &flag.name));
            segments::needed(format!("the flag `{}`", flag.name), needs.map(|other| other.name).collect())?;
        }
        _ => {}
    }
    let more = i64::from(after.is_some()) - i64::from(before.is_some());
    let position = rows::advance(tx, more).await?;
    rows::write(tx, before.as_ref(), after.as_ref(), position.revision).await?;
    let json = |flag: &Option<Flag>| flag.as_ref().map(Flag::to_value);
    let both = (json(&before), json(&after));
    let (flag, changed) = match (before, after) {
        (_, Some(flag)) => (flag.clone(), Changed::Put(Box::new(flag))),
        (Some(flag), None) => (flag.clone(), Changed::Deleted { id: flag.id, name: flag.name }),
        // No edit is without a flag.
        (None, None) => return Err(FlagsError::Unknown(String::new())),
    };
    rows::fits(tx).await?;
    audit::add(tx, Of::Flag(flag.id, &flag.name), both, position.revision, author, now).await?;
    Ok(Edited { thing: Thing::Flag(Box::new(flag)), change: Some((position, changed)) })
}

async fn segment(
    tx: &mut Transaction,
    edit: &SegmentEdit,
    author: &Author,
    now: Timestamp,
) -> Result<Edited, FlagsError> {
    let (before, after) = match edit {
        SegmentEdit::Create(fields) => (None, Some(segments::create(tx, fields).await?)),
        SegmentEdit::Patch { name, fields, only_if } => {
            let before = segments::find(tx, name, only_if.as_deref()).await?;
            let after = segment::patched(&before, fields)?;
            if after == before {
                return Ok(Edited { thing: Thing::Segment(Box::new(before)), change: None });
            }
            (Some(before), Some(after))
        }
        SegmentEdit::Delete { name, only_if } => {
            let before = segments::find(tx, name, only_if.as_deref()).await?;
            segments::not_needed(tx, name).await?;
            (Some(before), None)
        }
    };
    let position = rows::advance(tx, 0).await?;
    segments::write(tx, before.as_ref(), after.as_ref(), position.revision).await?;
    let json = |segment: &Option<Segment>| segment.as_ref().map(Segment::to_value);
    let both = (json(&before), json(&after));
    let (segment, changed) = match (before, after) {
        (_, Some(segment)) => (segment.clone(), Changed::PutSegment(Box::new(segment))),
        (Some(segment), None) => (segment.clone(), Changed::DeletedSegment { name: segment.name }),
        // No edit is without a segment.
        (None, None) => return Err(FlagsError::UnknownSegment(String::new())),
    };
    rows::fits(tx).await?;
    audit::add(tx, Of::Segment(&segment.name), both, position.revision, author, now).await?;
    Ok(Edited { thing: Thing::Segment(Box::new(segment)), change: Some((position, changed)) })
}
