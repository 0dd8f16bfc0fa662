//! The least number of Pods of an autoscaler, held during a release.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::settings::{LEAST, MANAGER};
use crate::cluster::client::is_not_found;

/// The autoscalers of a namespace.
pub(super) struct Scale<'a> {
    pub(super) client: &'a kube::Client,
    pub(super) namespace: &'a str,
}

impl Scale<'_> {
    /// Holds the autoscaler of a Deployment, where there is one, at `least` Pods or more. Its own number is remembered.
    pub(super) async fn hold(&self, deployment: &str, least: u32) -> kube::Result<()> {
        for scaler in self.of(deployment).await? {
            let spec = scaler.spec.clone().unwrap_or_default();
            let own = spec.min_replicas.unwrap_or(1);
            let least = i32::try_from(least).unwrap_or(i32::MAX).min(spec.max_replicas);
            if own >= least {
                continue;
            }
            let remembered = scaler.annotations().get(LEAST).cloned().unwrap_or_else(|| own.to_string());
            let patch = json!({"metadata": {"annotations": {LEAST: remembered}}, "spec": {"minReplicas": least}});
            self.patch(&scaler, patch).await?;
        }
        Ok(())
    }

    /// Lets the autoscaler go by its own number again.
    pub(super) async fn let_go(&self, deployment: &str) -> kube::Result<()> {
        for scaler in self.of(deployment).await? {
            let own = scaler.annotations().get(LEAST).and_then(|text| text.parse::<i32>().ok());
            if let Some(own) = own {
                let patch = json!({"metadata": {"annotations": {LEAST: null}}, "spec": {"minReplicas": own}});
                self.patch(&scaler, patch).await?;
            }
        }
        Ok(())
    }

    async fn of(&self, deployment: &str) -> kube::Result<Vec<HorizontalPodAutoscaler>> {
        let all = self.scalers().list(&ListParams::default()).await?;
        let scales = |scaler: &HorizontalPodAutoscaler| {
            let target = scaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
            target.is_some_and(|target| target.kind == "Deployment" && target.name == deployment)
        };
        Ok(all.items.into_iter().filter(scales).collect())
    }

    async fn patch(&self, scaler: &HorizontalPodAutoscaler, mut patch: serde_json::Value) -> kube::Result<()> {
        patch["metadata"]["resourceVersion"] = json!(scaler.resource_version());
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

fn params() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}
