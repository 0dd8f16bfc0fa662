//! One server-side apply to the status.

use kube::api::{Patch, PatchParams};
use kube::{Api, Resource as _};
use serde_json::{Value, json};

use super::Settings;
use crate::cluster::resource::BlueGreen;

/// Applies `status` as what `manager` owns; with `version` only over that version of the object.
pub(super) async fn status(
    api: &Api<BlueGreen>,
    settings: &Settings,
    manager: &str,
    version: Option<&str>,
    status: Value,
) -> kube::Result<BlueGreen> {
    let mut object = json!({
        "apiVersion": BlueGreen::api_version(&()),
        "kind": BlueGreen::kind(&()),
        "metadata": {"name": settings.name},
        "status": status,
    });
    if let Some(version) = version {
        object["metadata"]["resourceVersion"] = json!(version);
    }
    // What one agent owns no other writes, except the leader's part, which the next leader takes over.
    let params = PatchParams::apply(manager).force();
    api.patch_status(&settings.name, &params, &Patch::Apply(object)).await
}
