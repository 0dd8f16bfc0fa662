//! The ports of an environment that have more than one kind: its edge and its platform.

use teal_rollout::machine::Event;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{RuntimeError, wiring};
use crate::cluster::client::Cluster;
use crate::config::{Environment, SwitchBy};
use crate::proxy::EdgeOrder;
use crate::proxy::haproxy::edge::{self, EdgeHandle, EdgeMonitor};
use crate::proxy::selector::{self, SelectorHandle};

/// A running edge.
pub(super) enum Edge {
    /// A HAProxy.
    HaProxy(EdgeHandle),
    /// The Services of a namespace.
    Selector(SelectorHandle),
}

impl Edge {
    /// Starts the edge that the environment's configuration names, at its place among all edges.
    pub(super) fn start(
        name: &str,
        environment: &Environment,
        cluster: Option<&Cluster>,
        orders: mpsc::Receiver<EdgeOrder>,
        events: mpsc::Sender<Event>,
        shutdown: &CancellationToken,
    ) -> Result<Self, RuntimeError> {
        let own = environment.own_edge();
        match (environment.switch.by, cluster) {
            (SwitchBy::Selector, Some(cluster)) => {
                let settings = wiring::selector_settings(environment);
                Ok(Self::Selector(selector::spawn(settings, cluster.client.clone(), own, orders, events, shutdown)))
            }
            _ => {
                let settings = wiring::edge_settings(name, environment);
                let edge = edge::spawn(&settings, own, orders, events, shutdown.clone());
                let edge = edge.map_err(|error| RuntimeError::Edge { environment: name.to_owned(), error });
                Ok(Self::HaProxy(edge?))
            }
        }
    }

    /// What it shows of itself; a cluster's Services show it in the cluster.
    pub(super) fn monitor(&self) -> Option<EdgeMonitor> {
        match self {
            Self::HaProxy(edge) => Some(edge.monitor().clone()),
            Self::Selector(_) => None,
        }
    }

    pub(super) async fn ended(self) {
        match self {
            Self::HaProxy(edge) => edge.ended().await,
            Self::Selector(edge) => edge.ended().await,
        }
    }
}
