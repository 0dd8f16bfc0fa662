//! Flags as they are answered, made and changed. `null` is as good as nothing in what is sent.

use serde_json::{Map, Value, json};
use teal_flags::model::{Kind, Operator, limits};

use super::{moment, nullable, reference};

/// What only the service writes.
const KEPT: [&str; 4] = ["id", "version", "created_at", "updated_at"];

pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Flag", answered()),
        ("NewFlag", made()),
        ("FlagChange", changed()),
        ("Segment", segment()),
        ("NewSegment", sent_segment(true)),
        ("SegmentChange", sent_segment(false)),
        ("SegmentSummary", summary()),
        ("Rule", rule()),
        ("Condition", condition()),
        ("Variant", variant()),
        ("Prerequisite", prerequisite()),
        ("Schedule", schedule()),
        ("Percentage", percentage()),
        ("Bucketing", bucketing()),
        ("Stickiness", stickiness()),
    ]
}

/// The pattern of names of flags and segments.
pub(super) fn name() -> Value {
    json!({"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,99}$"})
}

pub(super) fn list(items: &Value, most: usize) -> Value {
    json!({"type": "array", "items": items, "maxItems": most})
}

fn label() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": limits::LABEL})
}

/// The fields of a flag but for those that the service keeps and the name.
fn fields() -> Map<String, Value> {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|(_, name)| *name).collect();
    let fields = json!({
        "description": {"type": "string", "maxLength": limits::DESCRIPTION},
        "enabled": {"type": "boolean", "description": "The main switch; a new flag without it is off."},
        "rollout_percentage": reference("Percentage"),
        "salt": {"type": "string", "maxLength": limits::FOREIGN_SALT, "description": "Deals users into buckets; the name where there is none."},
        "bucketing": reference("Bucketing"),
        "stickiness": reference("Stickiness"),
        "environments": list(&label(), limits::ENVIRONMENTS),
        "rules": list(&reference("Rule"), limits::RULES),
        "variants": list(&reference("Variant"), limits::VARIANTS),
        "off_variant": label(),
        "prerequisites": list(&reference("Prerequisite"), limits::PREREQUISITES),
        "schedule": reference("Schedule"),
        "client_visible": {"type": "boolean", "description": "Browsers and mobile applications may be told the answer."},
        "kind": {"type": "string", "enum": kinds},
        "archived": {"type": "boolean"},
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn answered() -> Value {
    let mut fields = fields();
    fields.insert("id".to_owned(), json!({"type": "integer", "minimum": 1}));
    fields.insert("name".to_owned(), name());
    fields.insert("version".to_owned(), json!({"type": "integer", "minimum": 1, "description": "Counts its changes."}));
    fields.insert("created_at".to_owned(), moment());
    fields.insert("updated_at".to_owned(), moment());
    json!({
        "type": "object",
        "description": "docs/flags.md. Fields that have their default are left out.",
        "required": ["id", "name", "enabled", "rollout_percentage", "version"],
        "properties": fields,
    })
}

fn reason() -> Value {
    nullable(json!({"type": "string", "maxLength": 1000, "description": "Why, for the audit log."}))
}

/// What may be sent: each field or null.
fn sent() -> Map<String, Value> {
    let mut fields: Map<String, Value> = fields().into_iter().map(|(name, schema)| (name, nullable(schema))).collect();
    fields.insert("reason".to_owned(), reason());
    fields
}

fn made() -> Value {
    let mut fields = sent();
    fields.insert("name".to_owned(), name());
    for kept in KEPT {
        fields.insert(kept.to_owned(), json!({"type": "null", "description": "Given by the service."}));
    }
    json!({"type": "object", "required": ["name"], "properties": fields, "additionalProperties": false})
}

fn changed() -> Value {
    let mut fields = sent();
    // They may be sent back as they are.
    for kept in KEPT.into_iter().chain(["name"]) {
        fields.insert(kept.to_owned(), json!({"description": "Kept by the service: only as it is."}));
    }
    json!({
        "type": "object",
        "description": "What is to be different (RFC 7396): null puts a field back to its default, objects are merged.",
        "properties": fields,
        "additionalProperties": false,
    })
}

/// The fields of a segment but for its name and version.
fn segment_fields() -> Vec<(&'static str, Value)> {
    let ids = || list(&json!({"type": "string", "minLength": 1, "maxLength": limits::VALUE}), limits::IDS);
    vec![
        ("description", json!({"type": "string", "maxLength": limits::DESCRIPTION})),
        ("include", ids()),
        ("exclude", ids()),
        ("any", list(&list(&reference("Condition"), limits::CONDITIONS), limits::GROUPS)),
    ]
}

fn segment() -> Value {
    let mut fields: Map<String, Value> =
        segment_fields().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    fields.insert("name".to_owned(), name());
    fields.insert("version".to_owned(), json!({"type": "integer", "minimum": 1, "description": "Counts its changes."}));
    json!({
        "type": "object",
        "description": "A named group of users: docs/flags.md, Segments.",
        "required": ["name", "version"],
        "properties": fields,
    })
}

/// A segment as it is sent: a new one, or what is to be different.
fn sent_segment(is_new: bool) -> Value {
    let mut fields: Map<String, Value> =
        segment_fields().into_iter().map(|(name, schema)| (name.to_owned(), nullable(schema))).collect();
    fields.insert("reason".to_owned(), reason());
    let kept = json!({"description": "Kept by the service: only as it is."});
    let (names, version) = if is_new { (name(), json!({"type": "null"})) } else { (kept.clone(), kept) };
    fields.insert("name".to_owned(), names);
    fields.insert("version".to_owned(), version);
    let required: &[&str] = if is_new { &["name"] } else { &[] };
    json!({"type": "object", "required": required, "properties": fields, "additionalProperties": false})
}

fn summary() -> Value {
    let count = || json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "required": ["name", "description", "version", "included", "excluded", "groups", "flags"],
        "properties": {
            "name": name(),
            "description": {"type": "string"},
            "version": {"type": "integer", "minimum": 1},
            "included": count(),
            "excluded": count(),
            "groups": count(),
            "flags": {"type": "array", "items": {"type": "string"}, "description": "Those with rules on it."},
        },
    })
}

fn rule() -> Value {
    let weights = json!({"anyOf": [
        {"type": "object", "additionalProperties": weight(), "maxProperties": limits::VARIANTS},
        {"type": "array", "maxItems": limits::VARIANTS, "items": {
            "type": "object", "required": ["name", "weight"], "properties": {"name": label(), "weight": weight()},
        }},
    ]});
    json!({
        "type": "object",
        "description": "Users for whom all conditions hold get the flag, a variant, one of several, or none (`off`).",
        "properties": {
            "name": nullable(json!({"type": "string", "maxLength": limits::LABEL})),
            "conditions": nullable(list(&reference("Condition"), limits::CONDITIONS)),
            "percentage": nullable(reference("Percentage")),
            "variant": nullable(label()),
            "variants": nullable(weights),
            "off": nullable(json!({"type": "boolean"})),
            "otherwise": nullable(json!({"type": "string", "enum": ["off", "next"]})),
            "salt": nullable(json!({"type": "string", "maxLength": limits::FOREIGN_SALT})),
            "bucketing": nullable(reference("Bucketing")),
            "stickiness": nullable(reference("Stickiness")),
        },
    })
}

fn condition() -> Value {
    let operators: Vec<&str> = Operator::ALL.iter().map(|(_, name)| *name).collect();
    let plain = json!({"type": ["string", "number", "boolean"]});
    json!({
        "type": "object",
        "description": "What must hold of an attribute, or a segment that the user must be in.",
        "properties": {
            "attribute": nullable(label()),
            "operator": nullable(json!({"type": "string", "enum": operators})),
            "values": nullable(list(&plain, limits::VALUES)),
            "value": nullable(plain),
            "ignore_case": nullable(json!({"type": "boolean"})),
            "segment": nullable(name()),
            "negate": nullable(json!({"type": "boolean"})),
        },
    })
}

fn variant() -> Value {
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": label(),
            "value": {"description": "Any JSON; the name where there is none."},
            "weight": nullable(weight()),
        },
    })
}

fn weight() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": limits::WEIGHTS})
}

fn prerequisite() -> Value {
    json!({
        "type": "object",
        "required": ["flag"],
        "properties": {
            "flag": name(),
            "enabled": nullable(json!({"type": "boolean"})),
            "variants": nullable(list(&label(), limits::VARIANTS)),
        },
    })
}

fn schedule() -> Value {
    let point = json!({
        "type": "object",
        "required": ["at", "percentage"],
        "properties": {"at": moment(), "percentage": reference("Percentage")},
    });
    json!({
        "type": "object",
        "properties": {
            "from": nullable(moment()),
            "until": nullable(moment()),
            "ramp": nullable(list(&point, limits::RAMP)),
        },
    })
}

fn percentage() -> Value {
    json!({
        "description": "0 to 100 with up to three decimals; sent as a number or a text, answered as a number.",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": "^(100(\\.0{1,3})?|[0-9]{1,2}(\\.[0-9]{1,3})?)$"},
        ],
    })
}

fn bucketing() -> Value {
    let hashes: Vec<&str> = teal_flags::bucketing::Hash::ALL.iter().map(|(_, name)| *name).collect();
    json!({"anyOf": [
        {"type": "string", "enum": ["teal1", "unleash", "flagd"]},
        {
            "type": "object",
            "required": ["hash", "input", "modulo"],
            "properties": {
                "hash": {"type": "string", "enum": hashes},
                "input": {"type": "string", "maxLength": limits::SALT, "pattern": "\\{user\\}"},
                "modulo": {"type": "integer", "minimum": 1, "maximum": limits::MODULO},
            },
            "additionalProperties": false,
        },
    ]})
}

fn stickiness() -> Value {
    json!({"anyOf": [label(), list(&label(), limits::STICKINESS)]})
}
