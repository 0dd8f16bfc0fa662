//! Pods, counted.
//!
//! A Pod belongs to the Deployment by whose ReplicaSet it was made: `NAME-HASH`, with the hash in a label. So an observer needs to see
//! nothing but Pods. Which version a Pod runs is told by digests, because an image's name is nobody's business on the way.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use sha2::{Digest as _, Sha256};
use teal_rollout::colour::Colour;

use crate::api::PodGroup;
use crate::cluster::pod::{is_leaving, is_looping, is_ready, statuses, waits};

/// The label with which a ReplicaSet tells its Pods from others'.
const HASH: &str = "pod-template-hash";

/// Which copy of its configuration a Pod runs with.
pub const CONFIG: &str = "teal.trancloud.work/config";

/// A group while its Pods are counted.
struct Counted {
    group: PodGroup,
    /// How much its reason tells.
    weight: u8,
    /// Those that are being ended and still answer.
    leaving: u32,
}

/// The Pods of these workloads, by what they run. Those that are being ended, or have ended, are nobody's failure; where nothing else is
/// ready of what they run, those that still answer are counted.
pub fn groups<'a>(pods: impl IntoIterator<Item = &'a Pod>, workloads: &[String]) -> Vec<PodGroup> {
    let mut groups: BTreeMap<(String, Colour, Vec<String>), Counted> = BTreeMap::new();
    for pod in pods {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        if is_leaving(pod) && !is_ready(pod) || matches!(phase, Some("Succeeded" | "Failed")) {
            continue;
        }
        let Some((workload, colour)) = place(pod, workloads) else { continue };
        let templates = marks(pod);
        let empty = || {
            let (workload, templates) = (workload.clone(), templates.clone());
            let (pods, ready, crash_looping, restarts) = (0, 0, 0, 0);
            let (reason, exit_code) = (None, None);
            let group =
                PodGroup { workload, colour, templates, pods, ready, crash_looping, restarts, reason, exit_code };
            Counted { group, weight: 0, leaving: 0 }
        };
        let Counted { group, weight, leaving } =
            groups.entry((workload.clone(), colour, templates.clone())).or_insert_with(empty);
        if is_leaving(pod) {
            *leaving += 1;
            continue;
        }
        group.pods += 1;
        group.ready += u32::from(is_ready(pod));
        group.crash_looping += u32::from(is_looping(pod));
        let restarts: u32 = statuses(pod).map(|status| u32::try_from(status.restart_count).unwrap_or(0)).sum();
        group.restarts = group.restarts.saturating_add(restarts);
        if let Some((reason, exit_code, telling)) = why(pod).filter(|(.., telling)| telling > weight) {
            (group.reason, group.exit_code, *weight) = (Some(reason), exit_code, telling);
        }
    }
    let still_answering = |Counted { mut group, leaving, .. }| {
        if group.ready == 0 {
            group.pods += leaving;
            group.ready = leaving;
        }
        group
    };
    groups.into_values().map(still_answering).filter(|group| group.pods > 0).collect()
}

/// Leaves of a Pod what [`groups`] reads: a hundredth of it.
pub fn trim(pod: &mut Pod) {
    let metadata = std::mem::take(&mut pod.metadata);
    pod.metadata = ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        resource_version: metadata.resource_version,
        deletion_timestamp: metadata.deletion_timestamp,
        owner_references: metadata.owner_references,
        labels: metadata.labels.map(|all| all.into_iter().filter(|(name, _)| name == HASH).collect()),
        annotations: metadata.annotations.map(|all| all.into_iter().filter(|(name, _)| name == CONFIG).collect()),
        ..ObjectMeta::default()
    };
    let spec = std::mem::take(&mut pod.spec).unwrap_or_default();
    let container = |of: Container| Container { name: of.name, image: of.image, ..Container::default() };
    pod.spec = Some(PodSpec { containers: spec.containers.into_iter().map(container).collect(), ..PodSpec::default() });
    let status = std::mem::take(&mut pod.status).unwrap_or_default();
    let conditions = status.conditions.map(|all| all.into_iter().filter(|it| it.type_ == "Ready").collect());
    pod.status = Some(PodStatus {
        phase: status.phase,
        conditions,
        init_container_statuses: status.init_container_statuses,
        container_statuses: status.container_statuses,
        ..PodStatus::default()
    });
}

/// Whose Pod it is.
fn place(pod: &Pod, workloads: &[String]) -> Option<(String, Colour)> {
    let owners = pod.metadata.owner_references.as_ref()?;
    let owner = owners.iter().find(|owner| owner.kind == "ReplicaSet" && owner.controller == Some(true))?;
    let hash = pod.labels().get(HASH)?;
    let deployment = owner.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
    workloads.iter().find_map(|workload| {
        let colour = deployment.strip_prefix(workload.as_str())?.strip_prefix('-')?;
        let colour = Colour::BOTH.into_iter().find(|known| known.as_str() == colour)?;
        Some((workload.clone(), colour))
    })
}

/// What each of the Pod's containers runs, as [`mark`]s in order.
#[must_use]
pub fn marks(pod: &Pod) -> Vec<String> {
    let config = pod.annotations().get(CONFIG).map(String::as_str);
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut marks: Vec<String> =
        containers.map(|it| mark(&it.name, it.image.as_deref().unwrap_or_default(), config)).collect();
    marks.sort();
    marks
}

/// What a container of this name runs, and by which configuration: 16 hexadecimal digits.
#[must_use]
pub fn mark(container: &str, image: &str, config: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for part in [container, image, config.unwrap_or_default()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update([u8::from(config.is_some())]);
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Why a Pod is not ready, how a container of it ended, and how much that tells: never a container's own words.
fn why(pod: &Pod) -> Option<(String, Option<i32>, u8)> {
    if is_ready(pod) {
        return None;
    }
    let of = |which: fn(&ContainerStatus) -> Option<Why>, telling| {
        statuses(pod).find_map(which).map(|(reason, code)| (word(&reason), code, telling))
    };
    of(image, 4).or_else(|| of(ended, 3)).or_else(|| of(waiting, 2)).or_else(|| of(not_ready, 1))
}

/// A reason, and how a container ended.
type Why = (String, Option<i32>);

fn image(status: &ContainerStatus) -> Option<Why> {
    let reason = waits(status)?;
    (reason.contains("Image") || reason == "RegistryUnavailable").then(|| (reason.to_owned(), None))
}

fn ended(status: &ContainerStatus) -> Option<Why> {
    let of = |state: &Option<k8s_openapi::api::core::v1::ContainerState>| state.as_ref()?.terminated.clone();
    let last = of(&status.state).or_else(|| of(&status.last_state)).filter(|_| !status.ready)?;
    Some((last.reason.unwrap_or_else(|| "Error".to_owned()), Some(last.exit_code)))
}

fn waiting(status: &ContainerStatus) -> Option<Why> {
    let reason = waits(status)?;
    (!matches!(reason, "" | "ContainerCreating" | "PodInitializing")).then(|| (reason.to_owned(), None))
}

fn not_ready(status: &ContainerStatus) -> Option<Why> {
    let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
    (runs && !status.ready).then(|| ("NotReady".to_owned(), None))
}

/// A word, whatever stood there.
fn word(reason: &str) -> String {
    let word: String = reason.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    if word.is_empty() { "Unknown".to_owned() } else { word }
}
