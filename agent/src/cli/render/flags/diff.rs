//! What is different between two states of a flag (or segment), field by field, in words.
//!
//! ```text
//!   enabled             off -> on
//!   rollout_percentage  100 % -> 25 %
//!   rules             - clinic is hcm-3: on
//!                     + clinic is hcm-3 or hn-1: on
//! ```

use serde_json::{Map, Value};

use super::style::{Tone, paint};
use super::table::length;
use super::told::{Told, told};
use super::wrap::hanging;

/// What the service keeps by itself, and every change changes.
const KEPT: [&str; 5] = ["id", "name", "version", "created_at", "updated_at"];

/// Fields in the order in which people look for them; others follow by name.
const FIRST: [&str; 6] = ["enabled", "archived", "rollout_percentage", "environments", "rules", "variants"];

/// One field that is different.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name in JSON.
    pub field: String,
    /// What it was; null where it had its default.
    pub before: Value,
    /// What it is.
    pub after: Value,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
enum Line {
    From(String, String),
    Removed(String),
    Added(String),
}

/// The fields that are different, those of `KEPT` left out. Null is an object without fields.
#[must_use]
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let empty = Map::new();
    let fields = |json: &'_ Value| json.as_object().cloned().unwrap_or_else(|| empty.clone());
    let (old, new) = (fields(before), fields(after));
    let mut names: Vec<&String> = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
    names.sort_by_key(|name| (FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()), (*name).clone()));
    let is_different = |name: &&&String| !KEPT.contains(&name.as_str()) && old.get(**name) != new.get(**name);
    let changes = names.iter().filter(is_different).map(|name| Change {
        field: (*name).clone(),
        before: old.get(*name).cloned().unwrap_or_default(),
        after: new.get(*name).cloned().unwrap_or_default(),
        lines: lines(told(name, before), told(name, after)),
    });
    // A default that is written out is no difference.
    changes.filter(|change| !change.lines.is_empty()).collect()
}

fn lines(before: Told, after: Told) -> Vec<Line> {
    match (before, after) {
        (Told::One(before), Told::One(after)) if before == after => Vec::new(),
        (Told::One(before), Told::One(after)) => vec![Line::From(before, after)],
        (before, after) => {
            let (before, after) = (before.many(), after.many());
            let removed = before.iter().filter(|line| !after.contains(line)).cloned().map(Line::Removed);
            let added = after.iter().filter(|line| !before.contains(line)).cloned().map(Line::Added);
            let lines: Vec<Line> = removed.chain(added).collect();
            if lines.is_empty() && before != after {
                // Only their order, which counts.
                return before.into_iter().map(Line::Removed).chain(after.into_iter().map(Line::Added)).collect();
            }
            lines
        }
    }
}

/// The changes, a field a line or more; each line after `indent` blanks.
#[must_use]
pub fn changes(changes: &[Change], indent: usize) -> String {
    let widest = changes.iter().map(|change| length(&change.field)).max().unwrap_or_default();
    let mut text = String::new();
    for change in changes {
        for (number, line) in change.lines.iter().enumerate() {
            let field = if number == 0 { change.field.as_str() } else { "" };
            let (sign, tone, said) = match line {
                Line::From(before, after) => (' ', Tone::Plain, format!("{before} -> {after}")),
                Line::Removed(what) => ('-', Tone::Bad, what.clone()),
                Line::Added(what) => ('+', Tone::Good, what.clone()),
            };
            let mark = format!("{}{field:<widest$}  {sign} ", " ".repeat(indent));
            for one in hanging(&mark, &said).lines() {
                text += &format!("{}\n", paint(tone, one));
            }
        }
    }
    text
}

/// Each field with what it was and is, for scripts.
#[must_use]
pub fn json(changes: &[Change]) -> Value {
    let one =
        |change: &Change| (change.field.clone(), serde_json::json!({"before": change.before, "after": change.after}));
    changes.iter().map(one).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::WIDTH;
    use super::*;

    #[test]
    fn only_what_is_different_is_told_and_in_words() {
        let read = |json: &str| -> Value { serde_json::from_str(json).unwrap() };
        let check = |before: &str, after: &str| {
            let text = plain(&changes(&diff(&read(before), &read(after)), 2));
            assert!(text.lines().all(|line| length(line) <= WIDTH), "{text}");
            text
        };
        let rule = |values: &str| {
            format!(r#"{{"conditions":[{{"attribute":"clinic","operator":"in","values":[{values}]}}]}}"#)
        };
        let before = format!(
            r#"{{"id":8,"name":"t","enabled":false,"rollout_percentage":100,"description":"Telehealth","version":1,
            "rules":[{{"off":true,"conditions":[{{"segment":"staff"}}]}},{}],"updated_at":"2026-11-28T07:00:00Z"}}"#,
            rule("\"hcm-3\"")
        );
        let after = format!(
            r#"{{"id":8,"name":"t","enabled":true,"rollout_percentage":12.5,"environments":["prod","staging"],"version":2,
            "salt":"old","kind":"release","rules":[{{"off":true,"conditions":[{{"segment":"staff"}}]}},{}],
            "variants":[{{"name":"wide","value":{{"columns":3}},"weight":2}}],"schedule":{{"until":"2027-01-01T00:00:00Z"}},
            "new_field":{{"x":1}},"description":"{}","updated_at":"2026-11-28T08:00:00Z"}}"#,
            rule("\"hcm-3\",\"hn-1\""),
            "A word. ".repeat(20).trim()
        );
        let order = r#"{"name":"t","rules":[{"off":true},{"percentage":5}]}"#;
        let other = r#"{"name":"t","rules":[{"percentage":5},{"off":true}]}"#;
        insta::assert_snapshot!(
            [
                check(&before, &after),
                check(&after, "null"),
                check("null", &before),
                check(order, other),
                check(
                    r#"{"name":"s","include":["a","b"]}"#,
                    r#"{"name":"s","include":["b","c"],"any":[[{"attribute":"x","operator":"exists"}]]}"#
                ),
            ]
            .join("---\n")
        );
        assert!(diff(&read(&before), &read(&before)).is_empty());
        assert!(diff(&read(r#"{"name":"t"}"#), &read(r#"{"name":"t","archived":false,"salt":"t"}"#)).is_empty());
    }
}
