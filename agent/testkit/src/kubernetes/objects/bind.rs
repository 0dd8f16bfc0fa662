//! The binding subresource: a Pod gets its node, once.

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::value::{list, meta, text};
use super::{Call, Objects, Reply};

impl Objects {
    /// Puts the Pod that the call names on the node that the body names.
    pub(in super::super) fn bind(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let mut pod = (*self.existing(call)?).clone();
        if !pod["spec"]["nodeName"].is_null() {
            let why = format!("pod {} is already assigned to node {}", meta(&pod, "name"), pod["spec"]["nodeName"]);
            return Err(Refusal::conflict(&call.kind, &call.name, &why));
        }
        let node = text(&call.body["target"]["name"]);
        if node.is_empty() {
            return Err(Refusal::bad_request("target.name: Required value"));
        }
        pod["spec"]["nodeName"] = json!(node);
        let mut conditions = list(&pod["status"]["conditions"]).to_vec();
        conditions.retain(|condition| condition["type"] != "PodScheduled");
        conditions.push(json!({"type": "PodScheduled", "status": "True", "lastTransitionTime": self.clock.now()}));
        pod["status"]["conditions"] = Value::Array(conditions);
        self.store.put(call.key(), pod);
        Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
    }
}
