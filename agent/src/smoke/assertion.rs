//! What a JSON answer must hold: a pointer (RFC 6901) and what is to be found there.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::Failure;

/// The kinds of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    Array,
    /// A map.
    Object,
}

impl Kind {
    /// The kind of `value`.
    #[must_use]
    pub const fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// As it stands in the suite.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// What is expected at the pointer.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// This value; numbers are compared by value, so `1` equals `1.0`.
    Equals(Value),
    /// Anything at all (`true`, `null` included), or nothing (`false`).
    Exists(bool),
    /// Any value of this kind.
    Kind(Kind),
}

/// One expectation about a JSON answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// Empty for the whole document, else `/` before each key or index.
    pub pointer: String,
    /// What is to be found there.
    pub expect: Expect,
}

impl Assertion {
    pub(super) fn check(&self, document: &Value) -> Result<(), Failure> {
        let found = document.pointer(&self.pointer);
        let met = match (&self.expect, found) {
            (Expect::Exists(wanted), found) => *wanted == found.is_some(),
            (Expect::Equals(wanted), Some(found)) => equal(wanted, found),
            (Expect::Kind(wanted), Some(found)) => *wanted == Kind::of(found),
            (_, None) => false,
        };
        if met {
            return Ok(());
        }
        let expected = match &self.expect {
            Expect::Equals(wanted) => show(wanted),
            Expect::Exists(true) => "a value".to_owned(),
            Expect::Exists(false) => "nothing".to_owned(),
            Expect::Kind(wanted) => wanted.as_str().to_owned(),
        };
        let got = found.map_or_else(|| "nothing".to_owned(), show);
        Err(Failure::Json { pointer: self.pointer.clone(), expected, got })
    }
}

fn equal(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A scalar as JSON, cut to 80 characters; of a list or map only its size, for it may hold anything.
fn show(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(fields) => format!("an object of {}", fields.len()),
        scalar => {
            let text = scalar.to_string();
            if text.chars().count() <= 80 { text } else { text.chars().take(79).chain(['…']).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_assertion_passes_or_says_what_was_expected_and_got() {
        let document =
            json!({ "status": "ok", "n": 1.0, "none": null, "items": [{ "a/b": true }], "long": "x".repeat(99) });
        let check = |pointer: &str, expect: Expect, words: Option<&str>| {
            let error = Assertion { pointer: pointer.to_owned(), expect }.check(&document).err();
            let error = error.map(|e| e.to_string());
            assert_eq!(error.as_deref().is_some_and(|e| e.contains(words.unwrap_or(""))), words.is_some(), "{error:?}");
        };
        check("/status", Expect::Equals(json!("ok")), None);
        check("/status", Expect::Equals(json!("up")), Some(r#"expected "up" at /status, got "ok""#));
        check("/n", Expect::Equals(json!(1)), None);
        check("/n", Expect::Equals(json!(2)), Some("expected 2 at /n, got 1.0"));
        check("/missing", Expect::Equals(json!(null)), Some("expected null at /missing, got nothing"));
        check("/items", Expect::Equals(json!([{ "a/b": true }])), None);
        check("/items", Expect::Equals(json!([])), Some("expected an array of 0 at /items, got an array of 1"));
        check("/items/0/a~1b", Expect::Kind(Kind::Boolean), None);
        check("/items", Expect::Kind(Kind::Object), Some("expected object at /items, got an array of 1"));
        check("/none", Expect::Exists(true), None);
        check("/none", Expect::Exists(false), Some("expected nothing at /none, got null"));
        check("/items/7", Expect::Exists(true), Some("expected a value at /items/7, got nothing"));
        check("", Expect::Kind(Kind::Object), None);
        check("", Expect::Kind(Kind::Array), Some("the document's root, got an object of 5"));
        check("/long", Expect::Equals(json!(1)), Some("xxx…"));
    }
}
