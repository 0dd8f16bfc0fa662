//! Short ways through JSON.

use serde_json::{Map, Value};

/// A text, or "" for anything else.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A list, or an empty one for anything else.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A map of `value`, made where there is none.
pub(super) fn map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was just made one"),
    }
}

/// `metadata.<field>` as text.
pub(super) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    text(&object["metadata"][field])
}

/// Sets `metadata.<field>`, or removes it for null.
pub(super) fn set_meta(object: &mut Value, field: &str, value: Value) {
    let metadata = map(map(object).entry("metadata").or_insert(Value::Null));
    if value.is_null() {
        metadata.remove(field);
    } else {
        metadata.insert(field.to_owned(), value);
    }
}

/// Sets `field` if it is not there yet.
pub(super) fn default(object: &mut Value, field: &str, value: Value) {
    let entry = map(object).entry(field).or_insert(Value::Null);
    if entry.is_null() {
        *entry = value;
    }
}

/// Removes nulls, as a typed server that skips empty fields does. Lists keep theirs.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
