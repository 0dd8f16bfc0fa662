//! What a colour can do, read from its Deployment and Pods: never from a status that speaks of an older template.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Capacity;

use super::settings::{CONFIG, KubernetesComponent, RELEASE, VERSION};
use super::{failure, image};

/// A container that has ended so often and does not run is taken to be in a loop, whatever the node calls it just now.
const LOOP: i32 = 3;

/// A colour's capacity; `pods` are all of the namespace.
pub(super) fn of<'a>(
    id: usize,
    component: &KubernetesComponent,
    colour: Colour,
    deployment: &Deployment,
    pods: impl Iterator<Item = &'a Pod>,
) -> Capacity {
    let wanted = replicas(deployment);
    let template = Template::of(component, deployment);
    let own: Vec<&Pod> =
        pods.filter(|pod| is_of(pod, deployment) && pod.metadata.deletion_timestamp.is_none()).collect();
    // A template that somebody changed behind our back takes nothing away from the Pods that serve meanwhile.
    let ordered = deployment.annotations().get(VERSION).is_some_and(|version| *version == template.version);
    let counted: Vec<&&Pod> = own.iter().filter(|pod| !ordered || template.made(pod)).collect();
    let count =
        |which: fn(&Pod) -> bool| u32::try_from(counted.iter().filter(|pod| which(pod)).count()).unwrap_or(u32::MAX);
    let ready = count(is_ready);
    Capacity {
        component: id,
        colour,
        release: deployment.annotations().get(RELEASE).and_then(|text| text.parse().ok()).unwrap_or(0),
        version: (wanted > 0).then_some(template.version),
        ready,
        wanted,
        crash_looping: count(is_looping),
        failure: if ready < wanted { failure::of(deployment, counted.iter().map(|pod| **pod)) } else { None },
    }
}

/// How many Pods a Deployment is to have.
pub(super) fn replicas(deployment: &Deployment) -> u32 {
    let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    u32::try_from(replicas).unwrap_or(0)
}

/// What tells the Pods of the newest template from older ones.
struct Template {
    version: String,
    image: String,
    container: String,
    config: Option<String>,
}

impl Template {
    fn of(component: &KubernetesComponent, deployment: &Deployment) -> Self {
        let (container, image) = container(component, deployment).unwrap_or_default();
        let metadata = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
        let config = metadata.and_then(|metadata| metadata.annotations.as_ref()?.get(CONFIG).cloned());
        Self { version: image::version(&image).to_owned(), image, container, config }
    }

    fn made(&self, pod: &Pod) -> bool {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let mut images = containers.filter(|it| it.name == self.container).filter_map(|it| it.image.as_ref());
        images.any(|image| *image == self.image) && pod.annotations().get(CONFIG) == self.config.as_ref()
    }
}

/// The name and image of the container whose image is the version; none where that is not clear.
pub(super) fn container(component: &KubernetesComponent, deployment: &Deployment) -> Option<(String, String)> {
    let containers = &deployment.spec.as_ref()?.template.spec.as_ref()?.containers;
    let found = match &component.container {
        Some(name) => containers.iter().find(|container| container.name == *name),
        None => containers.first().filter(|_| containers.len() == 1),
    }?;
    Some((found.name.clone(), found.image.clone().unwrap_or_default()))
}

/// Whether the Deployment's selector chooses the Pod; selectors by expressions choose none.
pub(super) fn is_of(pod: &Pod, deployment: &Deployment) -> bool {
    let labels = deployment.spec.as_ref().and_then(|spec| spec.selector.match_labels.as_ref());
    labels.is_some_and(|labels| labels.iter().all(|(name, value)| pod.labels().get(name) == Some(value)))
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True")
}

pub(super) fn is_looping(pod: &Pod) -> bool {
    let waits = |status: &ContainerStatus| status.state.as_ref()?.waiting.as_ref()?.reason.clone();
    // One that runs again is in no loop, however often it has ended: its probe may only be late.
    let runs = |status: &ContainerStatus| status.state.as_ref().is_some_and(|state| state.running.is_some());
    statuses(pod).any(|status| {
        let often = status.restart_count >= LOOP && !status.ready && !runs(status);
        waits(status).as_deref() == Some("CrashLoopBackOff") || often
    })
}

pub(super) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    status
        .into_iter()
        .flat_map(|status| [&status.init_container_statuses, &status.container_statuses])
        .flatten()
        .flatten()
}
