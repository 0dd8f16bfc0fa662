//! What every write passes before it is kept: defaults, types, validation.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::kinds::{Kind, Trait};
use super::super::refusal::Refusal;
use super::super::value::{map, meta};
use super::super::{builtin, schema};
use super::Objects;

impl Objects {
    /// `object` as the server keeps it, or what is wrong with it; `old` is what it replaces.
    pub(super) fn admit(&mut self, kind: &Kind, object: Value, old: Option<&Value>) -> Result<Value, Refusal> {
        let mut object = object;
        let causes = if let Some(schema) = &kind.schema {
            schema::normalise(&mut object, schema);
            schema::wrong(&object, old, schema)
        } else {
            builtin::defaults(kind, &mut object);
            object = builtin::typed(kind, &object)?;
            self.allot(kind, &mut object, old);
            builtin::wrong(kind, &object, old)
        };
        if causes.is_empty() { Ok(object) } else { Err(Refusal::invalid(kind, meta(&object, "name"), &causes)) }
    }

    /// Addresses and ports of a Service.
    fn allot(&mut self, kind: &Kind, object: &mut Value, old: Option<&Value>) {
        if kind.kind != "Service" || object["spec"]["type"] == "ExternalName" {
            return;
        }
        if object["spec"]["clusterIP"].is_null() {
            let kept = old.map(|old| old["spec"]["clusterIP"].clone()).filter(|address| !address.is_null());
            let address = kept.unwrap_or_else(|| {
                let n = self.next();
                json!(format!("10.96.{}.{}", n / 250 % 250, n % 250 + 1))
            });
            object["spec"]["clusterIPs"] = json!([address]);
            object["spec"]["clusterIP"] = address;
        }
        if object["spec"]["type"] != "NodePort" {
            return;
        }
        for at in 0..object["spec"]["ports"].as_array().map_or(0, Vec::len) {
            if object["spec"]["ports"][at]["nodePort"].is_null() {
                let kept = old.map(|old| old["spec"]["ports"][at]["nodePort"].clone()).filter(|port| !port.is_null());
                let port = kept.unwrap_or_else(|| json!(30_000 + self.next() % 2_767));
                object["spec"]["ports"][at]["nodePort"] = port;
            }
        }
    }
}

/// What the status is before any controller has seen the object.
pub(super) fn first_status(kind: &Arc<Kind>, object: &mut Value, now: &str) {
    if !kind.has(Trait::Status) {
        return;
    }
    map(object).remove("status");
    let status = match kind.kind.as_str() {
        "Pod" => json!({"phase": "Pending", "qosClass": "BestEffort"}),
        "Namespace" => json!({"phase": "Active"}),
        "Service" => json!({"loadBalancer": {}}),
        "ReplicaSet" => json!({"replicas": 0}),
        "Deployment" | "Node" | "Job" => json!({}),
        "CustomResourceDefinition" => {
            let condition = |name: &str, reason: &str| json!({"type": name, "status": "True", "reason": reason, "message": "", "lastTransitionTime": now});
            json!({
                "acceptedNames": object["spec"]["names"],
                "conditions": [condition("NamesAccepted", "NoConflicts"), condition("Established", "InitialNamesAccepted")],
                "storedVersions": [object["spec"]["versions"][0]["name"]],
            })
        }
        _ => return,
    };
    object["status"] = status;
}
