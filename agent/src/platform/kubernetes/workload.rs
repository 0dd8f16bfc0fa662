//! Starting and stopping a colour: what is written to its Deployment, and in which order.
//!
//! ```text
//!  Start: copies of the configuration -> image, copies, release (one apply, against the version read) -> autoscalers -> replicas
//!  Stop:  autoscalers as they were -> replicas 0
//! ```
//! Every step is absolute and may be done again.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use teal_rollout::colour::Colour;

use super::capacity::{container, replicas};
use super::copies::{self, Copies};
use super::image;
use super::references::{self, Names};
use super::scale::Scale;
use super::settings::{
    CONFIG, KubernetesComponent, KubernetesSettings, MANAGER, ORIGINALS, RELEASE, REPLICAS, VERSION,
};
use super::trouble::Trouble;
use crate::cluster::client::brief;

/// A state of a Deployment, and all that come after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    generation: i64,
}

impl State {
    fn of(deployment: &Deployment) -> Self {
        Self { generation: deployment.metadata.generation.unwrap_or(0) }
    }

    pub(super) fn is_seen_in(&self, deployment: &Deployment) -> bool {
        deployment.metadata.generation.unwrap_or(0) >= self.generation
    }
}

/// The workloads of one namespace.
pub(super) struct Workloads<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) settings: &'a KubernetesSettings,
}

impl Workloads<'_> {
    /// Runs `version` on a colour at full capacity; what runs it already is never restarted. The state of
    /// its Deployment from which on that is said.
    pub(super) async fn start(
        &self,
        component: &KubernetesComponent,
        colour: Colour,
        version: &str,
        release: u64,
    ) -> Result<State, Trouble> {
        let (name, other) = (component.deployment(colour), component.deployment(colour.other()));
        let api = self.deployments();
        let (there, beside) = tokio::try_join!(api.get(&name), api.get(&other))?;
        let written = written(&there);
        if written > release {
            return Err(Trouble::Newer(written));
        }
        let Some((container, image)) = container(component, &there) else {
            return Err(Trouble::Never(format!(
                "Deployment {name} has no container that is clearly meant: set `container`"
            )));
        };
        let full = full(component, &there, &beside);
        let scale = self.scale();
        let is_new = image::version(&image) != version || replicas(&there) == 0;
        let state = if is_new {
            // Not fewer than serve while traffic moves, whatever an autoscaler thinks of a colour without traffic. Before the rest:
            // a try that ends in between is made again from here.
            scale.hold(&name, full).await?;
            scale.hold(&other, replicas(&beside)).await?;
            self.exchange(component, &there, &container, version, release, full).await?
        } else if written != release {
            self.mark(&there, version, release).await?
        } else {
            State::of(&there)
        };
        // What served before this release has the number that an autoscaler or a person gave it.
        if (is_new || written == release) && replicas(&there) < full {
            scale.set(&name, full).await?;
        }
        Ok(state)
    }

    /// Runs nothing on a colour, unless a newer release was started there.
    pub(super) async fn stop(
        &self,
        component: &KubernetesComponent,
        colour: Colour,
        release: u64,
    ) -> Result<(), Trouble> {
        let name = component.deployment(colour);
        let there = self.deployments().get(&name).await?;
        let written = written(&there);
        if written > release {
            return Err(Trouble::Newer(written));
        }
        let scale = self.scale();
        // The release is over, for the colour that stays too.
        for colour in Colour::BOTH {
            scale.let_go(&component.deployment(colour)).await?;
        }
        if replicas(&there) > 0 {
            scale.set(&name, 0).await?;
        }
        Ok(())
    }

    /// Another version, with a copy of the configuration as it is now.
    async fn exchange(
        &self,
        component: &KubernetesComponent,
        there: &Deployment,
        container: &str,
        version: &str,
        release: u64,
        full: u32,
    ) -> Result<State, Trouble> {
        let name = there.name_any();
        let spec = there.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let spec = serde_json::to_value(spec).map_err(kube::Error::SerdeError)?;
        let known = copies::originals(there.annotations().get(ORIGINALS));
        let original = |name: &String| known.get(name).unwrap_or(name).clone();
        let named = references::named(&spec);
        let originals: BTreeSet<_> = named.iter().map(|(kind, name)| (*kind, original(name))).collect();
        let namespace = &self.settings.namespace;
        let copies = Copies { client: self.client, namespace, deployment: &name, secrets: component.secrets };
        let made = copies.make(&originals).await?;
        let stands_for = |name: &String, kind| {
            let original = original(name);
            made.get(&(kind, original.clone())).cloned().unwrap_or(original)
        };
        let names: Names = named.iter().map(|(kind, name)| ((*kind, name.clone()), stands_for(name, *kind))).collect();

        let mut template = references::exchanged(&spec, &names);
        set_image(&mut template, container, &there_image(there, container), version);
        let now: serde_json::Map<String, Value> =
            made.iter().map(|((_, original), copy)| (copy.clone(), json!(original))).collect();
        let patch = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "resourceVersion": there.metadata.resource_version,
                "annotations": {
                    RELEASE: release.to_string(), VERSION: version, REPLICAS: full.to_string(),
                    ORIGINALS: Value::Object(now).to_string(),
                },
            },
            "spec": {"template": {
                "metadata": {"annotations": {CONFIG: copies::hash(&made).unwrap_or_else(|| "none".to_owned())}},
                "spec": template,
            }},
        });
        let params = PatchParams::apply(MANAGER).force();
        let after = self.deployments().patch(&name, &params, &Patch::Apply(patch)).await?;
        // Pods of the template before may still be there, with the copies that they name.
        let kept = known.into_keys().chain(made.into_values()).collect();
        if let Err(error) = copies.keep_only(&kept).await {
            // What is not tidied up now is tidied up at the next start.
            tracing::warn!(
                error = brief(&error),
                deployment = name,
                "old copies of the configuration were not deleted"
            );
        }
        Ok(State::of(&after))
    }

    /// The release alone: the colour runs the version already and may be serving.
    async fn mark(&self, there: &Deployment, version: &str, release: u64) -> kube::Result<State> {
        let patch = json!({"metadata": {
            "resourceVersion": there.metadata.resource_version,
            "annotations": {RELEASE: release.to_string(), VERSION: version},
        }});
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let after = self.deployments().patch(&there.name_any(), &params, &Patch::Merge(patch)).await?;
        Ok(State::of(&after))
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.settings.namespace)
    }

    fn scale(&self) -> Scale<'_> {
        Scale { client: self.client, namespace: &self.settings.namespace }
    }
}

/// The release that wrote a Deployment last; 0 where none did.
fn written(there: &Deployment) -> u64 {
    there.annotations().get(RELEASE).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// How many Pods a colour has when it is full: as configured, else as the other one, which serves, else as it had itself.
fn full(component: &KubernetesComponent, there: &Deployment, beside: &Deployment) -> u32 {
    let had = there.annotations().get(REPLICAS).and_then(|text| text.parse().ok());
    let is_some = |replicas: &u32| *replicas > 0;
    let found = component.replicas.or_else(|| Some(replicas(beside)).filter(is_some)).or(had);
    found.or_else(|| Some(replicas(there))).filter(is_some).unwrap_or(1)
}

fn there_image(there: &Deployment, container: &str) -> String {
    let spec = there.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let found = spec.into_iter().flat_map(|spec| &spec.containers).find(|it| it.name == container);
    found.and_then(|container| container.image.clone()).unwrap_or_default()
}

/// Adds the image to the parts of a template that are applied.
fn set_image(template: &mut Value, container: &str, image: &str, version: &str) {
    let image = image::with_version(image, version);
    if !template["containers"].is_array() {
        template["containers"] = json!([]);
    }
    let Some(containers) = template["containers"].as_array_mut() else { return };
    match containers.iter_mut().find(|it| it["name"] == container) {
        Some(found) => found["image"] = json!(image),
        None => containers.push(json!({"name": container, "image": image})),
    }
}
