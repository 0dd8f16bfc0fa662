//! A row of `feature_flag_audit_log` as a line of history.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Columns;
use super::columns::{Others, first, integer, text, time};

const ID: &[&str] = &["id"];
const FLAG: &[&str] = &["flag_id", "feature_flag_id"];
const NAME: &[&str] = &["flag_name", "feature_flag_name", "flag_key", "name"];
const ACTION: &[&str] = &["action", "operation", "change_type", "event"];
const AT: &[&str] = &["created_at", "changed_at", "performed_at", "timestamp", "at"];
const WHO: &[&str] = &["changed_by", "performed_by", "user_email", "username", "actor", "user_id", "who", "created_by"];
const IP: &[&str] = &["ip_address", "ip"];
const REASON: &[&str] = &["reason", "comment", "notes", "change_reason"];
const BEFORE: &[&str] = &["before", "old_value", "old_values", "old_state", "previous_value", "previous_state"];
const AFTER: &[&str] = &["after", "new_value", "new_values", "new_state", "changes"];
const KNOWN: &[&[&str]] = &[ID, FLAG, NAME, ACTION, AT, WHO, IP, REASON, BEFORE, AFTER];
/// Characters of who and why.
const WHO_MOST: usize = 200;
const REASON_MOST: usize = 1_000;

/// Flags by the id that their table gave them, whatever kind it has.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, (i64, String)>);

impl Names {
    pub(super) fn add(&mut self, row: &Columns, flag: &Value) {
        let name = text(flag.get("name"));
        self.0.insert(text(row.get("id")), (integer(flag.get("id")).unwrap_or(0), name));
    }
}

/// The line as JSON; else why it is left out.
pub(super) fn line(row: &Columns, names: &Names, others: &mut Others) -> Result<Value, String> {
    let out = |why: &str| format!("line {} of the history: {why}", text(first(row, ID)));
    let of = text(first(row, FLAG));
    let known = names.0.get(&of);
    let flag_id = known.map(|(id, _)| *id).or_else(|| of.parse().ok()).unwrap_or(0);
    let flag_name = match (text(first(row, NAME)), known) {
        (name, None) => name,
        (name, Some((_, now))) if name.is_empty() => now.clone(),
        (name, Some(_)) => name,
    };
    if flag_name.is_empty() && flag_id == 0 {
        return Err(out("names no flag"));
    }
    let at = first(row, AT).and_then(time).ok_or_else(|| out("has no time"))?;
    let action = text(first(row, ACTION)).to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    let kind = match () {
        () if has(&["creat", "insert", "add"]) => "create",
        () if has(&["delet", "remov"]) => "delete",
        () => "update",
    };
    let shortened = |names: &[&str], most: usize| text(first(row, names)).chars().take(most).collect::<String>();
    let mut reason = shortened(REASON, REASON_MOST);
    if reason.is_empty()
        && !["create", "update", "delete", "created", "updated", "deleted", ""].contains(&action.as_str())
    {
        // What the application called it, such as `toggled`.
        reason = action.chars().take(REASON_MOST).collect();
    }
    others.note(row, KNOWN);
    Ok(json!({
        "flag_id": flag_id, "flag_name": flag_name, "action": kind, "at": at, "who": shortened(WHO, WHO_MOST),
        "ip": shortened(IP, WHO_MOST), "reason": reason, "before": noted(first(row, BEFORE)), "after": noted(first(row, AFTER)),
    }))
}

/// JSON that stands in a text is JSON.
fn noted(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}
