//! The store on Kubernetes: the document in the resource `BlueGreen`, orders out of it, status and events into it.
//!
//! ```text
//!                       .--> resource: put, news ---> the writer task
//!  watch of one object -+--> edges: others' reports -> Event::Edge
//!                       +--> orders: spec.intent ----> the controller, once; the answer -> status.order
//!                       '--> status: own entry, and the leader's story; at most one write a second, none at rest
//!  news for people ---------> tell: Kubernetes Events
//! ```
//! Every part goes on by itself while the API server is away: what is wanted is compared with what is seen, again and again.

mod apply;
mod edges;
mod open;
mod orders;
mod resource;
mod status;
mod tell;

use kube::Api;

pub use self::edges::{Others, spawn as spawn_edges};
pub use self::open::{Opened, open};
pub use self::orders::{Asked, Orders, spawn as spawn_orders};
pub use self::resource::Resource;
pub use self::status::{Said, Shown, Story, spawn as spawn_status};
pub use self::tell::{Teller, Told, spawn as spawn_teller};
use crate::cluster::resource::BlueGreen;
use crate::cluster::watch::{self, Scope, Watched};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Which resource, and who writes it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub namespace: String,
    /// What it is called: the application's name.
    pub name: String,
    /// This agent's name: of its edge, where it has one. Part of its field manager.
    pub agent: String,
}

impl Settings {
    /// The resources of the namespace.
    #[must_use]
    pub fn api(&self, client: &kube::Client) -> Api<BlueGreen> {
        Api::namespaced(client.clone(), &self.namespace)
    }

    fn place(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// The watch that all parts share.
#[must_use]
pub fn watched(
    client: &kube::Client,
    settings: &Settings,
    stop: CancellationToken,
) -> (Watched<BlueGreen>, JoinHandle<()>) {
    watch::spawn(settings.api(client), Scope::named(&settings.name), stop)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
