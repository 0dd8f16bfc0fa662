//! The garbage collector: what goes with its owner, what is left behind, and owners that wait for what they own.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{World, is_of};

/// The owner goes after all that it owns.
const FOREGROUND: &str = "foregroundDeletion";
/// The owner goes and what it owns stays.
const ORPHAN: &str = "orphan";

impl World<'_> {
    /// Follows the owners that a rollout has; those of other kinds go alone.
    pub(super) async fn collect_garbage(&self) -> bool {
        let deployments = self.list::<Deployment>("").await;
        let sets = self.list::<ReplicaSet>("").await;
        let pods = self.list::<Pod>("").await;
        let mut changed = self.follow(&deployments, &sets, true).await;
        changed |= self.follow(&sets, &pods, false).await;
        changed | self.follow::<Pod, Pod>(&pods, &[], false).await
    }

    /// `owns` says whether the dependents own something in turn.
    async fn follow<O, D>(&self, owners: &[O], dependents: &[D], owns: bool) -> bool
    where
        O: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
        D: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let mut changed = false;
        for dependent in dependents {
            let all = dependent.owner_references().iter();
            let mut of_kind = all.filter(|it| it.controller == Some(true) && it.kind == O::kind(&()));
            let Some(reference) = of_kind.next() else { continue };
            let owner = owners.iter().find(|owner| owner.uid().as_ref() == Some(&reference.uid));
            let waits = owner.is_some_and(|owner| leaves(owner, FOREGROUND));
            if owner.is_some_and(|owner| leaves(owner, ORPHAN)) {
                changed |= self.set(dependent, json!({"metadata": {"ownerReferences": null}})).await;
            } else if (owner.is_none() || waits) && dependent.meta().deletion_timestamp.is_none() {
                let params = if waits && owns { DeleteParams::foreground() } else { DeleteParams::default() };
                self.delete::<D>(&dependent.name_any(), &params).await;
                changed = true;
            }
        }
        for owner in owners.iter().filter(|owner| leaves(*owner, FOREGROUND) || leaves(*owner, ORPHAN)) {
            if dependents.iter().any(|dependent| is_of(dependent.meta(), owner.meta())) {
                continue;
            }
            let mut held = owner.finalizers().to_vec();
            held.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
            changed |= self.set(owner, json!({"metadata": {"finalizers": held}})).await;
        }
        changed
    }

    pub(super) async fn delete<K>(&self, name: &str, params: &DeleteParams)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + DeserializeOwned + Clone + Debug,
    {
        let deleted = self.api::<K>().delete(name, params).await;
        deleted.unwrap_or_else(|error| panic!("cannot delete {} {name}: {error}", K::kind(&())));
    }
}

/// Whether it is on its way out, and held by this finalizer.
fn leaves(object: &impl Resource, finalizer: &str) -> bool {
    object.meta().deletion_timestamp.is_some() && object.meta().finalizers.iter().flatten().any(|it| it == finalizer)
}
