//! A row of `feature_flags` as a flag.

use serde_json::{Value, json};
use teal_flags::model::Flag;

use super::Columns;
use super::columns::{Others, boolean, first, integer, names, text, time};

const ID: &[&str] = &["id", "flag_id"];
const NAME: &[&str] = &["name", "flag_name", "key", "flag_key"];
const DESCRIPTION: &[&str] = &["description"];
const ENABLED: &[&str] = &["enabled", "is_enabled", "active", "is_active"];
const ROLLOUT: &[&str] = &["rollout_percentage", "rollout_percent", "rollout", "percentage"];
const ENVIRONMENTS: &[&str] = &["environments", "enabled_environments", "environment"];
const CREATED: &[&str] = &["created_at", "created"];
const UPDATED: &[&str] = &["updated_at", "updated", "modified_at"];
const DELETED: &[&str] = &["deleted_at"];
const KNOWN: &[&[&str]] = &[ID, NAME, DESCRIPTION, ENABLED, ROLLOUT, ENVIRONMENTS, CREATED, UPDATED, DELETED];
/// Words for everywhere.
const EVERYWHERE: [&str; 2] = ["all", "*"];

/// The flag as JSON; else why it is left out.
pub(super) fn flag(row: &Columns, others: &mut Others) -> Result<Value, String> {
    let name = text(first(row, NAME));
    let out = |why: String| format!("flag `{name}` (id {}): {why}", text(first(row, ID)));
    if first(row, DELETED).is_some() {
        return Err(out("was deleted".to_owned()));
    }
    let mut json = json!({"name": name, "description": text(first(row, DESCRIPTION))});
    if let Some(id) = first(row, ID) {
        // An id of another kind, such as a UUID, gives way to one of Teal's.
        if let Some(id) = integer(Some(id)).filter(|id| *id > 0) {
            json["id"] = id.into();
        }
    }
    let enabled = first(row, ENABLED).ok_or_else(|| out("has no column `enabled`".to_owned()))?;
    json["enabled"] = boolean(enabled).ok_or_else(|| out(format!("`enabled` is {enabled}")))?.into();
    if let Some(rollout) = first(row, ROLLOUT) {
        let number = text(Some(rollout)).parse::<serde_json::Number>();
        json["rollout_percentage"] = number.map_err(|_| out(format!("its rollout is {rollout}")))?.into();
    }
    if let Some(environments) = first(row, ENVIRONMENTS) {
        let listed = names(environments).ok_or_else(|| out(format!("its environments are {environments}")))?;
        if listed.is_empty() && environments.as_object().is_some_and(|all| !all.is_empty()) {
            return Err(out("is meant for no environment at all, which has no counterpart".to_owned()));
        }
        let is_everywhere = listed.iter().any(|name| EVERYWHERE.contains(&name.as_str()));
        json["environments"] = if is_everywhere { json!([]) } else { listed.into() };
    }
    for (field, columns) in [("created_at", CREATED), ("updated_at", UPDATED)] {
        if let Some(time) = first(row, columns).and_then(time) {
            json[field] = time.into();
        }
    }
    let flag = Flag::from_value(json).map_err(|error| out(error.to_string()))?;
    others.note(row, KNOWN);
    Ok(flag.to_value())
}
