//! Whether the Pods of a release have room beside those that serve: a forecast, and no reservation.
//!
//! ```text
//!  Pods that are still to come --> each quota of the namespace: needs <= hard - used
//!                              \-> nodes, where they may be read: each Pod finds one with room, one after the other
//! ```
//! What may not be looked at is not guessed: it is said, and the release goes on. What is on its way out takes no room.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod, ResourceQuota};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};

use super::capacity::is_of;
use super::demand::{Amounts, Demand, add, read};
use super::nodes;
use super::quantity::shown;
use super::trouble::{Trouble, is_forbidden};
use crate::cluster::client::brief;

/// A Deployment, and how many Pods it is to have.
pub(super) struct Growing {
    pub(super) deployment: Deployment,
    pub(super) full: u32,
}

/// Pods that a Deployment is still to get.
pub(super) struct Need {
    pub(super) deployment: String,
    pub(super) pods: i128,
    pub(super) each: Demand,
    pub(super) template: k8s_openapi::api::core::v1::PodSpec,
}

/// Refuses a release without room, naming what is missing; says what could not be looked at.
pub(super) async fn check(client: &Client, namespace: &str, growing: &[Growing]) -> Result<Vec<String>, Trouble> {
    let all = ListParams::default();
    let mut unchecked = Vec::new();
    // Quotas before Pods: a Pod that comes in between is not counted twice.
    let quotas = known(Api::<ResourceQuota>::namespaced(client.clone(), namespace).list(&all).await)?;
    let nodes = known(Api::<Node>::all(client.clone()).list(&all).await)?;
    let (everywhere, nodes) = match nodes {
        Ok(nodes) if nodes.items.is_empty() => (None, Err("the cluster names none".to_owned())),
        Ok(nodes) => match known(Api::<Pod>::all(client.clone()).list(&all).await)? {
            Ok(pods) => (Some(pods.items), Ok(nodes.items)),
            Err(why) => (None, Err(why)),
        },
        Err(why) => (None, Err(why)),
    };
    let own = match &everywhere {
        Some(pods) => pods.iter().filter(|pod| pod.namespace().as_deref() == Some(namespace)).cloned().collect(),
        None => Api::<Pod>::namespaced(client.clone(), namespace).list(&all).await?.items,
    };
    let needs: Vec<Need> = growing.iter().filter_map(|growing| need(growing, &own)).collect();
    let mut missing = Vec::new();
    match quotas {
        Ok(quotas) => quotas.iter().for_each(|quota| of_quota(quota, &needs, &own, &mut missing, &mut unchecked)),
        Err(why) => unchecked.push(format!("quotas: {why}")),
    }
    match nodes {
        Ok(nodes) => missing.extend(nodes::without_room(&nodes, &everywhere.unwrap_or_default(), &needs)),
        Err(why) => unchecked.push(format!("nodes: {why}")),
    }
    if missing.is_empty() {
        return Ok(unchecked);
    }
    let names: Vec<&str> = needs.iter().map(|need| need.deployment.as_str()).collect();
    let (names, missing) = (names.join(" and "), missing.join("; "));
    Err(Trouble::Never(format!("no room for {names}: {missing}. Make room, or set `replicas` lower")))
}

/// What was answered; why not, where it may not be asked.
fn known<T>(answer: kube::Result<T>) -> Result<Result<T, String>, Trouble> {
    match answer {
        Ok(found) => Ok(Ok(found)),
        Err(error) if is_forbidden(&error) => Ok(Err(brief(&error))),
        Err(error) => Err(error.into()),
    }
}

fn need(growing: &Growing, pods: &[Pod]) -> Option<Need> {
    let deployment = &growing.deployment;
    let there = pods.iter().filter(|pod| stays(pod) && is_of(pod, deployment)).count();
    let pods = i128::from(growing.full) - i128::try_from(there).ok()?;
    let template = deployment.spec.as_ref()?.template.spec.clone()?;
    (pods > 0).then(|| Need { deployment: deployment.name_any(), pods, each: Demand::of(&template), template })
}

/// Whether a Pod goes on taking room.
pub(super) fn stays(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(phase, Some("Failed" | "Succeeded"))
}

fn of_quota(
    quota: &ResourceQuota,
    needs: &[Need],
    pods: &[Pod],
    missing: &mut Vec<String>,
    unchecked: &mut Vec<String>,
) {
    let (name, spec) = (quota.name_any(), quota.spec.as_ref());
    // Every Pod of a Deployment is one that does not end, and as good as every one asks for something.
    let is_plain = |scope: &String| matches!(scope.as_str(), "NotTerminating" | "NotBestEffort");
    let scopes = spec.and_then(|spec| spec.scopes.as_ref());
    if spec.is_some_and(|spec| spec.scope_selector.is_some()) || !scopes.into_iter().flatten().all(is_plain) {
        unchecked.push(format!("quota {name}: it is for some Pods only"));
        return;
    }
    let Some(status) = &quota.status else { return };
    let (hard, used) = (read(status.hard.as_ref()), read(status.used.as_ref()));
    let leaving: Vec<Demand> = pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_some())
        .filter_map(|pod| pod.spec.as_ref().map(Demand::of))
        .collect();
    for (resource, hard) in hard {
        let needed: i128 = needs.iter().map(|need| need.pods * need.each.of_quota(&resource)).sum();
        let soon: i128 = leaving.iter().map(|demand| demand.of_quota(&resource)).sum();
        let used = used.get(&resource).copied().unwrap_or(0);
        let free = hard - (used - soon).max(0);
        if needed > 0 && needed > free {
            let (needed, free) = (shown(&resource, needed), shown(&resource, free.max(0)));
            missing.push(format!("{resource}: needs {needed}, {free} free of quota {name}"));
        }
    }
}

/// The requests of Pods that stay, together.
pub(super) fn taken<'a>(pods: impl Iterator<Item = &'a Pod>) -> Amounts {
    let mut sum = Amounts::new();
    for spec in pods.filter(|pod| stays(pod)).filter_map(|pod| pod.spec.as_ref()) {
        add(&mut sum, &Demand::of(spec).requests);
        *sum.entry("pods".to_owned()).or_default() += 1000;
    }
    sum
}
