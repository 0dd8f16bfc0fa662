//! EndpointSlices of Services, and what budgets allow.

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::super::selector::Selector;
use super::World;
use super::pod::is_ready;

impl World<'_> {
    /// One slice for each Service with a selector.
    pub(super) async fn endpoints(&mut self) -> bool {
        let mut changed = false;
        let pods = self.list::<Pod>("").await;
        let slices = self.list::<EndpointSlice>("").await;
        for service in self.list::<Service>("").await {
            let Some(labels) = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()) else { continue };
            let selector = Selector::with_labels(&json!(labels));
            let chosen = pods.iter().filter(|pod| has(pod, &selector)).filter_map(endpoint);
            let ports: Vec<Value> = service
                .spec
                .iter()
                .flat_map(|spec| spec.ports.iter().flatten())
                .map(|port| json!({"name": port.name, "port": port.port, "protocol": port.protocol}))
                .collect();
            let fields = json!({"endpoints": chosen.collect::<Vec<_>>(), "ports": ports});
            let name = format!("{}-world", service.name_any());
            if let Some(slice) = slices.iter().find(|slice| slice.name_any() == name) {
                changed |= self.set(slice, fields).await;
                continue;
            }
            let mut slice = fields;
            slice["addressType"] = json!("IPv4");
            slice["metadata"] = json!({
                "name": name, "labels": {"kubernetes.io/service-name": service.name_any()},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": service.name_any(),
                    "uid": service.uid(), "controller": true}],
            });
            let slice: EndpointSlice = serde_json::from_value(slice).unwrap_or_default();
            let made = self.api::<EndpointSlice>().create(&PostParams::default(), &slice).await;
            made.unwrap_or_else(|error| panic!("cannot make the EndpointSlice {name}: {error}"));
            changed = true;
        }
        changed
    }

    /// How many Pods each budget lets go now.
    pub(super) async fn budgets(&mut self) -> bool {
        let mut changed = false;
        let pods = self.list::<Pod>("").await;
        for budget in self.list::<PodDisruptionBudget>("").await {
            let Some(spec) = &budget.spec else { continue };
            let Some(selector) = Selector::of(&json!(spec.selector)) else { continue };
            let own: Vec<&Pod> = pods.iter().filter(|pod| has(pod, &selector)).collect();
            let expected = i32::try_from(own.len()).unwrap_or(i32::MAX);
            let healthy = i32::try_from(own.iter().filter(|pod| is_ready(pod)).count()).unwrap_or(i32::MAX);
            let of = |limit: &IntOrString| match limit {
                IntOrString::Int(count) => *count,
                IntOrString::String(text) => {
                    (expected * text.trim_end_matches('%').parse::<i32>().unwrap_or_default() + 99) / 100
                }
            };
            let desired = match (&spec.max_unavailable, &spec.min_available) {
                (Some(most), _) => (expected - of(most)).max(0),
                (None, Some(least)) => of(least),
                (None, None) => 0,
            };
            let status = json!({
                "observedGeneration": budget.metadata.generation, "expectedPods": expected, "currentHealthy": healthy,
                "desiredHealthy": desired, "disruptionsAllowed": (healthy - desired).max(0),
                "disruptedPods": null,
            });
            changed |= self.set_status(&budget, status).await;
        }
        changed
    }
}

fn has(pod: &Pod, selector: &Selector) -> bool {
    selector.matches(&json!({"metadata": {"labels": pod.labels()}}))
}

fn endpoint(pod: &Pod) -> Option<Value> {
    let address = pod.status.as_ref()?.pod_ip.clone()?;
    let is_leaving = pod.metadata.deletion_timestamp.is_some();
    Some(json!({
        "addresses": [address], "nodeName": pod.spec.as_ref()?.node_name,
        "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": is_leaving},
        "targetRef": {"kind": "Pod", "name": pod.name_any(), "namespace": pod.namespace(), "uid": pod.uid()},
    }))
}
