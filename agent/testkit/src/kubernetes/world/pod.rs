//! Scheduler and nodes: a Pod gets a node and then what its fate says.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use super::{Fate, World, condition, conditions, is_of, now};

/// Whether traffic may go to it.
pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// Whether a set that is to have Pods has too few that are ready. One that is deleted itself gets no more.
fn is_short(set: &ReplicaSet, pods: &[Pod]) -> bool {
    if set.metadata.deletion_timestamp.is_some() {
        return false;
    }
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = pods.iter().filter(|pod| is_of(&pod.metadata, &set.metadata) && is_ready(pod)).count();
    usize::try_from(wanted).is_ok_and(|wanted| ready < wanted)
}

fn has_started(pod: &Pod) -> bool {
    pod.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Running"))
}

impl World<'_> {
    /// Lets go what has ended, and brings every other Pod to its fate.
    pub(super) async fn pods(&mut self) -> bool {
        let mut changed = false;
        let sets = self.list::<ReplicaSet>("").await;
        let pods = self.list::<Pod>("").await;
        for pod in pods.clone() {
            let name = pod.name_any();
            let set = sets.iter().find(|set| is_of(&pod.metadata, &set.metadata));
            if pod.metadata.deletion_timestamp.is_some() {
                // Its grace is long enough for whatever takes its place.
                if set.is_some_and(|set| is_short(set, &pods) && self.fate_of(set, &sets) == Some(Fate::Ready)) {
                    continue;
                }
                // Its containers have ended: the node says so.
                let last = self.api::<Pod>().delete(&name, &DeleteParams::default().grace_period(0)).await;
                last.unwrap_or_else(|error| panic!("cannot let Pod {name} go: {error}"));
                changed = true;
                continue;
            }
            let Some(fate) = set.map_or(Some(Fate::Ready), |set| self.fate_of(set, &sets)) else { continue };
            if has_started(&pod) && !fate.strikes_what_runs() {
                continue;
            }
            let is_placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
            match (&fate, is_placed) {
                (Fate::Unschedulable(reason), false) => {
                    let old = conditions(&pod.status);
                    let unplaced = condition(&old, "PodScheduled", false, "Unschedulable", reason, &now());
                    changed |= self.set_status(&pod, json!({"phase": "Pending", "conditions": [unplaced]})).await;
                }
                (_, false) => {
                    self.place(&pod).await;
                    changed = true;
                }
                (fate, true) => changed |= self.live(&pod, fate).await,
            }
        }
        changed
    }

    async fn place(&mut self, pod: &Pod) {
        let at = usize::from(self.addresses) % self.nodes.len().max(1);
        let node = self.nodes.get(at).unwrap_or_else(|| panic!("no node is left for {}", pod.name_any()));
        self.addresses = self.addresses.wrapping_add(1);
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod.name_any()},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        });
        let (api, name, params) = (self.api::<Pod>(), pod.name_any(), PostParams::default());
        let bound = api.create_subresource::<Value, Value>("binding", &name, &params, &binding);
        bound.await.unwrap_or_else(|error| panic!("cannot bind Pod {}: {error}", pod.name_any()));
    }

    async fn live(&mut self, pod: &Pod, fate: &Fate) -> bool {
        let name = pod.name_any();
        let containers = pod.spec.as_ref().map(|spec| spec.containers.clone()).unwrap_or_default();
        let is_ready = *fate == Fate::Ready;
        let has_started = matches!(fate, Fate::Ready | Fate::ProbeFails(_) | Fate::CrashLoop { .. });
        let mut restarts = 0;
        if let Fate::CrashLoop { restarts: count, log } = fate {
            restarts = *count;
            for (server, container) in
                self.server.iter().flat_map(|server| containers.iter().map(move |it| (server, it)))
            {
                server.set_log(&self.namespace, &name, &container.name, true, log);
                server.set_log(&self.namespace, &name, &container.name, false, log);
            }
        }
        let started = pod.creation_timestamp().map_or_else(|| json!(null), |time| json!(time));
        let status = |container: &k8s_openapi::api::core::v1::Container| {
            let image = container.image.clone().unwrap_or_default();
            let (state, last) = states(fate, &container.name, &image, &started);
            json!({
                "name": container.name, "image": image, "imageID": "", "ready": is_ready, "started": is_ready,
                "restartCount": restarts, "state": state, "lastState": last,
            })
        };
        let (old, now) = (conditions(&pod.status), now());
        let (reason, message) =
            if is_ready { ("", "") } else { ("ContainersNotReady", "containers with unready status: [all]") };
        let all = json!([
            condition(&old, "PodScheduled", true, "", "", &now),
            condition(&old, "Initialized", true, "", "", &now),
            condition(&old, "ContainersReady", is_ready, reason, message, &now),
            condition(&old, "Ready", is_ready, reason, message, &now),
        ]);
        let known = pod.status.as_ref().and_then(|status| status.pod_ip.clone());
        let address = known.unwrap_or_else(|| {
            self.addresses = self.addresses.wrapping_add(1);
            format!("10.244.1.{}", self.addresses)
        });
        let statuses: Vec<Value> = containers.iter().map(status).collect();
        let mut status = json!({
            "phase": if has_started { "Running" } else { "Pending" }, "conditions": all, "containerStatuses": statuses,
            "hostIP": "10.0.0.1", "startTime": started,
        });
        if has_started {
            status["podIP"] = json!(address);
            status["podIPs"] = json!([{"ip": address}]);
        }
        self.set_status(pod, status).await
    }
}

/// The state of a container now, and how it ended last; null for what it has not. A merge needs nulls for the other states.
fn states(fate: &Fate, name: &str, image: &str, since: &Value) -> (Value, Value) {
    let waiting = |reason: &str, message: String| json!({"waiting": {"reason": reason, "message": message}});
    match fate {
        Fate::Ready | Fate::ProbeFails(_) => (json!({"running": {"startedAt": since}}), json!({})),
        Fate::ImagePull => (waiting("ImagePullBackOff", format!("Back-off pulling image \"{image}\"")), json!({})),
        Fate::CrashLoop { .. } => {
            let message = format!("back-off 5m0s restarting failed container={name}");
            let ended = json!({"exitCode": 1, "reason": "Error", "startedAt": since, "finishedAt": since});
            (waiting("CrashLoopBackOff", message), json!({"terminated": ended}))
        }
        Fate::Starting | Fate::Unschedulable(_) | Fate::Quota(_) => {
            (json!({"waiting": {"reason": "ContainerCreating"}}), json!({}))
        }
    }
}
