//! The shapes of tokens.

use serde_json::{Value, json};
use teal_flags::model::limits;

use super::{moment, nullable, reference, text};
use crate::access::Role;

pub(super) fn all() -> Vec<(&'static str, Value)> {
    let entries = |of: &str| json!({"type": "array", "items": reference(of)});
    vec![
        ("Token", token()),
        ("NewToken", new()),
        ("MadeToken", made()),
        ("TokenList", json!({"type": "object", "required": ["tokens"], "properties": {"tokens": entries("Token")}})),
        ("OwnToken", own()),
        (
            "TokenAuditLog",
            json!({"type": "object", "required": ["entries"], "properties": {"entries": entries("TokenAuditEntry")}}),
        ),
        ("TokenAuditEntry", entry()),
    ]
}

fn roles() -> Value {
    json!({"type": "array", "items": {"type": "string", "enum": Role::ALL.map(Role::name)}})
}

fn environments() -> Value {
    json!({"type": "array", "description": "Empty: all.", "items": {"type": "string", "minLength": 1, "maxLength": limits::LABEL}})
}

fn token() -> Value {
    json!({
        "type": "object",
        "description": "What is told of a token: never its secret.",
        "required": ["id", "name", "roles", "environments", "may_name_people", "created_at"],
        "properties": {
            "id": {"type": "string", "description": "Its public part."},
            "name": text(),
            "roles": roles(),
            "environments": environments(),
            "may_name_people": {"type": "boolean"},
            "created_at": moment(),
            "expires_at": nullable(moment()),
            "revoked_at": nullable(moment()),
            "last_used_at": nullable(moment()),
        },
    })
}

fn made() -> Value {
    let mut made = token();
    made["description"] = "A new token. `token` is told this once.".into();
    made["properties"]["token"] = json!({"type": "string", "pattern": "^teal_[0-9a-f]{12}_[0-9a-f]{64}$"});
    made
}

/// Who comes through the operators' socket has no id.
fn own() -> Value {
    let mut own = token();
    own["description"] = "What the caller may do.".into();
    own["required"] = json!(["name", "roles", "environments"]);
    own
}

fn new() -> Value {
    let mut roles = roles();
    roles["minItems"] = 1.into();
    json!({
        "type": "object",
        "required": ["name", "roles"],
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": limits::LABEL, "pattern": "^[A-Za-z0-9._@-]+$"},
            "roles": roles,
            "environments": nullable(environments()),
            "expires_at": nullable(moment()),
            "may_name_people": nullable(json!({"type": "boolean", "description": "Whether it may name the person whom it acts for."})),
            "reason": nullable(json!({"type": "string", "maxLength": 1000, "description": "Why, for the audit log."})),
        },
    })
}

fn entry() -> Value {
    json!({
        "type": "object",
        "description": "One token made or revoked, newest first in lists.",
        "required": ["id", "token_id", "token_name", "action", "at", "who", "ip", "reason", "roles", "environments"],
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "token_id": text(),
            "token_name": text(),
            "action": {"type": "string", "enum": ["create", "revoke"]},
            "at": moment(),
            "who": text(),
            "ip": text(),
            "reason": text(),
            "roles": text(),
            "environments": environments(),
        },
    })
}
