//! An observer: the agent on a node that tells the edges' agents how the Pods there are, and does nothing else.
//!
//! ```text
//!  Pods of this node --watch--> counted, an environment --+--> an edge: POST at each change and each second
//!                                                         '--> another: each has a task of its own, none waits for another
//! ```
//! It asks the API server for the Pods of its node and nothing else, keeps nothing on disk, and orders nobody.

mod counting;
mod report;
mod way;

use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::way::Way;
pub use self::way::WayError;
use crate::cluster::nodes::trim;
use crate::cluster::watch::{Scope, spawn_trimmed};

/// What an observer is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name among the observers.
    pub name: String,
    /// Whose Pods it watches.
    pub node: String,
    /// What it watches there.
    pub places: Vec<Place>,
    /// The agents of the edges: `http(s)://HOST[:PORT]`.
    pub edges: Vec<String>,
    /// The file with its token, read again for each telling.
    pub token_file: PathBuf,
    /// A PEM file with the only certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// An environment.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name, as the edges' agents know it.
    pub environment: String,
    /// Where its Pods are.
    pub namespace: String,
    /// The Services that its Deployments are named after.
    pub workloads: Vec<String>,
}

/// Starts it; its tasks by their names, which end with `stop`.
///
/// # Errors
/// [`WayError`]: an authority that cannot be read, or no random numbers.
pub fn spawn(
    settings: Settings,
    client: &kube::Client,
    stop: &CancellationToken,
) -> Result<Vec<(String, JoinHandle<()>)>, WayError> {
    let boot = uuid::Uuid::new_v4().simple().to_string();
    let own = Arc::new(report::Own { observer: settings.name.clone(), boot, node: settings.node.clone() });
    // All ways first: where one cannot be, nothing was started.
    let ways: Vec<Way> = settings.edges.iter().map(|edge| Way::to(edge, &settings)).collect::<Result<_, _>>()?;
    let mut tasks = Vec::new();
    for place in settings.places {
        let fields = Some(format!("spec.nodeName={}", settings.node));
        let pods = Api::<Pod>::namespaced(client.clone(), &place.namespace);
        let (pods, watching) = spawn_trimmed(pods, Scope { fields, labels: None }, trim, stop.clone());
        tasks.push((format!("{}: the watch of Pods", place.environment), watching));
        let (publish, counted) = watch::channel(None);
        let counting = counting::run(pods, place.workloads, publish);
        tasks.push((format!("{}: counting", place.environment), until(counting, stop)));
        for way in &ways {
            let telling = report::run(own.clone(), way.clone(), place.environment.clone(), counted.clone());
            tasks.push((format!("{}: telling {}", place.environment, way.edge()), until(telling, stop)));
        }
    }
    Ok(tasks)
}

fn until(task: impl Future<Output = ()> + Send + 'static, stop: &CancellationToken) -> JoinHandle<()> {
    let stop = stop.clone();
    tokio::spawn(async move {
        let _cancelled = stop.run_until_cancelled(task).await;
    })
}

#[cfg(test)]
mod tests;
