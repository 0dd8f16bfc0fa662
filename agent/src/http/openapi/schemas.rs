//! The shapes of JSON bodies, by name. Flags and segments are read by hand in the SDK; its limits and names are taken from there.

mod flag;
mod ofrep;
mod token;

use serde_json::{Value, json};

/// Every schema with its name.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    let mut all = flag::all();
    all.extend(ofrep::all());
    all.extend(token::all());
    all.extend([
        ("Problem", problem()),
        ("FlagList", listed("flags", "Flag")),
        ("SegmentList", listed("segments", "SegmentSummary")),
        ("Check", question()),
        ("Answer", answer()),
        ("AuditLog", log()),
        ("StaleFlags", stale()),
        ("AuditEntry", entry()),
        ("Document", document()),
        ("Report", report()),
        ("Import", import()),
        ("Imported", imported()),
    ]);
    all
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Or null, which is as good as nothing.
fn nullable(schema: Value) -> Value {
    let either = vec![schema, json!({"type": "null"})];
    json!({ "anyOf": either })
}

fn whole() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// A page of things, with how many there are in all.
fn listed(field: &str, of: &str) -> Value {
    json!({
        "type": "object",
        "required": [field, "total", "revision"],
        "properties": {
            field: {"type": "array", "items": reference(of)},
            "total": {"type": "integer", "minimum": 0, "description": "How many there are that the filters let through."},
            "revision": {"type": "integer", "minimum": 0, "description": "Of the service."},
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["title", "status"],
        "properties": {
            "title": {"type": "string", "description": "One line."},
            "detail": {"type": "string", "description": "More, with the way out."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "exit": {"type": "integer", "minimum": 0, "maximum": 255, "description": "What the command line exits with."},
            "field": {"type": "string", "description": "The field or parameter that cannot be taken."},
            "version": {"type": "integer", "minimum": 0, "description": "The version that it has now, with status 412."},
        },
    })
}

fn question() -> Value {
    json!({
        "type": "object",
        "properties": {
            "user_id": {
                "description": "Who asks; a whole number as its digits.",
                "anyOf": [
                    {"type": "string"},
                    {"type": "integer", "minimum": i64::MIN, "maximum": u64::MAX},
                    {"type": "null"},
                ],
            },
            "environment": nullable(json!({"type": "string", "maxLength": teal_flags::model::limits::LABEL})),
            "attributes": nullable(json!({"type": "object", "description": "What is known of the user: texts, numbers, truths, lists of them."})),
        },
    })
}

fn answer() -> Value {
    json!({
        "type": "object",
        "required": ["id", "name", "enabled", "value", "variant", "reason", "version"],
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "name": text(),
            "enabled": {"type": "boolean", "description": "False where nothing is known."},
            "value": {"description": "Of the variant; null where the caller's default counts."},
            "variant": {"type": ["string", "null"]},
            "reason": {"type": "string", "description": "As OpenFeature calls it: `STATIC`, `SPLIT`, `TARGETING_MATCH`, `DISABLED`, `ERROR` and others."},
            "version": whole(),
            "error": {"type": "string", "description": "With the reason `ERROR`: `TARGETING_KEY_MISSING` and others."},
        },
    })
}

fn log() -> Value {
    json!({
        "type": "object",
        "required": ["entries", "next"],
        "properties": {
            "entries": {"type": "array", "items": reference("AuditEntry")},
            "next": {"type": ["integer", "null"], "description": "`before` of the next page; null: there is none."},
        },
    })
}

fn entry() -> Value {
    let thing = json!({
        "description": "The whole Flag or Segment, or null; of what was imported, whatever the application had noted.",
    });
    json!({
        "type": "object",
        "description": "One change of a flag, or of a segment.",
        "required": ["id", "action", "revision", "at", "who", "ip", "reason", "before", "after"],
        "properties": {
            "id": {"type": "integer", "minimum": 1, "description": "Rises with each change."},
            "flag_id": {"type": "integer", "minimum": 1},
            "flag_name": text(),
            "segment": {"type": "string", "description": "The segment's name; there is no flag then."},
            "action": {"type": "string", "enum": ["create", "update", "delete"]},
            "revision": whole(),
            "at": moment(),
            "who": {"type": "string", "description": "Empty where nobody said."},
            "ip": text(),
            "reason": {"type": "string", "description": "Empty where none was given."},
            "before": thing,
            "after": thing,
        },
    })
}

fn stale() -> Value {
    let moment_or_null = || json!({"type": ["string", "null"], "format": "date-time"});
    let flag = json!({
        "type": "object",
        "required": ["id", "name", "finding", "since", "sure", "last_asked", "variants", "environments", "advice"],
        "properties": {
            "id": {"type": "integer", "minimum": 1},
            "name": text(),
            "finding": {"type": "string", "enum": ["not_asked", "constant"]},
            "since": moment(),
            "sure": {"type": "boolean", "description": "Whether it is remembered for as many days as was asked."},
            "last_asked": moment_or_null(),
            "variants": {"type": "array", "items": {"type": ["string", "null"]}, "description": "Null: the callers' default."},
            "environments": {"type": "array", "items": text()},
            "advice": {"type": "string", "description": "What to do."},
        },
    });
    json!({
        "type": "object",
        "required": ["days", "since", "remembered_since", "flags"],
        "properties": {
            "days": {"type": "integer", "minimum": 1},
            "since": moment(),
            "remembered_since": moment_or_null(),
            "flags": {"type": "array", "items": flag},
        },
    })
}

fn document() -> Value {
    let names = || json!({"type": "array", "items": text()});
    json!({
        "type": "object",
        "description": "All flags at one revision, or what changed: docs/flags.md, Documents.",
        "required": ["format", "revision"],
        "properties": {
            "format": {"type": "integer", "minimum": 1},
            "instance": {"type": "string", "description": "Which life of the service."},
            "revision": whole(),
            "since": whole(),
            "flags": {"type": "array", "items": reference("Flag")},
            "segments": {"type": "array", "items": reference("Segment")},
            "deleted": names(),
            "deleted_segments": names(),
        },
    })
}

fn report() -> Value {
    json!({
        "type": "object",
        "description": "How often an application served what. What is not known is left out.",
        "required": ["until", "counts"],
        "properties": {
            "report": nullable(json!({"type": "string", "pattern": "^[!-~]{1,100}$", "description": "Its id: a report that comes again under it is not counted again."})),
            "environment": nullable(json!({"type": "string", "maxLength": teal_flags::model::limits::LABEL})),
            "from": nullable(moment()),
            "until": moment(),
            "counts": {"type": "array", "items": {
                "type": "object",
                "required": ["flag", "version", "count"],
                "properties": {
                    "flag": text(),
                    "version": {"type": "integer", "minimum": 0, "maximum": u64::MAX},
                    "variant": nullable(json!({"type": "string", "maxLength": teal_flags::model::limits::LABEL})),
                    "count": {"type": "integer", "minimum": 0, "maximum": u64::MAX},
                },
            }},
        },
    })
}

fn import() -> Value {
    let line = json!({
        "type": "object",
        "required": ["flag_id", "flag_name", "action", "at"],
        "additionalProperties": false,
        "properties": {
            "flag_id": {"type": "integer", "format": "int64"},
            "flag_name": text(),
            "action": {"enum": ["create", "update", "delete"]},
            "at": moment(),
            "who": text(),
            "ip": text(),
            "reason": text(),
            "before": {},
            "after": {},
        },
    });
    json!({
        "type": "object",
        "required": ["flags"],
        "additionalProperties": false,
        "properties": {
            "flags": {
                "type": "array",
                "description": "Flags as they are answered; `id`, `created_at` and `updated_at` are kept.",
                "items": {"type": "object", "required": ["name"], "properties": {"name": text()}},
            },
            "history": {"type": "array", "items": line, "description": "What was changed there, the oldest first."},
            "reason": nullable(text()),
        },
    })
}

fn imported() -> Value {
    let names = json!({"type": "array", "items": text()});
    json!({
        "type": "object",
        "required": ["created", "replaced", "same", "history", "revision"],
        "properties": {
            "created": names,
            "replaced": {"type": "array", "items": text(), "description": "Default flags that nobody touched, which gave way."},
            "same": names,
            "history": {"type": "integer", "minimum": 0, "description": "Lines that were not there."},
            "revision": whole(),
        },
    })
}
