//! What the ports of an application on a cluster take.

use crate::cluster::client;
use crate::config::{Component, Environment, Platform, SwitchBy};
use crate::platform::kubernetes::{KubernetesComponent, KubernetesSettings};
use crate::proxy::selector::SelectorSettings;

/// What an edge of Services needs of an environment.
#[must_use]
pub fn selector_settings(environment: &Environment) -> SelectorSettings {
    SelectorSettings { namespace: environment.namespace.clone().unwrap_or_default(), services: workloads(environment) }
}

/// The Services of an environment's components, which its Deployments are named after.
#[must_use]
pub fn workloads(environment: &Environment) -> Vec<String> {
    let service = |component: &Component| component.runs.workload().map(|workload| workload.name.clone());
    environment.components.values().filter_map(service).collect()
}

/// What the platform of a cluster needs of an environment.
#[must_use]
pub fn kubernetes_settings(environment: &Environment) -> KubernetesSettings {
    let component = |component: &Component| {
        let workload = component.runs.workload()?;
        Some(KubernetesComponent {
            workload: workload.name.clone(),
            container: workload.container.clone(),
            replicas: workload.replicas.map(u32::from),
            secrets: workload.secrets,
        })
    };
    KubernetesSettings {
        namespace: environment.namespace.clone().unwrap_or_default(),
        components: environment.components.values().filter_map(component).collect(),
        // Where selectors are the edge, it is the edge that is ordered.
        selects: environment.switch.by == SwitchBy::Edge,
    }
}

/// How the cluster is reached.
#[must_use]
pub fn cluster_settings(platform: &Platform) -> client::Settings {
    client::Settings { kubeconfig: platform.kubeconfig.clone(), context: platform.context.clone() }
}
