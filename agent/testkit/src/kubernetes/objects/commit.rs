//! The last steps of every write: what the server keeps itself, owners, generation, and whether anything changed at all.

use serde_json::{Value, json};

use super::super::fields::shape::Shape;
use super::super::fields::{self, Owner};
use super::super::kinds::{Kind, Trait};
use super::super::refusal::Refusal;
use super::super::store::Key;
use super::super::value::{list, map, meta, set_meta};
use super::{Call, Objects};

/// How the owners of the fields come about.
pub(super) enum Ownership {
    /// The manager owns what it changed.
    Changed(Owner),
    /// As an apply worked out.
    Settled(Vec<Owner>),
}

/// Metadata that a write cannot change.
const KEPT: [&str; 7] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "generateName",
];

/// The rules by which lists and maps of this kind are merged.
pub(super) fn shape(kind: &Kind) -> Shape<'_> {
    kind.schema.as_deref().map_or(Shape::BuiltIn(""), Shape::Custom)
}

impl Objects {
    /// The owner that this call makes.
    pub(super) fn owner(&self, call: &Call, operation: &'static str) -> Owner {
        Owner {
            manager: call.manager.clone(),
            operation,
            subresource: call.subresource.clone(),
            version: call.kind.api_version(),
            time: self.clock.now(),
            set: fields::path::Set::new(),
        }
    }

    /// Replaces `old` by `new`, and answers with what there is then.
    pub(super) fn replace(
        &mut self,
        call: &Call,
        old: &Value,
        mut new: Value,
        ownership: Ownership,
    ) -> Result<Value, Refusal> {
        let kind = &call.kind;
        let resets_owners = new["metadata"]["managedFields"].as_array().is_some_and(Vec::is_empty);
        for field in KEPT {
            set_meta(&mut new, field, old["metadata"][field].clone());
        }
        // A write to one side leaves the other alone.
        if call.subresource == "status" {
            let status = new["status"].clone();
            new = old.clone();
            put_or_remove(&mut new, "status", status);
        } else if kind.has(Trait::Status) {
            put_or_remove(&mut new, "status", old["status"].clone());
        }
        let mut new = self.admit(kind, new, Some(old))?;
        let owners = match ownership {
            Ownership::Settled(owners) => owners,
            Ownership::Changed(_) if resets_owners => vec![],
            Ownership::Changed(owner) => fields::after_update(fields::owners(old), owner, old, &new, shape(kind)),
        };
        set_meta(&mut new, "managedFields", fields::written(owners));
        if call.subresource != "status" && kind.has(Trait::Generation) && is_new_generation(kind, old, &new) {
            let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
            set_meta(&mut new, "generation", json!(generation));
        }
        if new == *old || call.is_dry_run() {
            return Ok(new);
        }
        Ok(self.keep(kind, call.key(), new))
    }

    /// Keeps `object`, unless it was on its way out and nothing holds it any more.
    pub(super) fn keep(&mut self, kind: &Kind, key: Key, object: Value) -> Value {
        let is_leaving = !object["metadata"]["deletionTimestamp"].is_null();
        let is_held = !list(&object["metadata"]["finalizers"]).is_empty()
            || object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or_default() > 0;
        let kept = if is_leaving && !is_held { self.store.remove(&key, object) } else { self.store.put(key, object) };
        if kind.kind == "CustomResourceDefinition" {
            self.reread_kinds();
        }
        (*kept).clone()
    }
}

fn put_or_remove(object: &mut Value, field: &str, value: Value) {
    if value.is_null() {
        map(object).remove(field);
    } else {
        object[field] = value;
    }
}

/// Whether what is wanted has changed; a Deployment counts its annotations as such.
fn is_new_generation(kind: &Kind, old: &Value, new: &Value) -> bool {
    if kind.kind == "Deployment" && old["metadata"]["annotations"] != new["metadata"]["annotations"] {
        return true;
    }
    if !kind.is_custom() {
        return old["spec"] != new["spec"];
    }
    let wanted = |object: &Value| {
        let mut object = object.clone();
        let fields = map(&mut object);
        fields.remove("metadata");
        if kind.has(Trait::Status) {
            fields.remove("status");
        }
        object
    };
    wanted(old) != wanted(new)
}

/// Refuses a write that was made for another version or another object of that name.
pub(super) fn check_version(kind: &Kind, old: &Value, new: &Value) -> Result<(), Refusal> {
    let name = meta(old, "name");
    let (uid, wanted) = (meta(old, "uid"), meta(new, "uid"));
    if !wanted.is_empty() && uid != wanted {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}");
        return Err(Refusal::conflict(kind, name, &why));
    }
    let wanted = meta(new, "resourceVersion");
    if !wanted.is_empty() && wanted != meta(old, "resourceVersion") {
        return Err(Refusal::modified(kind, name));
    }
    Ok(())
}
