//! Flags and their history as another application kept them, to be carried over under the ids that it gave.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teal_flags::model::{Flag, Timestamp};

use super::edit;
use super::error::{FieldError, FlagsError};

/// The largest id that is taken over: ids go on from the largest, and every client can read it (2^53 - 1).
const LARGEST: i64 = (1 << 53) - 1;

/// What is to be carried over, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Flags as JSON; with `id`, `created_at` and `updated_at` where the application had them.
    pub flags: Vec<Value>,
    /// What was changed there, the oldest first.
    #[serde(default)]
    pub history: Vec<History>,
}

/// One change, as the application noted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Whose.
    pub flag_id: i64,
    /// Its name then.
    pub flag_name: String,
    /// `create`, `update` or `delete`.
    pub action: String,
    /// RFC 3339.
    pub at: String,
    /// Who.
    #[serde(default)]
    pub who: String,
    /// From where.
    #[serde(default)]
    pub ip: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// What was noted of the flag before.
    #[serde(default)]
    pub before: Option<Value>,
    /// What was noted of it after.
    #[serde(default)]
    pub after: Option<Value>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Names of flags that were not there.
    pub created: Vec<String>,
    /// Names of default flags, never changed, that gave way to others.
    pub replaced: Vec<String>,
    /// Names of flags that were there just so.
    pub same: Vec<String>,
    /// Lines of history that were not there.
    pub history: u64,
    /// The service's revision after it.
    pub revision: u64,
}

/// What an import does to the flags.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Flags that go.
    pub(super) deleted: Vec<Flag>,
    /// What comes, and what was in its place. An id of 0 is still to be given.
    pub(super) put: Vec<(Option<Flag>, Flag)>,
    pub(super) told: Imported,
}

/// Compares what comes with what is there. Only flags that nobody touched give way.
pub(super) fn plan(import: &Import, there: &[Flag], untouched: bool, now: Timestamp) -> Result<Plan, FlagsError> {
    let mut plan = Plan::default();
    let (mut names, mut ids) = (HashMap::new(), HashMap::new());
    let mut conflicts = Vec::new();
    for (index, json) in import.flags.iter().enumerate() {
        let flag = read(json, now)
            .map_err(|error| FieldError::new(format!("flags[{index}].{}", error.field), error.problem))?;
        let twice = |what: String| FieldError::new(format!("flags[{index}]"), format!("{what} comes twice"));
        if names.insert(flag.name.clone(), index).is_some() {
            return Err(twice(format!("`{}`", flag.name)).into());
        }
        if flag.id != 0 && ids.insert(flag.id, index).is_some() {
            return Err(twice(format!("the id {}", flag.id)).into());
        }
        let in_place: Vec<&Flag> =
            there.iter().filter(|other| other.id == flag.id || other.name == flag.name).collect();
        match in_place.as_slice() {
            [] => {
                plan.told.created.push(flag.name.clone());
                plan.put.push((None, flag));
            }
            [same] if is_same(same, &flag) => plan.told.same.push(flag.name),
            _ if untouched => {
                plan.told.replaced.push(flag.name.clone());
                let keeps_place = |other: &&Flag| other.id == flag.id && other.name == flag.name;
                let before = in_place.iter().copied().find(keeps_place).cloned();
                plan.deleted.extend(in_place.into_iter().filter(|other| !keeps_place(other)).cloned());
                plan.put.push((before, flag));
            }
            others => conflicts.extend(others.iter().map(|other| conflict(other, &flag))),
        }
    }
    if !conflicts.is_empty() {
        return Err(FlagsError::Taken(conflicts));
    }
    plan.deleted.sort_by_key(|flag| flag.id);
    plan.deleted.dedup_by_key(|flag| flag.id);
    Ok(plan)
}

fn read(json: &Value, now: Timestamp) -> Result<Flag, FieldError> {
    let flag = Flag::from_value(json.clone())?;
    if !(0..=LARGEST).contains(&flag.id) {
        return Err(FieldError::new("id", format!("is no id: it is 1 to {LARGEST}")));
    }
    edit::new_name(&flag)?;
    edit::known(&flag, None)?;
    let created_at = flag.created_at.unwrap_or(now);
    let updated_at = flag.updated_at.unwrap_or(created_at);
    Ok(Flag { version: 1, created_at: Some(created_at), updated_at: Some(updated_at), ..flag })
}

/// Whether it is the same flag in all that an application sees.
fn is_same(there: &Flag, coming: &Flag) -> bool {
    let id = if coming.id == 0 { there.id } else { coming.id };
    let Flag { version, created_at, updated_at, .. } = there.clone();
    *there == Flag { id, version, created_at, updated_at, ..coming.clone() }
}

fn conflict(there: &Flag, coming: &Flag) -> String {
    if there.name != coming.name {
        return format!("id {} is `{}`, not `{}`", there.id, there.name, coming.name);
    }
    if coming.id != 0 && there.id != coming.id {
        return format!("`{}` has id {}, not {}", there.name, there.id, coming.id);
    }
    let (was, is) = (there.to_value(), coming.to_value());
    let (Some(was), Some(is)) = (was.as_object(), is.as_object()) else { return there.name.clone() };
    let kept = ["id", "version", "created_at", "updated_at"];
    let mut fields: Vec<&str> = was.keys().chain(is.keys()).map(String::as_str).collect();
    fields.retain(|field| !kept.contains(field) && was.get(*field) != is.get(*field));
    fields.sort_unstable();
    fields.dedup();
    format!("`{}` is there with other content: {}", there.name, fields.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flag(json: Value) -> Flag {
        Flag { version: 3, ..Flag::from_value(json).unwrap() }
    }

    fn check(coming: Value, untouched: bool, expected: &str) {
        let there = [flag(json!({"id": 7, "name": "a", "enabled": true})), flag(json!({"id": 8, "name": "b"}))];
        let Value::Array(flags) = coming else { panic!("no list") };
        let import = Import { flags, history: vec![] };
        let said = match plan(&import, &there, untouched, Timestamp::from_millis(0)) {
            Err(error) => error.to_string(),
            Ok(plan) => {
                let gone: Vec<i64> = plan.deleted.iter().map(|flag| flag.id).collect();
                let put: Vec<String> = plan
                    .put
                    .iter()
                    .map(|(before, after)| format!("{}{}", after.id, if before.is_some() { "!" } else { "" }))
                    .collect();
                format!("same {:?} gone {gone:?} put {put:?}", plan.told.same)
            }
        };
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn what_is_there_is_never_overwritten_unless_nobody_touched_it() {
        check(json!([{"id": 9, "name": "c"}, {"name": "d"}]), false, r#"same [] gone [] put ["9", "0"]"#);
        check(
            json!([{"id": 7, "name": "a", "enabled": true}, {"name": "b"}]),
            false,
            r#"same ["a", "b"] gone [] put []"#,
        );
        check(json!([{"id": 7, "name": "a", "enabled": false}]), false, "`a` is there with other content: enabled");
        check(json!([{"id": 9, "name": "a", "enabled": true}]), false, "`a` has id 7, not 9");
        check(json!([{"id": 7, "name": "c"}]), false, "id 7 is `a`, not `c`");
        check(json!([{"id": 7, "name": "b"}]), false, "id 7 is `a`, not `b`; `b` has id 8, not 7");
        check(json!([{"id": 7, "name": "a"}]), true, r#"gone [] put ["7!"]"#);
        check(json!([{"id": 8, "name": "a"}, {"id": 7, "name": "b"}]), true, r#"gone [7, 8] put ["8", "7"]"#);
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        check(json!([{"name": "c"}, {"name": "c"}]), false, "flags[1]: `c` comes twice");
        check(json!([{"id": 9, "name": "c"}, {"id": 9, "name": "d"}]), false, "flags[1]: the id 9 comes twice");
        check(json!([{"id": 9, "name": "C"}]), false, "flags[0].name: ");
        check(json!([{"id": -9, "name": "c"}]), false, "flags[0].id: ");
        check(json!([{"id": i64::MAX, "name": "c"}]), false, "flags[0].id: ");
        check(json!([{"name": "c", "colour": "red"}]), false, "flags[0].colour: is no field");
        check(json!([{"name": "stream"}]), false, "flags[0].name: `stream` is a path");
    }
}
