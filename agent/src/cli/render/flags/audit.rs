//! `teal flags audit`: who changed a flag, when, what and why, the newest first.

use teal_flags::model::Timestamp;

use super::diff::{changes, diff};
use super::style::{Tone, paint};
use super::words::{ago, moment};
use super::wrap::hanging;
use crate::client::flags::Audit;

/// The entries; a sentence when there are none.
#[must_use]
pub fn audit(entries: &[Audit], now: Timestamp) -> String {
    if entries.is_empty() {
        return "nothing was changed yet\n".to_owned();
    }
    entries.iter().map(|entry| one(entry, now)).collect::<Vec<_>>().join("\n")
}

fn one(entry: &Audit, now: Timestamp) -> String {
    let Audit { action, at, who, ip, reason, before, after, .. } = entry;
    let when = at.parse().map_or_else(|_| at.clone(), |at: Timestamp| format!("{} ({})", moment(at), ago(at, now)));
    let who = match (who.as_str(), ip.as_str()) {
        ("", "") => "somebody".to_owned(),
        ("", ip) => format!("somebody at {ip}"),
        (who, _) => who.to_owned(),
    };
    let what = match action.as_str() {
        "create" => "made it".to_owned(),
        "delete" => "deleted it".to_owned(),
        "update" => "changed it".to_owned(),
        other => other.to_owned(),
    };
    let version = after.get("version").or_else(|| before.get("version")).and_then(serde_json::Value::as_u64);
    let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
    let mut text = format!("{}  {} {what}{version}\n", paint(Tone::Faint, &when), paint(Tone::Name, &who));
    if !reason.is_empty() {
        text += &hanging("  ", &format!("\"{reason}\""));
    }
    // What a deleted flag was is told by the entries before.
    if !after.is_null() {
        text += &changes(&diff(before, after), 2);
    }
    text
}

/// One entry in a line, for a message: `ops@box, 5 min ago: enabled, rollout_percentage ("why")`.
#[must_use]
pub fn brief(entry: &Audit, now: Timestamp) -> String {
    let who = if entry.who.is_empty() { "somebody" } else { &entry.who };
    let when = entry.at.parse().map_or_else(|_| entry.at.clone(), |at: Timestamp| ago(at, now));
    let fields: Vec<String> = diff(&entry.before, &entry.after).into_iter().map(|change| change.field).collect();
    let why = if entry.reason.is_empty() { String::new() } else { format!(" (\"{}\")", entry.reason) };
    format!("{who}, {when}: {}{why}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::style::plain;
    use super::*;

    #[test]
    fn each_entry_says_who_when_what_and_why() {
        let flag = |fields: Value| {
            let mut flag = json!({"id": 8, "name": "telehealth", "rollout_percentage": 100, "version": 1});
            flag.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            flag
        };
        let entry = |action: &str, at: &str, before: Value, after: Value| Audit {
            action: action.into(),
            at: at.into(),
            who: "ops@box".into(),
            ip: "127.0.0.1".into(),
            before,
            after,
            ..Audit::default()
        };
        let (off, on) =
            (flag(json!({"enabled": false})), flag(json!({"enabled": true, "rollout_percentage": 25, "version": 2})));
        let entries = [
            Audit { who: String::new(), ..entry("delete", "2026-11-28T09:08:00Z", on.clone(), Value::Null) },
            Audit {
                reason: "a quarter of the clinics".into(),
                ..entry("update", "2026-11-28T08:08:00Z", off.clone(), on)
            },
            entry("create", "2026-10-01T00:00:00Z", Value::Null, off),
        ];
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let text = [audit(&entries, now), audit(&[], now), brief(&entries[1], now)].join("---\n");
        insta::assert_snapshot!(plain(&text));
    }
}
