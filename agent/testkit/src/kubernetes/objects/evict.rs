//! The eviction subresource: a delete that a PodDisruptionBudget may refuse.

use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::value::{meta, text};
use super::{Call, Objects, Reply};

impl Objects {
    /// Evicts the Pod that the call names.
    pub(in super::super) fn evict(&mut self, call: &Call) -> Result<Reply, Refusal> {
        let pod = self.existing(call)?;
        let namespace = call.namespace.as_deref();
        let budgets = self.store.all("poddisruptionbudgets.policy", namespace);
        let holding = budgets.map(|(_, budget)| budget).find(|budget| {
            selects(&budget["spec"]["selector"]["matchLabels"], &pod)
                && budget["status"]["disruptionsAllowed"].as_i64().unwrap_or_default() <= 0
        });
        if let Some(budget) = holding {
            return Err(Refusal::disruption_budget(meta(budget, "name")));
        }
        let options = call.body["deleteOptions"].clone();
        self.delete(&Call { subresource: String::new(), body: options, ..call.clone() })?;
        Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
    }
}

/// Whether the pod has all of these labels.
fn selects(labels: &Value, pod: &Value) -> bool {
    let has = |(name, value): (&String, &Value)| text(&pod["metadata"]["labels"][name]) == text(value);
    labels.as_object().is_some_and(|labels| labels.iter().all(has))
}
