//! What a colour can do, read from its Deployment and Pods: never from a status that speaks of an older template.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Capacity;

use super::settings::{CONFIG, KubernetesComponent, RELEASE, VERSION};
use super::{failure, image, keeping};
use crate::cluster::nodes::mark;
pub(super) use crate::cluster::pod::{is_leaving, is_looping, is_ready, statuses};

/// A colour's capacity; `pods` are all of the namespace.
///
/// Pods that are being ended count neither as ready nor as wanted. Only where nothing else is ready do those count, as both, that still
/// answer: that is where nodes send requests then, until their grace has passed. A drain of the one Pod of a colour is no outage.
///
/// Pods of an earlier version that are ready and not being ended are wanted away: as long as there are some, requests reach them too, and the
/// colour is not complete (`2/3 ready`).
pub(super) fn of<'a>(
    id: usize,
    component: &KubernetesComponent,
    colour: Colour,
    deployment: &Deployment,
    pods: impl Iterator<Item = &'a Pod>,
) -> Capacity {
    let mut wanted = replicas(deployment);
    let template = Template::of(component, deployment);
    let (leaving, own): (Vec<&Pod>, Vec<&Pod>) =
        pods.filter(|pod| is_of(pod, deployment)).partition(|pod| is_leaving(pod));
    // A template that somebody changed behind our back takes nothing away from the Pods that serve meanwhile.
    let ordered = template.is_ordered(deployment);
    let counts = |pod: &&&Pod| !ordered || template.made(pod);
    let counted: Vec<&&Pod> = own.iter().filter(counts).collect();
    let count =
        |which: fn(&Pod) -> bool| u32::try_from(counted.iter().filter(|pod| which(pod)).count()).unwrap_or(u32::MAX);
    let mut ready = count(is_ready);
    if ready == 0 && wanted > 0 {
        ready = u32::try_from(leaving.iter().filter(counts).filter(|pod| is_ready(pod)).count()).unwrap_or(u32::MAX);
        wanted = wanted.saturating_add(ready);
    }
    let earlier = own.iter().filter(|pod| ordered && !template.made(pod) && is_ready(pod)).count();
    let failure = match (ready < wanted, earlier) {
        (true, _) => failure::of(deployment, counted.iter().map(|pod| **pod)),
        (false, 0) => None,
        (false, _) => Some("Pods of an earlier version still answer there".to_owned()),
    };
    if wanted > 0 {
        wanted = wanted.saturating_add(u32::try_from(earlier).unwrap_or(u32::MAX));
    }
    Capacity {
        component: id,
        colour,
        release: ordered_release(deployment),
        scaled: keeping::last_order(deployment),
        version: (wanted > 0).then(|| template.version.clone()),
        ready,
        wanted,
        crash_looping: count(is_looping),
        failure,
    }
}

/// A colour of which nothing is there, and why.
pub(super) fn missing(component: usize, colour: Colour, failure: String) -> Capacity {
    let (release, scaled, version, failure) = (0, 0, None, Some(failure));
    Capacity { component, colour, release, scaled, version, ready: 0, wanted: 0, crash_looping: 0, failure }
}

/// The release that ordered what a Deployment runs; 0 where none did.
pub(super) fn ordered_release(deployment: &Deployment) -> u64 {
    deployment.annotations().get(RELEASE).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// How many Pods a Deployment is to have.
pub(super) fn replicas(deployment: &Deployment) -> u32 {
    let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    u32::try_from(replicas).unwrap_or(0)
}

/// What tells the Pods of the newest template from older ones.
pub(super) struct Template {
    pub(super) version: String,
    image: String,
    container: String,
    config: Option<String>,
}

impl Template {
    pub(super) fn of(component: &KubernetesComponent, deployment: &Deployment) -> Self {
        let (container, image) = container(component, deployment).unwrap_or_default();
        let metadata = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
        let config = metadata.and_then(|metadata| metadata.annotations.as_ref()?.get(CONFIG).cloned());
        Self { version: image::version(&image).to_owned(), image, container, config }
    }

    fn is_ordered(&self, deployment: &Deployment) -> bool {
        deployment.annotations().get(VERSION) == Some(&self.version)
    }

    /// Whether Pods count of which an agent on their node tells by these marks what they run.
    pub(super) fn counts(&self, deployment: &Deployment, marks: &[String]) -> bool {
        !self.is_ordered(deployment) || marks.contains(&mark(&self.container, &self.image, self.config.as_deref()))
    }

    /// Whether the Pod is of this template.
    pub(super) fn made(&self, pod: &Pod) -> bool {
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
