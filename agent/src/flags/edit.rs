//! A change that somebody asks for, and the flag that it makes.

use std::str::FromStr;

use serde_json::Value;
use teal_flags::model::{Condition, Document, Flag, Segment, Test, Timestamp};
use teal_flags::{Flags, Layer};

use super::error::{FieldError, FlagsError};
use super::segments::SegmentEdit;

/// Which flag: all paths take either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By number.
    Id(i64),
    /// By name.
    Name(String),
}

impl FromStr for Reference {
    type Err = std::convert::Infallible;

    /// A name begins with a letter, so that digits are a number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A new flag, as JSON.
    Create(Value),
    /// What is to be different (RFC 7396: null puts a field back to its default).
    Patch {
        /// Which.
        flag: Reference,
        /// The fields.
        fields: Value,
        /// `If-Match`, as it came.
        only_if: Option<String>,
    },
    /// No more.
    Delete {
        /// Which.
        flag: Reference,
        /// `If-Match`, as it came.
        only_if: Option<String>,
    },
    /// Of a segment.
    Segment(SegmentEdit),
}

/// What was changed, as it is now or was last.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thing {
    Flag(Box<Flag>),
    Segment(Box<Segment>),
}

/// What the service keeps itself.
const KEPT: [&str; 5] = ["id", "name", "version", "created_at", "updated_at"];

/// What stands where a flag's name does in a path.
const PATHS: [&str; 7] = ["snapshot", "stream", "exposures", "segments", "audit-log", "stale", "import"];

/// A flag's entity tag. The moment is part of it because versions start again when an older database is restored.
#[must_use]
pub fn tag(flag: &Flag) -> String {
    format!("\"{}-{}-{}\"", flag.id, flag.version, flag.updated_at.map_or(0, Timestamp::millis))
}

/// Whether an `If-Match` (RFC 9110, 13.1.1) names this tag; a weak one never does.
pub(super) fn is_met(only_if: &str, tag: &str) -> bool {
    only_if.split(',').map(str::trim).any(|one| one == "*" || one == tag)
}

/// The flag that a new one's JSON describes.
pub(super) fn created(fields: &Value, id: i64, now: Timestamp) -> Result<Flag, FieldError> {
    let object = fields.as_object().ok_or_else(|| FieldError::new("", "a flag is a JSON object"))?;
    let given = |field: &&&str| **field != "name" && object.get(**field).is_some_and(|value| !value.is_null());
    if let Some(field) = KEPT.iter().find(given) {
        return Err(FieldError::new(*field, "is given by the service: leave it away"));
    }
    let flag = Flag::from_value(fields.clone())?;
    new_name(&flag)?;
    known(&flag, None)?;
    Ok(Flag { id, version: 1, created_at: Some(now), updated_at: Some(now), ..flag })
}

/// Whether a flag may be called so.
pub(super) fn new_name(flag: &Flag) -> Result<(), FieldError> {
    if PATHS.contains(&flag.name.as_str()) {
        return Err(FieldError::new("name", format!("`{}` is a path of the service: choose another", flag.name)));
    }
    Ok(())
}

/// The flag that comes of another one by a patch; the same one where nothing is different.
pub(super) fn patched(before: &Flag, fields: &Value, now: Timestamp) -> Result<Flag, FieldError> {
    let object = fields.as_object().ok_or_else(|| FieldError::new("", "a change is a JSON object of fields"))?;
    let mut json = before.to_value();
    let differs = |field: &&&str| object.get(**field).is_some_and(|value| json.get(**field) != Some(value));
    if let Some(field) = KEPT.iter().find(differs) {
        let way = match *field {
            "name" => "cannot be changed: applications ask by it; make a new flag with this one's name as `salt`",
            _ => "is kept by the service: leave it away",
        };
        return Err(FieldError::new(*field, way));
    }
    json_patch::merge(&mut json, fields);
    let mut flag = Flag::from_value(json)?;
    known(&flag, Some(before))?;
    if flag != *before {
        flag.version = before.version + 1;
        flag.updated_at = Some(now);
    }
    Ok(flag)
}

/// A field that is not known would be kept and do nothing: it is refused, unless it was there before.
pub(super) fn known(flag: &Flag, before: Option<&Flag>) -> Result<(), FieldError> {
    let was_there = |field: &str| before.is_some_and(|before| before.extra.contains_key(field));
    match flag.extra.keys().find(|field| !was_there(field)) {
        None => Ok(()),
        Some(field) => Err(FieldError::new(field, "is no field of a flag: docs/flags.md lists them")),
    }
}

/// Whether the flag stands on others: on segments or prerequisites.
pub(super) fn stands_on_others(flag: &Flag) -> bool {
    let on_segment = |condition: &Condition| matches!(condition.test, Test::Segment(_));
    !flag.prerequisites.is_empty() || flag.rules.iter().flat_map(|rule| &rule.conditions).any(on_segment)
}

/// Whether somebody who is confined to these environments (none: to nothing) may make this change: what is changed must be theirs
/// alone, before and after.
pub(super) fn confined(own: &[String], before: Option<&Flag>, after: Option<&Flag>) -> Result<(), FlagsError> {
    let is_theirs = |flag: &&Flag| {
        !flag.environments.is_empty() && flag.environments.iter().all(|environment| own.contains(environment))
    };
    match before.into_iter().chain(after).find(|flag| !own.is_empty() && !is_theirs(flag)) {
        None => Ok(()),
        Some(flag) => {
            let meant = if flag.environments.is_empty() { "all".to_owned() } else { flag.environments.join(", ") };
            Err(FlagsError::Elsewhere { own: own.join(", "), meant })
        }
    }
}

/// Whether these can be used beside the others: there are no circles, and what they name is there.
pub(super) fn usable(
    changed: &[&Flag],
    others: Vec<Flag>,
    segments: Vec<Segment>,
    now: Timestamp,
) -> Result<(), FieldError> {
    let is_changed = |name: &String| changed.iter().any(|flag| flag.name == *name);
    let mut flags: Vec<Flag> = others.into_iter().filter(|other| !is_changed(&other.name)).collect();
    // What is off or meant for some environments only has to be sound as well.
    flags.extend(changed.iter().copied().cloned());
    let all = Flags::new(None);
    let applied = all.apply(Layer::File, Document { flags, segments, ..Document::default() }, now);
    match applied.problems.into_iter().find(|problem| problem.flag.as_ref().is_some_and(is_changed)) {
        None => Ok(()),
        Some(problem) => Err(problem.error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_confined_changes_only_what_is_theirs_alone() {
        let flag = |environments: &[&str]| Flag {
            environments: environments.iter().map(|name| (*name).to_owned()).collect(),
            ..Flag::from_value(serde_json::json!({"name": "x"})).unwrap()
        };
        let check = |own: &[&str], before: Option<&[&str]>, after: Option<&[&str]>, expected: bool| {
            let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
            let (before, after) = (before.map(flag), after.map(flag));
            let found = confined(&own, before.as_ref(), after.as_ref());
            assert_eq!(found.is_ok(), expected, "{own:?} {before:?} {after:?}");
        };
        check(&[], Some(&[]), Some(&["prod"]), true);
        check(&["dev"], Some(&["dev"]), Some(&["dev"]), true);
        check(&["dev", "qa"], Some(&["dev"]), Some(&["qa", "dev"]), true);
        check(&["dev"], Some(&["dev"]), None, true);
        check(&["dev"], None, Some(&["dev"]), true);
        check(&["dev"], Some(&["dev"]), Some(&[]), false);
        check(&["dev"], Some(&["dev"]), Some(&["dev", "prod"]), false);
        check(&["dev"], Some(&["prod"]), Some(&["dev"]), false);
        check(&["dev"], Some(&[]), None, false);
    }
}
