//! What a Pod asks for of a node and of a quota.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity::thousandths;

/// By resource, in thousandths.
pub(super) type Amounts = BTreeMap<String, i128>;

/// What one Pod has to be given, and what it may take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) requests: Amounts,
    pub(super) limits: Amounts,
}

impl Demand {
    pub(super) fn of(spec: &PodSpec) -> Self {
        let (mut requests, mut limits) = (pod(spec, requests), pod(spec, |of| read(of.limits.as_ref())));
        let overhead = read(spec.overhead.as_ref());
        add(&mut requests, &overhead);
        // What has no limit gets none by this.
        limits.iter_mut().for_each(|(key, limit)| *limit += overhead.get(key).copied().unwrap_or(0));
        Self { requests, limits }
    }

    /// How much of a quota's resource it uses; 0 of what Pods do not use.
    pub(super) fn of_quota(&self, resource: &str) -> i128 {
        let amount = |of: &Amounts, key: &str| of.get(key).copied().unwrap_or(0);
        match resource {
            "pods" | "count/pods" => 1000,
            // Of claims, not of Pods.
            "requests.storage" => 0,
            "cpu" | "memory" | "ephemeral-storage" => amount(&self.requests, resource),
            _ => match resource.split_once('.') {
                Some(("requests", key)) => amount(&self.requests, key),
                Some(("limits", key)) => amount(&self.limits, key),
                _ => 0,
            },
        }
    }
}

pub(super) fn read(amounts: Option<&BTreeMap<String, Quantity>>) -> Amounts {
    let all = amounts.into_iter().flatten();
    all.filter_map(|(key, quantity)| Some((key.clone(), thousandths(&quantity.0)?))).collect()
}

/// A limit is a request where no other is named.
fn requests(of: &ResourceRequirements) -> Amounts {
    let mut all = read(of.limits.as_ref());
    all.extend(read(of.requests.as_ref()));
    all
}

/// All containers together with the sidecars, or the greediest moment before they start; what the Pod itself says goes first.
fn pod(spec: &PodSpec, of: fn(&ResourceRequirements) -> Amounts) -> Amounts {
    let of_container = |container: &Container| container.resources.as_ref().map(of).unwrap_or_default();
    let (mut beside, mut peak) = (Amounts::new(), Amounts::new());
    for container in spec.init_containers.iter().flatten() {
        let mut now = beside.clone();
        add(&mut now, &of_container(container));
        if container.restart_policy.as_deref() == Some("Always") {
            beside.clone_from(&now);
        }
        most(&mut peak, now);
    }
    for container in &spec.containers {
        add(&mut beside, &of_container(container));
    }
    most(&mut beside, peak);
    beside.extend(spec.resources.as_ref().map(of).unwrap_or_default());
    beside
}

pub(super) fn add(sum: &mut Amounts, more: &Amounts) {
    for (key, amount) in more {
        *sum.entry(key.clone()).or_default() += amount;
    }
}

fn most(of: &mut Amounts, other: Amounts) {
    for (key, amount) in other {
        let known = of.entry(key).or_default();
        *known = amount.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_pod_asks_for_its_containers_together_or_for_its_greediest_beginning() {
        let check = |spec: Value, cpu: &str, memory: &str, limit: &str| {
            let demand = Demand::of(&serde_json::from_value(spec.clone()).unwrap());
            let all = ["cpu", "requests.memory", "limits.cpu"].map(|key| demand.of_quota(key));
            assert_eq!(all, [cpu, memory, limit].map(|text| thousandths(text).unwrap()), "{spec}");
            assert_eq!((demand.of_quota("pods"), demand.of_quota("requests.storage")), (1000, 0));
        };
        let with = |name: &str, requests: Value, limits: Value| json!({"name": name, "resources": {"requests": requests, "limits": limits}});
        let (none, app) = (json!({}), with("app", json!({"cpu": "500m", "memory": "256Mi"}), json!({"cpu": "1"})));
        check(json!({"containers": [app, with("b", json!({}), json!({"memory": "1Mi"}))]}), "500m", "257Mi", "1");
        let first = with("first", json!({"cpu": "2"}), none.clone());
        check(json!({"containers": [app], "initContainers": [first]}), "2", "256Mi", "1");
        let mut beside = with("beside", json!({"cpu": "100m"}), none);
        beside["restartPolicy"] = json!("Always");
        check(json!({"containers": [app], "initContainers": [beside, first]}), "2100m", "256Mi", "1");
        check(
            json!({"containers": [app], "initContainers": [beside], "overhead": {"cpu": "50m", "memory": "1Mi"}}),
            "650m",
            "257Mi",
            "1050m",
        );
        check(json!({"containers": [app], "resources": {"requests": {"cpu": "3"}}}), "3", "256Mi", "1");
        check(json!({"containers": [{"name": "bare"}]}), "0", "0", "0");
    }
}
