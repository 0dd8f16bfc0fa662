//! The eviction subresource: a delete that a PodDisruptionBudget may refuse, and that uses some of it up.

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::selector::Selector;
use super::super::store::Key;
use super::super::value::{list, meta, text};
use super::{Call, Objects, Reply};

impl Objects {
    /// Evicts the Pod that the call names.
    pub(in super::super) fn evict(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let pod = self.existing(call)?;
        if counts(&pod) {
            self.use_budget(call, &pod)?;
        }
        let options = call.body["deleteOptions"].clone();
        self.delete(&Call { subresource: String::new(), body: options, ..call.clone() })?;
        Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
    }

    /// One disruption less until the controller counts anew, so that two evictions in a row cannot use the same one.
    fn use_budget(&mut self, call: &Call, pod: &Value) -> Result<(), Refusal> {
        let all = self.store.all("poddisruptionbudgets.policy", call.namespace.as_deref());
        let chosen =
            all.filter(|(_, budget)| Selector::of(&budget["spec"]["selector"]).is_some_and(|it| it.matches(pod)));
        let mut chosen: Vec<(Key, Value)> = chosen.map(|(key, budget)| (key.clone(), (**budget).clone())).collect();
        let Some((key, mut budget)) = chosen.pop() else { return Ok(()) };
        if !chosen.is_empty() {
            let message =
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Refusal::internal(message));
        }
        let number = |field: &str| budget["status"][field].as_i64().unwrap_or_default();
        // What serves nobody may go without asking, as long as enough others do.
        if !is_ready(pod) && number("desiredHealthy") > 0 && number("currentHealthy") >= number("desiredHealthy") {
            return Ok(());
        }
        let allowed = number("disruptionsAllowed");
        let is_counted = number("observedGeneration") >= budget["metadata"]["generation"].as_i64().unwrap_or_default();
        if allowed <= 0 || !is_counted {
            return Err(Refusal::disruption_budget(meta(&budget, "name")));
        }
        if !call.is_dry_run() {
            budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
            budget["status"]["disruptedPods"][&call.name] = json!(self.clock.now());
            self.store.put(key, budget);
        }
        Ok(())
    }
}

/// Whether a budget is asked about it at all: not for what has not begun, has ended, or leaves already.
fn counts(pod: &Value) -> bool {
    let phase = text(&pod["status"]["phase"]);
    pod["metadata"]["deletionTimestamp"].is_null() && !matches!(phase, "Pending" | "Succeeded" | "Failed")
}

fn is_ready(pod: &Value) -> bool {
    list(&pod["status"]["conditions"]).iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}
