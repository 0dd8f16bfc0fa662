//! What is read from a Pod's status.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// A container that has ended so often and does not run is taken to be in a loop, whatever the node calls it just now.
const LOOP: i32 = 3;

/// Whether it takes traffic.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// Whether it is being ended: by a drain, an eviction, somebody with kubectl, a smaller number of replicas. It may go on answering meanwhile.
pub(crate) fn is_leaving(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Whether one of its containers restarts over and over.
pub(crate) fn is_looping(pod: &Pod) -> bool {
    // One that runs again is in no loop, however often it has ended: its probe may only be late.
    let runs = |status: &ContainerStatus| status.state.as_ref().is_some_and(|state| state.running.is_some());
    statuses(pod).any(|status| {
        let often = status.restart_count >= LOOP && !status.ready && !runs(status);
        waits(status) == Some("CrashLoopBackOff") || often
    })
}

/// Why a container waits, in Kubernetes' own word.
pub(crate) fn waits(status: &ContainerStatus) -> Option<&str> {
    status.state.as_ref()?.waiting.as_ref()?.reason.as_deref()
}

/// Of all its containers, those first that run before the others.
pub(crate) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    status
        .into_iter()
        .flat_map(|status| [&status.init_container_statuses, &status.container_statuses])
        .flatten()
        .flatten()
}
