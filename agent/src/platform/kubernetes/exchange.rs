//! Another version on a colour: image, copies of its configuration, release and replicas, in one apply against what was read.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::copies::{self, Copies};
use super::image;
use super::references::{self, Names};
use super::settings::{CONFIG, KEPT, KubernetesComponent, MANAGER, ORIGINALS, RELEASE, REPLICAS, VERSION};
use super::trouble::Trouble;
use super::workload::{Start, Workloads};
use crate::cluster::client::brief;

impl Workloads<'_> {
    /// Another version in so many Pods, with a copy of the configuration as it is now.
    pub(super) async fn exchange(
        &self,
        component: &KubernetesComponent,
        order: &Start<'_>,
        there: &Deployment,
        container: &str,
        full: u32,
    ) -> Result<Deployment, Trouble> {
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
        set_image(&mut template, container, &there_image(there, container), order.version);
        let now: serde_json::Map<String, Value> =
            made.iter().map(|((_, original), copy)| (copy.clone(), json!(original))).collect();
        let patch = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "resourceVersion": there.metadata.resource_version,
                "annotations": {
                    RELEASE: order.release.to_string(), VERSION: order.version, REPLICAS: full.to_string(),
                    KEPT: "full",
                    ORIGINALS: Value::Object(now).to_string(),
                },
            },
            "spec": {"replicas": full, "template": {
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
        Ok(after)
    }
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
