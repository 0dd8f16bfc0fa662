//! Values of columns, whichever of the usual types they have.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Columns;

/// The first of several names under which a column is known, where there is something in it.
pub(super) fn first<'a>(row: &'a Columns, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| row.get(*name).filter(|value| !value.is_null()))
}

pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn integer(value: Option<&Value>) -> Option<i64> {
    text(value).trim().parse().ok()
}

/// `true`, 1, "t", "yes", "on", and their opposites.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match text(Some(value)).trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" | "on" => Some(true),
        "false" | "f" | "0" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// Names: a list, an object of those that are true, or a text: JSON, `{a,b}` as PostgreSQL writes it, or `a, b`.
pub(super) fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => list.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::Object(fields) => {
            let chosen = |(name, is): (&String, &Value)| Some((name.clone(), boolean(is)?));
            let all: Option<Vec<(String, bool)>> = fields.iter().map(chosen).collect();
            Some(all?.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect())
        }
        Value::String(text) => {
            let text = text.trim();
            let json = serde_json::from_str::<Value>(text).ok().filter(|json| json.is_array() || json.is_object());
            if let Some(json) = json {
                return names(&json);
            }
            let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
            let words = inner.split(',').map(|word| word.trim().trim_matches('"').to_owned());
            Some(words.filter(|word| !word.is_empty()).collect())
        }
        _ => None,
    }
}

/// A time, with a zone: without one it is UTC.
pub(super) fn time(value: &Value) -> Option<String> {
    let text = text(Some(value));
    let parses = |text: &str| text.parse::<teal_flags::model::Timestamp>().ok().map(|time| time.to_string());
    parses(&text).or_else(|| parses(&format!("{text}Z")))
}

/// Columns that have no place in Teal, and how many rows have something in them.
#[derive(Debug, Default)]
pub(super) struct Others(BTreeMap<String, usize>);

impl Others {
    pub(super) fn note(&mut self, row: &Columns, known: &[&[&str]]) {
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        for (name, value) in row {
            if !is_empty(value) && !known.iter().any(|names| names.contains(&name.as_str())) {
                *self.0.entry(name.clone()).or_default() += 1;
            }
        }
    }

    pub(super) fn told(self, table: &str) -> Vec<String> {
        let told =
            |(name, rows): (String, usize)| format!("column {table}.{name} has no place here ({rows} rows have one)");
        self.0.into_iter().map(told).collect()
    }
}
