//! DELETE of one object and of a collection: preconditions, finalizers, grace.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::kinds::{Kind, Trait};
use super::super::refusal::Refusal;
use super::super::store::Key;
use super::super::value::{list, meta, set_meta, text};
use super::commit::check_version;
use super::{Call, Objects, Reply};

impl Objects {
    /// Deletes an object, or begins to where something holds it.
    pub(in super::super) fn delete(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let old = self.existing(call)?;
        let (kind, key) = (call.kind.clone(), call.key());
        check_version(&kind, &old, &json!({"metadata": call.body["preconditions"]}))?;
        if call.is_dry_run() {
            return Ok((200, (*old).clone()));
        }
        let said =
            call.body["gracePeriodSeconds"].as_i64().or_else(|| call.query.get("gracePeriodSeconds").parse().ok());
        let policy = match text(&call.body["propagationPolicy"]) {
            "" => call.query.get("propagationPolicy"),
            policy => policy,
        };
        let (is_gone, object) = self.begin(&kind, &key, &old, said, policy);
        if is_gone && !kind.has(Trait::ReturnsDeleted) {
            let details =
                json!({"name": call.name, "group": kind.group, "kind": kind.plural, "uid": meta(&old, "uid")});
            let done = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            });
            return Ok((200, done));
        }
        Ok((200, object))
    }

    /// Deletes every object that the selectors choose.
    pub(in super::super) fn delete_all(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let chosen = self.list(&Call { query: call.query.clone(), ..call.clone() })?;
        for item in list(&chosen.1["items"]) {
            let namespace = Some(meta(item, "namespace").to_owned()).filter(|namespace| !namespace.is_empty());
            let one = Call { namespace, name: meta(item, "name").to_owned(), ..call.clone() };
            self.delete(&one)?;
        }
        Ok(chosen)
    }

    /// Marks the object as leaving, and lets it go at once where nothing holds it. Whether it is gone.
    fn begin(&mut self, kind: &Arc<Kind>, key: &Key, old: &Value, said: Option<i64>, policy: &str) -> (bool, Value) {
        let mut object = old.clone();
        let is_leaving = !old["metadata"]["deletionTimestamp"].is_null();
        let grace = grace(kind, old, said);
        let was = old["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
        let mut finalizers = list(&old["metadata"]["finalizers"]).to_vec();
        let added = match policy {
            "Foreground" => Some("foregroundDeletion"),
            "Orphan" => Some("orphan"),
            _ => None,
        };
        if let Some(added) = added.filter(|added| !is_leaving && !finalizers.contains(&json!(added))) {
            finalizers.push(json!(added));
            set_meta(&mut object, "finalizers", json!(finalizers));
        }
        // It leaves already: a second delete can only shorten its time.
        let is_held = !finalizers.is_empty() && was == 0;
        if is_leaving && (is_held || (was > 0 && grace >= was)) {
            return (false, object);
        }
        if finalizers.is_empty() && grace == 0 {
            let last = (*self.store.remove(key, object)).clone();
            self.after_removal(kind, &last);
            return (true, last);
        }
        set_meta(&mut object, "deletionTimestamp", json!(self.clock.after(grace)));
        set_meta(&mut object, "deletionGracePeriodSeconds", json!(grace));
        if kind.has(Trait::Generation) {
            let generation = old["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
            set_meta(&mut object, "generation", json!(generation));
        }
        (false, self.keep(kind, key.clone(), object))
    }

    /// With a namespace goes what is in it; with a definition what it defined.
    fn after_removal(&mut self, kind: &Kind, object: &Value) {
        let doomed: Vec<Key> = match kind.kind.as_str() {
            "Namespace" => self.store.keys_in(meta(object, "name")),
            "CustomResourceDefinition" => {
                self.reread_kinds();
                let resource = meta(object, "name");
                self.store.all(resource, None).map(|(key, _)| key.clone()).collect()
            }
            _ => return,
        };
        for key in doomed {
            if let Some(object) = self.store.get(&key) {
                self.store.remove(&key, (*object).clone());
            }
        }
    }
}

/// Seconds until a Pod that runs on a node is gone; everything else goes at once.
fn grace(kind: &Kind, object: &Value, said: Option<i64>) -> i64 {
    let is_ended = matches!(text(&object["status"]["phase"]), "Succeeded" | "Failed");
    if kind.kind != "Pod" || object["spec"]["nodeName"].is_null() || is_ended {
        return 0;
    }
    said.or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30)
}
