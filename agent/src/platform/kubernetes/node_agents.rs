//! A colour's capacity as the agents on the nodes tell it, for as long as the API server does not.
//!
//! ```text
//!  Deployment, Pods: as they were seen last --+--> which nodes must be known
//!  Nodes: what each tells now ----------------+--> added up, if all of these are known and no Pod is missing; else nothing
//! ```
//! One node that is silent may hold the Pod that serves. So a colour with Pods on it is unknown, and nothing is told of it.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Capacity;
use tokio::time::Instant;

use super::capacity::{Template, is_of, ordered_release, replicas};
use super::keeping;
use super::settings::KubernetesComponent;
use crate::api::PodGroup;
use crate::cluster::nodes::Nodes;
use crate::cluster::pod::is_leaving;

/// `None` where it is unknown. `pods` are all of the namespace as they were seen last.
pub(super) fn capacity<'a>(
    (id, component, colour): (usize, &KubernetesComponent, Colour),
    deployment: &Deployment,
    pods: impl Iterator<Item = &'a Pod>,
    nodes: &Nodes,
    now: Instant,
) -> Option<Capacity> {
    let wanted = replicas(deployment);
    let own = pods.filter(|pod| is_of(pod, deployment) && !is_leaving(pod));
    let held: BTreeSet<&str> = own.filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref()).collect();
    if wanted == 0 || !held.iter().all(|node| nodes.knows(node, now)) {
        return None;
    }
    let template = Template::of(component, deployment);
    let mut counted: Vec<&PodGroup> = Vec::new();
    for (is_known, groups) in nodes.all(now) {
        let own = groups.iter().filter(|group| group.workload == component.workload && group.colour == colour);
        let own: Vec<&PodGroup> = own.filter(|group| template.counts(deployment, &group.templates)).collect();
        if !is_known && !own.is_empty() {
            return None;
        }
        counted.extend(own);
    }
    let sum = |of: fn(&PodGroup) -> u32| counted.iter().map(|group| of(group)).fold(0, u32::saturating_add);
    let pods = sum(|group| group.pods);
    if pods < wanted {
        // They may be on their way, or on a node that nobody watches.
        return None;
    }
    let ready = sum(|group| group.ready);
    Some(Capacity {
        component: id,
        colour,
        release: ordered_release(deployment),
        scaled: keeping::last_order(deployment),
        version: Some(template.version),
        ready,
        // More where one that is being ended still answers: that one does not make a colour complete.
        wanted: pods,
        crash_looping: sum(|group| group.crash_looping),
        failure: (ready < wanted).then(|| failure(&counted)).flatten(),
    })
}

/// The first reason that is told.
fn failure(groups: &[&PodGroup]) -> Option<String> {
    let group = groups.iter().find(|group| group.reason.is_some())?;
    let (reason, restarts) = (group.reason.as_ref()?, group.restarts);
    Some(match group.exit_code {
        Some(code) => {
            format!("{reason}: a container ended with exit status {code}, {restarts} restarts (told by its node)")
        }
        None => format!("{reason} (told by its node)"),
    })
}
