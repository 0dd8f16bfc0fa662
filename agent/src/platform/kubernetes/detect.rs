//! What serves in a namespace that Teal has never released in.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use teal_rollout::colour::Colour;

use super::capacity::{container, replicas};
use super::image;
use super::settings::{KubernetesComponent, KubernetesSettings};
use crate::cluster::client::brief;
use crate::cluster::selected::colour_of;

/// What serves of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The colour that the Service selects.
    pub colour: Colour,
    /// The version of its Deployment; none where it has no Pods.
    pub version: Option<String>,
}

/// Why that cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The API server does not answer, or has no such object.
    #[error("cannot read {kind} {namespace}/{name}: {why}; `kubectl -n {namespace} get {kind} {name}` shows it")]
    Read {
        /// `service` or `deployment`.
        kind: &'static str,
        /// Where.
        namespace: String,
        /// Which.
        name: String,
        /// In the server's words.
        why: String,
    },
    /// A Service that selects no colour.
    #[error("Service {namespace}/{name} selects no `version: blue` or `version: green`: add it to its selector")]
    NoColour {
        /// Where.
        namespace: String,
        /// Which.
        name: String,
    },
    /// Several containers and no name.
    #[error("which container of Deployment {namespace}/{name} is released? It has {known}: set `container`")]
    Container {
        /// Where.
        namespace: String,
        /// Which.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Asks for every component's Service and both of its Deployments, which have to be there.
///
/// # Errors
/// [`DetectError`].
pub async fn detect(client: &kube::Client, settings: &KubernetesSettings) -> Result<Vec<Found>, DetectError> {
    let mut found = Vec::new();
    for component in &settings.components {
        found.push(one(client, &settings.namespace, component).await?);
    }
    Ok(found)
}

async fn one(client: &kube::Client, namespace: &str, component: &KubernetesComponent) -> Result<Found, DetectError> {
    let failed = |kind, name: &str, error: &kube::Error| DetectError::Read {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        why: brief(error),
    };
    let name = &component.workload;
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    let service = services.get(name).await.map_err(|error| failed("service", name, &error))?;
    let no_colour = || DetectError::NoColour { namespace: namespace.to_owned(), name: name.clone() };
    let colour = colour_of(&service).ok_or_else(no_colour)?;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let mut version = None;
    for each in Colour::BOTH {
        let name = component.deployment(each);
        let deployment = deployments.get(&name).await.map_err(|error| failed("deployment", &name, &error))?;
        let Some((_, image)) = container(component, &deployment) else {
            let spec = deployment.spec.and_then(|spec| spec.template.spec).unwrap_or_default();
            let known: Vec<String> = spec.containers.into_iter().map(|container| container.name).collect();
            return Err(DetectError::Container { namespace: namespace.to_owned(), name, known: known.join(", ") });
        };
        if each == colour && replicas(&deployment) > 0 {
            version = Some(image::version(&image).to_owned());
        }
    }
    Ok(Found { colour, version })
}
