//! Starting and stopping a colour: what is looked at, in which order, and what is written.
//!
//! ```text
//!  Start: fence -> runs it? mark : serves users? room? -> autoscalers -> image, copies, release, replicas (one apply)
//!  Scale: fence -> serves users? (where fewer) -> autoscalers -> replicas, release, order (see [`super::keeping`])
//!  Stop:  fence -> serves users? -> replicas 0 -> serves users now? as before : autoscalers as they were
//! ```
//! Every step is absolute and may be done again, and each write of a Deployment holds for the version that was read.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use teal_rollout::colour::Colour;

use super::capacity::{container, replicas};
use super::fits::{self, Growing};
use super::image;
use super::keeping;
use super::scale::Scale;
use super::settings::{KubernetesComponent, KubernetesSettings, MANAGER, RELEASE, REPLICAS, VERSION};
use super::starting::Starting;
use super::trouble::Trouble;
use crate::cluster::client::is_not_found;
use crate::cluster::selected::colour_of;

/// An order to run a version on a colour.
pub(super) struct Start<'a> {
    pub(super) component: usize,
    pub(super) colour: Colour,
    pub(super) version: &'a str,
    pub(super) release: u64,
    /// Where the component's Service was last ordered to point.
    pub(super) selected: Option<Colour>,
}

/// A state of one Deployment, and all that come after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    uid: Option<String>,
    generation: i64,
}

impl State {
    pub(super) fn of(deployment: &Deployment) -> Self {
        Self { uid: deployment.uid(), generation: deployment.metadata.generation.unwrap_or(0) }
    }

    pub(super) fn is_seen_in(&self, deployment: &Deployment) -> bool {
        deployment.metadata.generation.unwrap_or(0) >= self.generation
    }

    /// Whether it will never be seen: that Deployment is gone, and another one has its name.
    pub(super) fn is_lost_in(&self, deployment: &Deployment) -> bool {
        deployment.uid() != self.uid
    }
}

/// The workloads of one namespace.
pub(super) struct Workloads<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) settings: &'a KubernetesSettings,
    pub(super) starting: &'a Starting,
}

impl Workloads<'_> {
    /// Runs a version on a colour at full capacity; what runs it already is never restarted, and what was made of it since it was
    /// started for this release is left so. The state of its Deployment from which on that is said.
    pub(super) async fn start(&self, order: &Start<'_>) -> Result<State, Trouble> {
        image::check(order.version).map_err(Trouble::Never)?;
        let component = &self.settings.components[order.component];
        let (there, beside) = self.both(component, order.colour).await?;
        let name = there.name_any();
        let written = fence(&there, order.release)?;
        let Some((container, image)) = container(component, &there) else {
            return Err(Trouble::Never(format!(
                "Deployment {name} has no container that is clearly meant: set `container`"
            )));
        };
        let was_ordered =
            written == order.release && there.annotations().get(VERSION).is_some_and(|it| it == order.version);
        if image::version(&image) == order.version {
            if was_ordered {
                return Ok(State::of(&there));
            }
            // What an earlier release kept in few Pods as its way back is no full colour for this one.
            if replicas(&there) > 0 && !keeping::is_reduced_before(&there, order.release) {
                return Ok(State::of(&self.mark(&there, order).await?));
            }
        }
        let full = if was_ordered { replicas(&there) } else { full(component, &there, &beside) };
        self.spare_what_serves(component, order, &there).await?;
        if full > replicas(&there) {
            self.find_room(order, Growing { deployment: there.clone(), full }).await?;
        }
        // Not fewer than serve while traffic moves, whatever an autoscaler thinks of a colour without traffic. Before the rest:
        // a try that ends in between is made again from here.
        self.scale().hold(&name, full).await?;
        self.scale().hold(&beside.name_any(), replicas(&beside)).await?;
        Ok(State::of(&self.exchange(component, order, &there, &container, full).await?))
    }

    /// Runs nothing on a colour, unless a newer release was started there or the Service sends users to it.
    pub(super) async fn stop(
        &self,
        component: &KubernetesComponent,
        colour: Colour,
        release: u64,
    ) -> Result<(), Trouble> {
        if let Some(there) = self.deployments().get_opt(&component.deployment(colour)).await? {
            fence(&there, release)?;
            if replicas(&there) > 0 {
                self.is_idle(component, colour).await?;
                let stopped = self.resize(&there, 0, None).await?;
                // No request looks at two objects: a Service that came here in between gets its Pods back.
                if let Err(trouble) = self.is_idle(component, colour).await {
                    if matches!(trouble, Trouble::Held(_)) {
                        self.resize(&stopped, replicas(&there), there.annotations().get(VERSION)).await?;
                    }
                    return Err(trouble);
                }
            }
        }
        // The release is over, for the colour that stays too.
        for colour in Colour::BOTH {
            self.scale().let_go(&component.deployment(colour)).await?;
        }
        Ok(())
    }

    /// A colour's Deployment and the other one.
    pub(super) async fn both(
        &self,
        component: &KubernetesComponent,
        colour: Colour,
    ) -> kube::Result<(Deployment, Deployment)> {
        let (name, other) = (component.deployment(colour), component.deployment(colour.other()));
        let api = self.deployments();
        tokio::try_join!(api.get(&name), api.get(&other))
    }

    /// No other version takes the place of what users are sent to, unless that is where they were ordered to be.
    async fn spare_what_serves(
        &self,
        component: &KubernetesComponent,
        order: &Start<'_>,
        there: &Deployment,
    ) -> Result<(), Trouble> {
        if replicas(there) == 0 || order.selected == Some(order.colour) {
            return Ok(());
        }
        // It will point elsewhere: a Select is on its way, or a hand is put right in time.
        self.is_idle(component, order.colour).await
    }

    pub(super) async fn is_idle(&self, component: &KubernetesComponent, colour: Colour) -> Result<(), Trouble> {
        let api = Api::<Service>::namespaced(self.client.clone(), &self.settings.namespace);
        let name = &component.workload;
        match api.get_opt(name).await?.as_ref().and_then(colour_of) {
            Some(live) if live == colour => {
                Err(Trouble::Held(format!("Service {name} sends users to {colour}, which is left as it is")))
            }
            _ => Ok(()),
        }
    }

    /// Whether all that this release starts has room, what other components have still to get included.
    async fn find_room(&self, order: &Start<'_>, own: Growing) -> Result<(), Trouble> {
        let mut growing = vec![own];
        for (id, colour, version) in self.starting.beside(order.component, order.release) {
            let component = &self.settings.components[id];
            let (there, beside) = match self.both(component, colour).await {
                // What is not there gets no Pods; its own order says so.
                Err(error) if is_not_found(&error) => continue,
                answer => answer?,
            };
            let runs = container(component, &there).is_some_and(|(_, image)| image::version(&image) == version);
            let is_whole = replicas(&there) > 0 && !keeping::is_reduced_before(&there, order.release);
            let full = if runs && is_whole { replicas(&there) } else { full(component, &there, &beside) };
            growing.push(Growing { deployment: there, full });
        }
        let unchecked = fits::check(self.client, &self.settings.namespace, &growing).await?;
        if !unchecked.is_empty() {
            let unchecked = unchecked.join("; ");
            tracing::info!(release = order.release, unchecked, "not checked: whether both colours fit, in full");
        }
        Ok(())
    }

    /// The release alone: the colour runs the version already and may be serving.
    async fn mark(&self, there: &Deployment, order: &Start<'_>) -> kube::Result<Deployment> {
        let annotations = json!({RELEASE: order.release.to_string(), VERSION: order.version});
        self.merge(there, json!({"metadata": {"annotations": annotations}})).await
    }

    /// So many Pods, of a version that was ordered or of none.
    async fn resize(&self, there: &Deployment, replicas: u32, version: Option<&String>) -> kube::Result<Deployment> {
        let fields = json!({"metadata": {"annotations": {VERSION: version}}, "spec": {"replicas": replicas}});
        self.merge(there, fields).await
    }

    pub(super) async fn merge(&self, there: &Deployment, mut fields: Value) -> kube::Result<Deployment> {
        fields["metadata"]["resourceVersion"] = json!(there.metadata.resource_version);
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        self.deployments().patch(&there.name_any(), &params, &Patch::Merge(fields)).await
    }

    pub(super) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }

    pub(super) fn scale(&self) -> Scale<'_> {
        Scale { client: self.client, namespace: &self.settings.namespace }
    }
}

/// The release that wrote a Deployment last, 0 where none did; a newer one makes the order old.
pub(super) fn fence(there: &Deployment, release: u64) -> Result<u64, Trouble> {
    let written = there.annotations().get(RELEASE).and_then(|text| text.parse().ok()).unwrap_or(0);
    if written > release { Err(Trouble::Newer(written)) } else { Ok(written) }
}

/// How many Pods a colour has when it is full: as configured, else as the other one, which serves, else as it had itself.
fn full(component: &KubernetesComponent, there: &Deployment, beside: &Deployment) -> u32 {
    let had = there.annotations().get(REPLICAS).and_then(|text| text.parse().ok());
    let is_some = |replicas: &u32| *replicas > 0;
    let found = component.replicas.or_else(|| Some(replicas(beside)).filter(is_some)).or(had);
    found.or_else(|| Some(replicas(there))).filter(is_some).unwrap_or(1)
}
