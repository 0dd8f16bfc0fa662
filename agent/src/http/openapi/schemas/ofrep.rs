//! OFREP's questions and answers, as the protocol names them.

use serde_json::{Value, json};

use super::{nullable, reference, text, whole};

/// Every schema with its name.
pub(super) fn all() -> [(&'static str, Value); 4] {
    [("OfrepQuestion", question()), ("OfrepAnswer", answer()), ("OfrepAnswers", answers()), ("OfrepError", error())]
}

fn question() -> Value {
    let id = json!({
        "description": "The user's id; a whole number as its digits.",
        "anyOf": [
            {"type": "string"},
            {"type": "integer", "minimum": i64::MIN, "maximum": u64::MAX},
            {"type": "null"},
        ],
    });
    let context = json!({
        "type": "object",
        "description": "Who asks. Members beside `targetingKey` are attributes: texts, numbers, truths, lists of texts.",
        "properties": {"targetingKey": id},
    });
    json!({"type": ["object", "null"], "properties": {"context": nullable(context)}})
}

fn answer() -> Value {
    json!({
        "type": "object",
        "required": ["key", "variant", "reason", "metadata"],
        "properties": {
            "key": text(),
            "value": {"description": "Of the variant; not there where the caller's default counts."},
            "variant": {"type": ["string", "null"]},
            "reason": {"type": "string", "enum": ["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED"]},
            "metadata": {"type": "object", "required": ["version"], "properties": {"version": whole()}},
        },
    })
}

fn answers() -> Value {
    let either = [reference("OfrepAnswer"), reference("OfrepError")];
    json!({
        "type": "object",
        "required": ["flags"],
        "properties": {"flags": {"type": "array", "items": {"anyOf": either}}},
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["errorCode", "errorDetails"],
        "properties": {
            "key": text(),
            "errorCode": {
                "type": "string",
                "enum": ["PARSE_ERROR", "INVALID_CONTEXT", "TARGETING_KEY_MISSING", "FLAG_NOT_FOUND"],
            },
            "errorDetails": {"type": "string", "description": "What is wrong, and the way out."},
        },
    })
}
