//! Names, other texts, and JSON of others' making.

use std::fmt::Write;

use serde_json::Value;

use super::Check;
use crate::model::error::quoted;
use crate::model::{Extra, ModelError, limits};

/// The name of a flag or segment: `[a-z][a-z0-9_.-]{0,99}`.
pub(super) fn name(at: &str, name: &str) -> Check {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    let starts_well = name.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    if starts_well && name.len() <= limits::NAME && name.bytes().all(allowed) {
        return Ok(());
    }
    let rule = "must start with a letter and have at most 100 of a-z, 0-9, `_`, `.` and `-`";
    Err(ModelError::new(at, format_args!("{} {rule}", quoted(name))))
}

/// Any other name: not empty, not long, nothing that would break a line.
pub(super) fn label(at: &str, text: &str) -> Check {
    if text.is_empty() {
        return Err(ModelError::new(at, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(ModelError::new(at, "has a control character"));
    }
    short(at, text, limits::LABEL)
}

/// A text of at most so many characters.
pub(super) fn short(at: &str, text: &str, most: usize) -> Check {
    // A text of few bytes has few characters.
    if text.len() <= most {
        return Ok(());
    }
    let length = text.chars().count();
    if length > most {
        Err(ModelError::new(at, format_args!("has {length} characters; the most is {most}")))
    } else {
        Ok(())
    }
}

/// Fields that are not known are kept, but not without end.
pub(super) fn extra(extra: &Extra) -> Check {
    for (name, value) in extra {
        depth(value, limits::DEPTH).map_err(|error| error.within(name))?;
    }
    Ok(())
}

/// A variant's value.
pub(super) fn value(value: &Value) -> Check {
    depth(value, limits::DEPTH)?;
    let mut counter = Counter(0);
    // The counter refuses more than it may hold, which ends the writing.
    if write!(counter, "{value}").is_err() {
        return Err(ModelError::here(format_args!("has more than {} bytes of JSON", limits::VARIANT_BYTES)));
    }
    Ok(())
}

struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        if self.0 > limits::VARIANT_BYTES { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// Goes no deeper than it allows, so that it cannot run out of stack itself.
fn depth(value: &Value, levels: usize) -> Check {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(members) => Box::new(members.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return Ok(()),
    };
    match levels.checked_sub(1) {
        Some(left) => inner.try_for_each(|value| depth(value, left)),
        None => Err(ModelError::here(format_args!(
            "has lists and objects within each other for more than {} levels",
            limits::DEPTH
        ))),
    }
}
