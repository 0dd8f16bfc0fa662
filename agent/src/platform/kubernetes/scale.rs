//! What an autoscaler may do, held during a release: at least so many Pods, or exactly so many of a colour that is kept in few.
//!
//! Its own numbers are remembered beside them, and come back at the end of the release.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::settings::{KEPT, LEAST, MANAGER, MOST};
use super::trouble::is_forbidden;
use crate::cluster::client::is_not_found;

/// The autoscalers of a namespace.
pub(super) struct Scale<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) namespace: &'a str,
}

/// The numbers of Pods that an autoscaler chooses between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    least: i32,
    most: i32,
}

impl Bounds {
    fn now(scaler: &HorizontalPodAutoscaler) -> Self {
        let spec = scaler.spec.as_ref();
        let least = spec.and_then(|spec| spec.min_replicas).unwrap_or(1);
        Self { least, most: spec.map_or(least, |spec| spec.max_replicas) }
    }

    /// Its own, whatever it is held at.
    fn own(scaler: &HorizontalPodAutoscaler) -> Self {
        let remembered = |name| scaler.annotations().get(name).and_then(|text| text.parse().ok());
        let now = Self::now(scaler);
        Self { least: remembered(LEAST).unwrap_or(now.least), most: remembered(MOST).unwrap_or(now.most) }
    }

    fn at_least(self, least: u32) -> Self {
        Self { least: number(least).min(self.most).max(self.least), ..self }
    }
}

impl Scale<'_> {
    /// Holds the autoscaler of a Deployment, where there is one, at `least` Pods or more.
    pub(super) async fn hold(&self, deployment: &str, least: u32) -> kube::Result<()> {
        for scaler in self.of(deployment).await? {
            let bounds = Bounds::own(&scaler).at_least(least);
            let now = Bounds::now(&scaler);
            if now.most < bounds.most || now.least < bounds.least {
                self.set(&scaler, bounds, None).await?;
            }
        }
        Ok(())
    }

    /// Has these autoscalers, as they were read, keep exactly `count` Pods, as of an order to scale.
    pub(super) async fn pin(&self, scalers: &[HorizontalPodAutoscaler], count: u32, order: &str) -> kube::Result<()> {
        let count = number(count);
        for scaler in scalers {
            self.set(scaler, Bounds { least: count, most: count }, Some(order)).await?;
        }
        Ok(())
    }

    /// Has these autoscalers, as they were read, keep `least` Pods or more, as of an order to scale.
    pub(super) async fn unpin(&self, scalers: &[HorizontalPodAutoscaler], least: u32, order: &str) -> kube::Result<()> {
        for scaler in scalers {
            let bounds = Bounds::own(scaler).at_least(least);
            match self.set(scaler, bounds, Some(order)).await {
                // Never held by Teal, which may not write it: what it would be set to, it is.
                Err(error) if is_forbidden(&error) && Bounds::now(scaler) == bounds => {}
                set => set?,
            }
        }
        Ok(())
    }

    /// Lets the autoscaler go by its own numbers again.
    pub(super) async fn let_go(&self, deployment: &str) -> kube::Result<()> {
        for scaler in self.of(deployment).await? {
            if [LEAST, MOST, KEPT].iter().any(|name| scaler.annotations().contains_key(*name)) {
                self.set(&scaler, Bounds::own(&scaler), None).await?;
            }
        }
        Ok(())
    }

    /// The autoscalers of a Deployment.
    pub(super) async fn of(&self, deployment: &str) -> kube::Result<Vec<HorizontalPodAutoscaler>> {
        let all = self.scalers().list(&ListParams::default()).await?;
        let scales = |scaler: &HorizontalPodAutoscaler| {
            let target = scaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
            target.is_some_and(|target| target.kind == "Deployment" && target.name == deployment)
        };
        Ok(all.items.into_iter().filter(scales).collect())
    }

    /// Writes bounds, and beside them its own where they are others. The order is written in any case: a write that an older
    /// order has still to make meets another version then.
    async fn set(&self, scaler: &HorizontalPodAutoscaler, to: Bounds, order: Option<&str>) -> kube::Result<()> {
        let own = Bounds::own(scaler);
        let remember = |own: i32, to: i32| (own != to).then(|| own.to_string());
        let annotations = json!({
            LEAST: remember(own.least, to.least), MOST: remember(own.most, to.most), KEPT: order,
        });
        let patch = json!({
            "metadata": {"annotations": annotations, "resourceVersion": scaler.resource_version()},
            "spec": {"minReplicas": to.least, "maxReplicas": to.most},
        });
        match self.scalers().patch(&scaler.name_any(), &params(), &Patch::Merge(patch)).await {
            // Deleted meanwhile: it holds nothing back any more.
            Err(error) if !is_not_found(&error) => Err(error),
            _ => Ok(()),
        }
    }

    fn scalers(&self) -> Api<HorizontalPodAutoscaler> {
        Api::namespaced(self.client.clone(), self.namespace)
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}
