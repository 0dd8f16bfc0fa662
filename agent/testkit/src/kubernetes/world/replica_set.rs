//! The ReplicaSet controller: as many Pods as are wanted, the least useful go first.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use super::pod::is_ready;
use super::{Fate, World, condition, conditions, is_of, now};

/// Where a ReplicaSet says which template it is.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

impl World<'_> {
    /// Makes and removes Pods, after the garbage has been collected.
    pub(super) async fn replica_sets(&mut self) -> bool {
        let mut changed = self.collect_garbage().await;
        let pods = self.list::<Pod>("").await;
        let sets = self.list::<ReplicaSet>("").await;
        for set in sets.iter().filter(|set| set.metadata.deletion_timestamp.is_none()) {
            let wanted = wanted(set);
            let mut own: Vec<&Pod> = pods.iter().filter(|pod| is_of(&pod.metadata, &set.metadata)).collect();
            own.retain(|pod| pod.metadata.deletion_timestamp.is_none());
            if matches!(self.fate_of(set, &sets), Some(Fate::Quota(_))) && own.len() < wanted {
                continue;
            }
            for _ in own.len()..wanted {
                self.create_pod(set).await;
                changed = true;
            }
            own.sort_by_key(|pod| (is_ready(pod), std::cmp::Reverse(pod.name_any())));
            for pod in own.iter().take(own.len().saturating_sub(wanted)) {
                self.delete::<Pod>(&pod.name_any(), &DeleteParams::default()).await;
                changed = true;
            }
        }
        changed
    }

    async fn create_pod(&self, set: &ReplicaSet) {
        let template = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
        let mut pod = serde_json::to_value(template).unwrap_or_default();
        pod["metadata"]["generateName"] = json!(format!("{}-", set.name_any()));
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set.name_any(), "uid": set.uid(),
            "controller": true, "blockOwnerDeletion": true,
        }]);
        let pod: Pod = serde_json::from_value(pod).unwrap_or_default();
        let made = self.api::<Pod>().create(&PostParams::default(), &pod).await;
        made.unwrap_or_else(|error| panic!("cannot make a Pod of {}: {error}", set.name_any()));
    }

    /// Writes the status of every ReplicaSet.
    pub(super) async fn replica_set_status(&mut self) -> bool {
        let mut changed = false;
        let pods = self.list::<Pod>("").await;
        let sets = self.list::<ReplicaSet>("").await;
        for set in &sets {
            let own = pods.iter().filter(|pod| is_of(&pod.metadata, &set.metadata));
            let own: Vec<&Pod> = own.filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
            let ready = own.iter().filter(|pod| is_ready(pod)).count();
            let failure = match self.fate_of(set, &sets) {
                Some(Fate::Quota(words)) if own.len() < wanted(set) => {
                    let message = format!("pods \"{}-\" is forbidden: exceeded quota: {words}", set.name_any());
                    let old = conditions(&set.status);
                    json!([condition(&old, "ReplicaFailure", true, "FailedCreate", &message, &now())])
                }
                _ => json!(null),
            };
            let status = json!({
                "observedGeneration": set.metadata.generation, "replicas": own.len(), "readyReplicas": ready,
                "availableReplicas": ready, "fullyLabeledReplicas": own.len(), "conditions": failure,
            });
            changed |= self.set_status(set, status).await;
        }
        changed
    }

    /// The fate of the Pods of a ReplicaSet: that of its Deployment if it is the newest one, none if it is older.
    pub(super) fn fate_of(&self, set: &ReplicaSet, all: &[ReplicaSet]) -> Option<Fate> {
        let owner = set.owner_references().iter().find(|owner| owner.controller == Some(true))?;
        let siblings = all.iter().filter(|it| it.owner_references().iter().any(|other| other.uid == owner.uid));
        let is_newest = siblings.into_iter().all(|sibling| revision(sibling) <= revision(set));
        is_newest.then(|| self.fates.get(&owner.name).cloned().unwrap_or_default())
    }
}

/// Which template of its Deployment it carries, counted from 1.
pub(super) fn revision(set: &ReplicaSet) -> u64 {
    set.annotations().get(REVISION).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn wanted(set: &ReplicaSet) -> usize {
    let replicas = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default();
    usize::try_from(replicas).unwrap_or_default()
}
