//! PUT and PATCH, of the object and of its status.

use serde_json::Value;

use super::super::kinds::Trait;
use super::super::patch::apply::{self, Applied};
use super::super::patch::{Format, patched};
use super::super::refusal::{Cause, Refusal};
use super::super::value::{map, meta};
use super::commit::{Ownership, check_version, shape};
use super::{Call, Objects, Reply, placed};

impl Objects {
    /// Replaces the object, or its status.
    pub(in super::super) fn put(&mut self, call: &Call) -> Result<Reply, Refusal> {
        if call.subresource == "scale" {
            return self.put_scale(call);
        }
        let kind = &call.kind;
        let new = placed(call, call.body.clone())?;
        let owner = self.owner(call, "Update");
        let Some(old) = self.store.get(&call.key()) else {
            if kind.has(Trait::CreateOnUpdate) && meta(&new, "resourceVersion").is_empty() {
                return self.insert(call, new, Ownership::Changed(owner)).map(|object| (201, object));
            }
            return Err(Refusal::not_found(kind, &call.name));
        };
        if meta(&new, "resourceVersion").is_empty() && !kind.has(Trait::Unconditional) {
            let why = "must be specified for an update";
            let cause = Cause::invalid("metadata.resourceVersion", &Value::from(0), why);
            return Err(Refusal::invalid(kind, &call.name, &[cause]));
        }
        check_version(kind, &old, &new)?;
        self.replace(call, &old, new, Ownership::Changed(owner)).map(|object| (200, object))
    }

    /// Changes a part of the object, of its status or of its scale.
    pub(in super::super) fn patch(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let Some(format) = call.format else { return Err(Refusal::unsupported_media("")) };
        if call.subresource == "scale" {
            return self.patch_scale(call, format);
        }
        if format == Format::Apply {
            return self.apply(call);
        }
        let old = self.existing(call)?;
        let new = placed(call, patched(format, &old, &call.body)?)?;
        check_version(&call.kind, &old, &new)?;
        let owner = self.owner(call, "Update");
        self.replace(call, &old, new, Ownership::Changed(owner)).map(|object| (200, object))
    }

    fn apply(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let kind = &call.kind;
        if call.query.get("fieldManager").is_empty() {
            let cause = Cause {
                message: "Required value: is required for apply patch".to_owned(),
                ..Cause::required("fieldManager")
            };
            return Err(Refusal::invalid(kind, &call.name, &[cause]));
        }
        let mut sent = placed(call, call.body.clone())?;
        apply::check(&sent)?;
        // Each side of the object is owned through its own door.
        if call.subresource == "status" {
            map(&mut sent).retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
            if let Some(Value::Object(metadata)) = sent.get_mut("metadata") {
                metadata.retain(|name, _| matches!(name.as_str(), "name" | "namespace" | "uid" | "resourceVersion"));
            }
        } else if kind.has(Trait::Status) {
            map(&mut sent).remove("status");
        }
        let owner = self.owner(call, "Apply");
        let force = call.query.is_true("force");
        let Some(old) = self.store.get(&call.key()) else {
            if call.subresource == "status" {
                return Err(Refusal::not_found(kind, &call.name));
            }
            if !meta(&sent, "uid").is_empty() || !meta(&sent, "resourceVersion").is_empty() {
                return Err(Refusal::conflict(kind, &call.name, "StorageError: the object is not there"));
            }
            let Applied { object, owners } = apply::apply(&Value::Null, &sent, owner, force, shape(kind))?;
            return self.insert(call, object, Ownership::Settled(owners)).map(|object| (201, object));
        };
        check_version(kind, &old, &sent)?;
        let Applied { object, owners } = apply::apply(&old, &sent, owner, force, shape(kind))?;
        self.replace(call, &old, object, Ownership::Settled(owners)).map(|object| (200, object))
    }
}
