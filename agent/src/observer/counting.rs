//! Counts the Pods at each change.

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;

use crate::api::PodGroup;
use crate::cluster::nodes::groups;
use crate::cluster::watch::Watched;

/// Publishes the counts; `None` while the watch does not say how things are now.
pub(super) async fn run(mut pods: Watched<Pod>, workloads: Vec<String>, publish: watch::Sender<Option<Vec<PodGroup>>>) {
    loop {
        let seen = pods.look_and_note(|view| {
            let all = || groups(view.objects().map(AsRef::as_ref), &workloads);
            (view.is_complete() && view.is_current()).then(all)
        });
        publish.send_if_modified(|known| {
            let differs = *known != seen;
            *known = seen;
            differs
        });
        if !pods.changed().await {
            return;
        }
    }
}
