//! Why a colour's Pods are not ready, in a line for people: never a container's own words.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::capacity::{is_ready, statuses};

/// Characters of a reason.
const MOST: usize = 300;

/// The first reason that is known, the most telling kind first.
pub(super) fn of<'a>(deployment: &Deployment, pods: impl Iterator<Item = &'a Pod>) -> Option<String> {
    let pods: Vec<&Pod> = pods.filter(|pod| !is_ready(pod)).collect();
    let of_pods = |which: fn(&Pod) -> Option<String>| pods.iter().find_map(|pod| which(pod));
    let found = refused(deployment)
        .or_else(|| of_pods(image))
        .or_else(|| of_pods(ended))
        .or_else(|| of_pods(unplaced))
        .or_else(|| of_pods(waiting))
        .or_else(|| of_pods(not_ready))
        .or_else(|| overdue(deployment));
    found.map(|reason| reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect())
}

/// A quota, an admission rule: Pods that were never made.
fn refused(deployment: &Deployment) -> Option<String> {
    let condition = condition(deployment, "ReplicaFailure")?;
    (condition.0 == "True").then(|| format!("Pods are refused: {}", condition.1))
}

fn overdue(deployment: &Deployment) -> Option<String> {
    let condition = condition(deployment, "Progressing")?;
    (condition.0 == "False").then(|| format!("no progress: {}", condition.1))
}

/// Status and message.
fn condition(deployment: &Deployment, kind: &str) -> Option<(String, String)> {
    let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == kind)?;
    let message = found.message.clone().filter(|message| !message.is_empty());
    Some((found.status.clone(), message.or_else(|| found.reason.clone()).unwrap_or_default()))
}

/// Reason and message of a container that waits.
fn waits(status: &ContainerStatus) -> Option<(&str, &str)> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref().unwrap_or_default(), waiting.message.as_deref().unwrap_or_default()))
}

fn image(pod: &Pod) -> Option<String> {
    let is_image = |reason: &str| reason.contains("Image") || reason == "RegistryUnavailable";
    let (reason, message) = statuses(pod).filter_map(waits).find(|(reason, _)| is_image(reason))?;
    if !matches!(reason, "ErrImagePull" | "ImagePullBackOff") {
        return Some(format!("{reason}: {message}"));
    }
    // The two take turns, in long sentences whose last part tells the cause and whose first quoted word is the image.
    let image = message.split('"').nth(1).map(|image| format!("{image} ")).unwrap_or_default();
    let cause = message.rsplit(": ").next().filter(|cause| !cause.contains('"')).map(|cause| format!(": {cause}"));
    Some(format!("{image}cannot be pulled{}", cause.unwrap_or_default()))
}

/// How a container ended last, where it ends over and over or was killed for its memory.
fn ended(pod: &Pod) -> Option<String> {
    statuses(pod).find_map(|status| {
        let ended = |state: &Option<k8s_openapi::api::core::v1::ContainerState>| state.as_ref()?.terminated.clone();
        let last = ended(&status.state).or_else(|| ended(&status.last_state))?;
        let (name, count) = (&status.name, status.restart_count);
        match last.reason.as_deref() {
            Some("OOMKilled") => Some(format!("container {name} was killed for its memory, {count} restarts")),
            _ if status.ready => None,
            _ => Some(format!("container {name} ended with exit status {}, {count} restarts", last.exit_code)),
        }
    })
}

fn unplaced(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|it| it.type_ == "PodScheduled" && it.status == "False")?;
    Some(format!("no node takes the Pod: {}", found.message.as_deref().unwrap_or("Unschedulable")))
}

/// A missing ConfigMap, a volume that cannot be mounted.
fn waiting(pod: &Pod) -> Option<String> {
    let (reason, message) = statuses(pod)
        .filter_map(waits)
        .find(|(reason, _)| !matches!(*reason, "" | "ContainerCreating" | "PodInitializing"))?;
    Some(if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") })
}

fn not_ready(pod: &Pod) -> Option<String> {
    let running = |status: &&ContainerStatus| status.state.as_ref().is_some_and(|state| state.running.is_some());
    let status = statuses(pod).filter(running).find(|status| !status.ready)?;
    Some(format!("container {} runs and its readiness probe fails", status.name))
}
