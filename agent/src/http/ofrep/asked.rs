//! The body of a question: who asks. What is missing is nobody, what is wrong is said in OFREP's codes.

use serde_json::Value;
use teal_flags::OwnedContext;

use crate::http::json;

/// Why a question cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// As OFREP writes it.
    pub(super) code: &'static str,
    /// What is wrong, and the way out.
    pub(super) details: String,
}

impl Wrong {
    fn body(details: impl Into<String>) -> Self {
        Self { code: "PARSE_ERROR", details: details.into() }
    }

    pub(super) fn context(details: impl Into<String>) -> Self {
        Self { code: "INVALID_CONTEXT", details: details.into() }
    }
}

/// The user of `{"context": {"targetingKey": ..., ATTRIBUTE: ...}}`. No body and no context are nobody: the Python provider sends
/// neither where the application gives none. Members that are null or objects are no attributes, as with the SDK.
pub(super) fn user(body: &[u8]) -> Result<OwnedContext, Wrong> {
    if body.trim_ascii().is_empty() {
        return Ok(OwnedContext::default());
    }
    let body: Value = json::read(body).map_err(|error| {
        // Not `error` itself: it may quote what stands there.
        let (line, column) = (error.line(), error.column());
        Wrong::body(format!("the body is no JSON, from line {line}, column {column} on"))
    })?;
    let context = match &body {
        Value::Null => return Ok(OwnedContext::default()),
        Value::Object(members) => members.get("context").unwrap_or(&Value::Null),
        _ => return Err(Wrong::body("the body is a JSON object with a `context`")),
    };
    let members = match context {
        Value::Null => return Ok(OwnedContext::default()),
        Value::Object(members) => members,
        _ => return Err(Wrong::context("`context` is a JSON object with `targetingKey` and attributes")),
    };
    let id = match members.get("targetingKey") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        // As the SDK writes a number out.
        Some(Value::Number(number)) if !number.is_f64() => Some(number.to_string()),
        Some(_) => return Err(Wrong::context("`targetingKey` is a text: the user's id")),
    };
    let attributes = members.iter().filter(|(name, _)| *name != "targetingKey");
    Ok(OwnedContext::from_json(id.as_deref(), attributes))
}

#[cfg(test)]
mod tests {
    use teal_flags::{Attribute, Subject};

    use super::*;

    #[test]
    fn whoever_is_not_said_is_nobody() {
        for body in ["", "  \n", "{}", "null", r#"{"context": null}"#, r#"{"context": {}}"#, r#"{"other": 1}"#] {
            assert_eq!(user(body.as_bytes()), Ok(OwnedContext::default()), "{body}");
        }
    }

    #[test]
    fn the_targeting_key_is_the_id_and_other_members_are_attributes_as_in_the_sdk() {
        let body = r#"{"context": {"targetingKey": "user-7", "age": 42, "share": 0.5, "clinics": ["hcm-3", 1], "staff": true,
            "nested": {"a": 1}, "nothing": null}}"#;
        let user = user(body.as_bytes()).unwrap();
        assert_eq!(user.id.as_deref(), Some("user-7"));
        assert_eq!(user.attribute("age"), Some(Attribute::Integer(42)));
        assert_eq!(user.attribute("share"), Some(Attribute::Float(0.5)));
        assert_eq!(user.attribute("clinics"), Some(Attribute::Texts(&["hcm-3".to_owned(), "1".to_owned()])));
        assert_eq!(user.attribute("staff"), Some(Attribute::Bool(true)));
        assert_eq!(user.attributes.len(), 4, "an object and null are no attributes");
        assert_eq!(super::user(br#"{"context": {"targetingKey": 17}}"#).unwrap().id.as_deref(), Some("17"));
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_of_it_repeated() {
        let check = |body: &str, code: &str| {
            let wrong = user(body.as_bytes()).unwrap_err();
            assert_eq!(wrong.code, code, "{body}: {}", wrong.details);
            assert!(!wrong.details.contains("secret"), "{}", wrong.details);
        };
        check("{\"context\": secret", "PARSE_ERROR");
        check("\"secret\"", "PARSE_ERROR");
        check("[]", "PARSE_ERROR");
        check(r#"{"context": "secret"}"#, "INVALID_CONTEXT");
        check(r#"{"context": {"targetingKey": ["secret"]}}"#, "INVALID_CONTEXT");
        check(r#"{"context": {"targetingKey": 1.5}}"#, "INVALID_CONTEXT");
        check(&"[".repeat(100_000), "PARSE_ERROR");
    }
}
