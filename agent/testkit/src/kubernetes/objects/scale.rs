//! The scale subresource: the replicas of a Deployment or ReplicaSet, alone.

use serde_json::{Value, json};

use super::super::patch::{Format, patched};
use super::super::refusal::Refusal;
use super::super::value::{meta, text};
use super::commit::{Ownership, check_version};
use super::{Call, Objects, Reply};

/// The scale of `object`.
pub(super) fn of(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let pairs: Vec<String> =
        labels.into_iter().flatten().map(|(name, value)| format!("{name}={}", text(value))).collect();
    json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or_default(), "selector": pairs.join(",")},
    })
}

impl Objects {
    pub(super) fn put_scale(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let old = self.existing(call)?;
        self.set_scale(call, &old, &call.body)
    }

    pub(super) fn patch_scale(&mut self, call: &Call, format: Format) -> Result<Reply, Refusal> {
        let old = self.existing(call)?;
        let scale = patched(format, &of(&old), &call.body)?;
        self.set_scale(call, &old, &scale)
    }

    fn set_scale(&mut self, call: &Call, old: &Value, scale: &Value) -> Result<Reply, Refusal> {
        check_version(&call.kind, old, scale)?;
        if meta(scale, "name") != call.name {
            return Err(Refusal::bad_request("the name of the scale does not match the name on the URL"));
        }
        let mut new = old.clone();
        // A scale without replicas means none.
        new["spec"]["replicas"] = json!(scale["spec"]["replicas"].as_i64().unwrap_or_default());
        let owner = self.owner(call, "Update");
        let new = self.replace(call, old, new, Ownership::Changed(owner))?;
        Ok((200, of(&new)))
    }
}
