//! Answers as OFREP writes them, and as its clients want them, who ask for more than the protocol.
//!
//! `variant`, `reason` and `errorDetails` are always there, because the Python provider fails without them. `value` is missing where
//! the caller's default counts: to the JavaScript providers a null would be an object.

use axum::http::StatusCode;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use teal_flags::{ErrorCode, Evaluation, FlagValue};

use super::asked::Wrong;

/// What is told of one flag, or of a question that is none.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// A flag's answer.
    Served(&'a str, Evaluation),
    /// Why there is none.
    Failed { key: Option<&'a str>, code: &'static str, details: String },
}

impl<'a> Answer<'a> {
    pub(super) fn of(key: &'a str, evaluation: Evaluation) -> Self {
        match evaluation.error {
            None => Self::Served(key, evaluation),
            Some(error) => Self::error(key, error),
        }
    }

    pub(super) fn error(key: &'a str, error: ErrorCode) -> Self {
        let details = match error {
            ErrorCode::FlagNotFound => "there is no flag of this name",
            ErrorCode::TargetingKeyMissing => {
                "the flag serves a share of users: give a targetingKey, or the attribute that it deals by"
            }
            ErrorCode::TypeMismatch => "the flag has a value of another type",
            ErrorCode::ParseError => "the flag cannot be used as it is defined: see its prerequisites and segments",
        };
        Self::Failed { key: Some(key), code: error.as_str(), details: details.to_owned() }
    }

    pub(super) fn wrong(key: Option<&'a str>, wrong: Wrong) -> Self {
        Self::Failed { key, code: wrong.code, details: wrong.details }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Served(..) => StatusCode::OK,
            Self::Failed { code, .. } if *code == ErrorCode::FlagNotFound.as_str() => StatusCode::NOT_FOUND,
            Self::Failed { .. } => StatusCode::BAD_REQUEST,
        }
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_map(None)?;
        match self {
            Self::Served(key, evaluation) => {
                json.serialize_entry("key", key)?;
                if let Some(value) = &evaluation.value {
                    json.serialize_entry("value", &Value(value))?;
                }
                json.serialize_entry("variant", &evaluation.variant.as_deref())?;
                json.serialize_entry("reason", evaluation.reason.as_str())?;
                json.serialize_entry("metadata", &Metadata { version: evaluation.version })?;
            }
            Self::Failed { key, code, details } => {
                if let Some(key) = key {
                    json.serialize_entry("key", key)?;
                }
                json.serialize_entry("errorCode", code)?;
                json.serialize_entry("errorDetails", details)?;
            }
        }
        json.end()
    }
}

/// What is known of the flag beside its answer.
#[derive(Serialize)]
struct Metadata {
    version: u64,
}

/// A value. A number with a fraction keeps it, `1.0` too: to the Python provider `1` is no float.
struct Value<'a>(&'a FlagValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FlagValue::Bool(value) => serializer.serialize_bool(*value),
            FlagValue::Text(text) => serializer.serialize_str(text),
            FlagValue::Integer(value) => serializer.serialize_i64(*value),
            FlagValue::Float(value) => serializer.serialize_f64(*value),
            FlagValue::Json(value) => value.serialize(serializer),
        }
    }
}

/// Of all flags.
#[derive(Serialize)]
struct List<'a> {
    flags: Vec<Answer<'a>>,
}

/// As JSON.
pub(super) fn list<'a>(flags: impl Iterator<Item = Answer<'a>>) -> String {
    // Text and numbers: there is nothing that cannot be written.
    serde_json::to_string(&List { flags: flags.collect() }).unwrap_or_default()
}

/// The entity tag of an answer, made of the answer itself: so it depends on all that the answer depends on, the flags, the user, the
/// environment and the moment, is the same from every replica, and changes only when there is something new to be told.
pub(super) fn tag(json: &str) -> String {
    let digest = Sha256::digest(json);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use teal_flags::Reason;

    use super::*;

    fn served(value: Option<FlagValue>) -> Answer<'static> {
        let variant = value.as_ref().map(|_| "on".into());
        let reason = if value.is_some() { Reason::Split } else { Reason::Disabled };
        Answer::of("x", Evaluation { enabled: Some(true), value, variant, reason, error: None, version: 3 })
    }

    #[test]
    fn values_keep_their_type() {
        let check = |value: FlagValue, json: &str| {
            let expected =
                format!(r#"{{"key":"x","value":{json},"variant":"on","reason":"SPLIT","metadata":{{"version":3}}}}"#);
            assert_eq!(serde_json::to_string(&served(Some(value))).unwrap(), expected);
        };
        check(FlagValue::Bool(false), "false");
        check(FlagValue::Text("a\"b".into()), r#""a\"b""#);
        check(FlagValue::Integer(i64::MIN), "-9223372036854775808");
        check(FlagValue::Float(1.0), "1.0");
        check(FlagValue::Float(1e300), "1e+300");
        check(FlagValue::Json(Arc::new(json!({"a": [1, 2.0, null]}))), r#"{"a":[1,2.0,null]}"#);
    }

    #[test]
    fn where_the_callers_default_counts_there_is_no_value_and_all_else() {
        let json = serde_json::to_value(served(None)).unwrap();
        assert_eq!(json, json!({"key": "x", "variant": null, "reason": "DISABLED", "metadata": {"version": 3}}));
    }

    #[test]
    fn errors_have_their_status_and_say_more() {
        let check = |error: ErrorCode, status: u16| {
            let answer = Answer::error("x", error);
            assert_eq!(answer.status().as_u16(), status);
            let json = serde_json::to_value(answer).unwrap();
            assert_eq!((&json["key"], &json["errorCode"]), (&json!("x"), &json!(error.as_str())));
            assert!(json["errorDetails"].as_str().unwrap().len() > 20, "{json}");
        };
        check(ErrorCode::FlagNotFound, 404);
        check(ErrorCode::TargetingKeyMissing, 400);
        check(ErrorCode::ParseError, 400);
    }
}
