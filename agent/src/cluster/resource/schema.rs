//! Schemas of fields whose types come from `teal-rollout`, which knows nothing of Kubernetes, and of bounded texts.
//!
//! Every list, map and text has a limit: the server weighs what a validation rule may cost by them.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Characters of a name of whoever ordered something.
pub(super) const BY: usize = 128;
/// Characters of the reason for a verdict.
pub(super) const REASON: usize = 1024;

pub(super) fn colour(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["blue", "green"]})
}

pub(super) fn mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["observe", "advise", "act"]})
}

pub(super) fn verdict(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["open", "bad"]})
}

pub(super) fn phase(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": [
        "idle", "deploying", "smoke", "switching", "watching", "held", "retaining", "rolling_back",
    ]})
}

pub(super) fn outcome(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["completed", "kept", "rolled_back", "aborted"]})
}

pub(super) fn cause(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"type": "string", "enum": [
                "errors", "latency", "gone", "crash_loop", "not_ready", "smoke", "edge_silent", "order", "manual",
                "unproven", "learned",
            ]},
            "component": {"type": "string", "maxLength": 30},
            "reason": {"type": "string", "maxLength": REASON},
            "by": {"type": "string", "maxLength": BY},
        },
    })
}

/// Thousandths of a percent.
pub(super) fn share(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 0, "maximum": 100_000})
}

pub(super) fn release(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64", "minimum": 0})
}

pub(super) fn count(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64", "minimum": 0})
}

pub(super) fn step(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64", "minimum": 0})
}

/// An exit status of `teal`. Without the format that the type would give it, `uint8`, of which API servers warn: they do not know it.
pub(super) fn exit(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 0, "maximum": 8})
}

pub(super) fn replicas(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "minimum": 1, "maximum": 65_535})
}

/// By component.
pub(super) fn full(generator: &mut SchemaGenerator) -> Schema {
    let full = generator.subschema_for::<super::kept::Full>();
    json_schema!({"type": "object", "maxProperties": 16, "additionalProperties": full})
}

/// Milliseconds by component and colour.
pub(super) fn ready_in(_: &mut SchemaGenerator) -> Schema {
    let millis = json_schema!({"type": "integer", "format": "int64", "minimum": 0});
    json_schema!({"type": "object", "maxProperties": 64, "additionalProperties": millis})
}

pub(super) fn salt(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$", "maxLength": 64})
}

pub(super) fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "maxLength": 63})
}

pub(super) fn component(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9-]{0,29}$", "maxLength": 30})
}

/// An image tag or digest.
pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "maxLength": 256})
}

pub(super) fn versions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 16, "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 256},
    })
}

/// Names of edges or components, each once, in no order.
pub(super) fn names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1, "maxLength": 63},
        "x-kubernetes-list-type": "set",
    })
}

/// `api-green`: one for each component and colour.
pub(super) fn colours(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 32, "items": {"type": "string", "minLength": 1, "maxLength": 63},
        "x-kubernetes-list-type": "atomic",
    })
}

/// Absent or whole: a null would be there for the rules.
pub(super) fn intent(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<super::Intent>()
}

/// As [`intent`].
pub(super) fn state(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<super::State>()
}

pub(super) fn components(generator: &mut SchemaGenerator) -> Schema {
    by_name(&generator.subschema_for::<super::Component>())
}

pub(super) fn seen(generator: &mut SchemaGenerator) -> Schema {
    by_name(&generator.subschema_for::<super::SeenByEdge>())
}

pub(super) fn evidence(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<super::Evidence>();
    json_schema!({
        "type": "array", "maxItems": 32, "items": item,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["component", "colour"],
    })
}

pub(super) fn conditions(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<super::Condition>();
    json_schema!({
        "type": "array", "maxItems": 16, "items": item,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
    })
}

fn by_name(item: &Schema) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 16, "items": item,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
    })
}
