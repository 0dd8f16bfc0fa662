//! The deployment controller: one ReplicaSet a template, rolled over within surge and unavailability.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;
use kube::api::PostParams;
use serde_json::{Value, json};

use super::replica_set::{REVISION, revision};
use super::{World, condition, conditions, is_of, now};

/// The label by which a ReplicaSet and its Pods carry their template.
const HASH: &str = "pod-template-hash";

impl World<'_> {
    /// Makes the ReplicaSets that are missing and moves replicas between old and new ones.
    pub(super) async fn deployments(&mut self) -> bool {
        let mut changed = false;
        let sets = self.list::<ReplicaSet>("").await;
        for deployment in self.list::<Deployment>("").await {
            if deployment.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let own: Vec<&ReplicaSet> = sets.iter().filter(|set| is_of(&set.metadata, &deployment.metadata)).collect();
            let hash = hash(&deployment);
            let Some(new) = own.iter().find(|set| set.labels().get(HASH) == Some(&hash)) else {
                let newest = own.iter().map(|set| revision(set)).max().unwrap_or_default();
                self.create_set(&deployment, &hash, newest).await;
                changed = true;
                continue;
            };
            changed |= self.count_up(new, &own).await;
            changed |= if is_recreate(&deployment) {
                self.recreate(&deployment, new, &own).await
            } else {
                self.roll(&deployment, new, &own).await
            };
        }
        changed
    }

    async fn create_set(&self, deployment: &Deployment, hash: &str, newest: u64) {
        let spec = serde_json::to_value(&deployment.spec).unwrap_or_default();
        let mut template = spec["template"].clone();
        template["metadata"]["labels"][HASH] = json!(hash);
        let mut selector = spec["selector"].clone();
        selector["matchLabels"][HASH] = json!(hash);
        let set = json!({
            "metadata": {
                "name": format!("{}-{hash}", deployment.name_any()),
                "labels": template["metadata"]["labels"],
                "annotations": {REVISION: (newest + 1).to_string()},
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name_any(),
                    "uid": deployment.uid(), "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        });
        let set: ReplicaSet = serde_json::from_value(set).unwrap_or_default();
        let made = self.api::<ReplicaSet>().create(&PostParams::default(), &set).await;
        made.unwrap_or_else(|error| panic!("cannot make the ReplicaSet of {}: {error}", deployment.name_any()));
    }

    /// A template that was there before is the newest again.
    async fn count_up(&self, new: &ReplicaSet, own: &[&ReplicaSet]) -> bool {
        let newest = others(new, own).map(revision).max().unwrap_or_default();
        newest > revision(new)
            && self.set(new, json!({"metadata": {"annotations": {REVISION: (newest + 1).to_string()}}})).await
    }

    /// The new Pods come when the last old one has gone.
    async fn recreate(&self, deployment: &Deployment, new: &ReplicaSet, own: &[&ReplicaSet]) -> bool {
        let mut changed = false;
        for old in others(new, own).filter(|old| size(old) > 0) {
            changed |= self.set(old, json!({"spec": {"replicas": 0}})).await;
        }
        let pods = self.list::<Pod>("").await;
        let is_there = |old: &ReplicaSet| pods.iter().any(|pod| is_of(&pod.metadata, &old.metadata));
        if !others(new, own).any(is_there) && size(new) != replicas(deployment) {
            changed |= self.set(new, json!({"spec": {"replicas": replicas(deployment)}})).await;
        }
        changed
    }

    async fn roll(&self, deployment: &Deployment, new: &ReplicaSet, own: &[&ReplicaSet]) -> bool {
        let wanted = replicas(deployment);
        let (surge, unavailable) = limits(deployment);
        let available =
            |set: &ReplicaSet| set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or_default();
        let total: i32 = own.iter().map(|set| size(set)).sum();
        let mut changed = false;
        let room = (wanted + surge - total).max(0);
        let grown = if size(new) > wanted { wanted } else { (size(new) + room).min(wanted) };
        if grown != size(new) {
            changed |= self.set(new, json!({"spec": {"replicas": grown}})).await;
        }
        let all_available: i32 = own.iter().map(|set| available(set)).sum();
        // What is not available may go at once; of the rest only what is not needed.
        let mut spare = (all_available - (wanted - unavailable)).max(0);
        for old in others(new, own) {
            let idle = size(old) - available(old);
            let taken = spare.min(size(old) - idle);
            spare -= taken;
            let left = size(old) - idle - taken;
            if left != size(old) {
                changed |= self.set(old, json!({"spec": {"replicas": left}})).await;
            }
        }
        changed
    }

    /// Writes the status as the real controller does.
    pub(super) async fn deployment_status(&mut self) -> bool {
        let mut changed = false;
        let sets = self.list::<ReplicaSet>("").await;
        for deployment in self.list::<Deployment>("").await {
            let name = deployment.name_any();
            let own: Vec<&ReplicaSet> = sets.iter().filter(|set| is_of(&set.metadata, &deployment.metadata)).collect();
            let status = status(&deployment, &own, self.overdue.contains(&name));
            if status["conditions"][0]["reason"] == "NewReplicaSetAvailable" {
                self.overdue.remove(&name);
            }
            changed |= self.set_status(&deployment, status).await;
        }
        changed
    }
}

fn size(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default()
}

/// The ReplicaSets of older templates.
fn others<'a>(new: &'a ReplicaSet, own: &'a [&'a ReplicaSet]) -> impl Iterator<Item = &'a ReplicaSet> {
    own.iter().copied().filter(|set| set.uid() != new.uid())
}

fn is_recreate(deployment: &Deployment) -> bool {
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    strategy.is_some_and(|strategy| strategy.type_.as_deref() == Some("Recreate"))
}

fn replicas(deployment: &Deployment) -> i32 {
    deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn hash(deployment: &Deployment) -> String {
    let template = deployment.spec.as_ref().map(|spec| &spec.template);
    let text = serde_json::to_string(&template).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:010x}", hasher.finish() & 0xff_ffff_ffff)
}

/// How many Pods there may be above, and how few below, what is wanted.
fn limits(deployment: &Deployment) -> (i32, i32) {
    if is_recreate(deployment) {
        return (0, 0);
    }
    let strategy = deployment.spec.as_ref().and_then(|spec| spec.strategy.as_ref());
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let wanted = replicas(deployment);
    let of = |limit: Option<&IntOrString>, rounds_up: bool| match limit {
        Some(IntOrString::Int(count)) => *count,
        Some(IntOrString::String(text)) => {
            let percent: i32 = text.trim_end_matches('%').parse().unwrap_or(25);
            let up = if rounds_up { 99 } else { 0 };
            (wanted * percent + up) / 100
        }
        None => 0,
    };
    let surge = of(rolling.and_then(|rolling| rolling.max_surge.as_ref()), true);
    let unavailable = of(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()), false);
    (surge, if surge == 0 && unavailable == 0 { 1 } else { unavailable })
}

fn status(deployment: &Deployment, own: &[&ReplicaSet], is_overdue: bool) -> Value {
    let hash = hash(deployment);
    let new = own.iter().find(|set| set.labels().get(HASH) == Some(&hash));
    let count = |of: fn(&k8s_openapi::api::apps::v1::ReplicaSetStatus) -> Option<i32>| -> i32 {
        own.iter().filter_map(|set| set.status.as_ref().and_then(of)).sum()
    };
    let total = count(|status| Some(status.replicas));
    let ready = count(|status| status.ready_replicas);
    let available = count(|status| status.available_replicas);
    let asked: i32 = own.iter().filter_map(|set| set.spec.as_ref()?.replicas).sum();
    let updated = new.and_then(|set| set.status.as_ref()).map_or(0, |status| status.replicas);
    let wanted = replicas(deployment);
    let name = new.map_or_else(String::new, |set| set.name_any());
    let is_complete = new.is_some() && updated == wanted && total == wanted && available >= wanted;
    let (_, unavailable) = limits(deployment);
    let (old, now) = (conditions(&deployment.status), now());
    let was_late = old.iter().any(|it| it["reason"] == "ProgressDeadlineExceeded");
    let progressing = if is_complete {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        condition(&old, "Progressing", true, "NewReplicaSetAvailable", &message, &now)
    } else if is_overdue || (was_late && deployment.metadata.generation == observed(deployment)) {
        let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
        condition(&old, "Progressing", false, "ProgressDeadlineExceeded", &message, &now)
    } else {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        condition(&old, "Progressing", true, "ReplicaSetUpdated", &message, &now)
    };
    let is_available = available >= wanted - unavailable;
    let (reason, message) = if is_available {
        ("MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let mut all = vec![progressing, condition(&old, "Available", is_available, reason, message, &now)];
    let failures = own.iter().flat_map(|set| conditions(&set.status));
    all.extend(failures.filter(|condition| condition["type"] == "ReplicaFailure").take(1));
    json!({
        "observedGeneration": deployment.metadata.generation,
        "replicas": total, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available,
        "unavailableReplicas": (asked - available).max(0), "conditions": all,
    })
}

fn observed(deployment: &Deployment) -> Option<i64> {
    deployment.status.as_ref().and_then(|status| status.observed_generation)
}
