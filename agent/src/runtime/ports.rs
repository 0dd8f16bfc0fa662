//! The ports of an environment that have more than one kind: its edge and its platform.

use teal_rollout::machine::Event;
use teal_rollout::policy::Policy;
use teal_rollout::settings::Mode;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{RuntimeError, wiring};
use crate::cluster::client::Cluster;
use crate::cluster::nodes::Heard;
use crate::config::{Config, Environment, SwitchBy};
use crate::platform::PlatformOrder;
use crate::platform::kubernetes::{self, KubernetesHandle};
use crate::platform::local::{self, LocalHandle};
use crate::proxy::EdgeOrder;
use crate::proxy::hand::Hands;
use crate::proxy::haproxy::edge::{self, EdgeHandle, EdgeMonitor};
use crate::proxy::haproxy::force;
use crate::proxy::selector::{self, SelectorHandle};

/// Orders that may wait for a port.
pub(super) const ORDERS: usize = 256;

/// A running platform.
pub(super) enum Platform {
    /// Processes here.
    Local(LocalHandle),
    /// Workloads of a cluster.
    Kubernetes(KubernetesHandle),
}

impl Platform {
    /// Starts the platform that the configuration names. It is looked at in every mode; nothing is adopted unless Teal acts.
    pub(super) fn start(
        config: &Config,
        name: &str,
        environment: &Environment,
        cluster: Option<(&Cluster, &Heard)>,
        events: &mpsc::Sender<Event>,
        shutdown: &CancellationToken,
    ) -> Result<Option<(mpsc::Sender<PlatformOrder>, Self)>, RuntimeError> {
        let (sender, orders) = mpsc::channel(ORDERS);
        if let Some((cluster, heard)) = cluster {
            let settings = wiring::kubernetes_settings(environment);
            let handle = kubernetes::spawn(settings, cluster.client.clone(), heard, orders, events, shutdown);
            return Ok(Some((sender, Self::Kubernetes(handle))));
        }
        let here = |error| RuntimeError::State { path: config.state.clone(), error };
        let binary = std::env::current_exe().map_err(here)?;
        let settings = wiring::local_settings(config, name, environment, &binary);
        let handle = match environment.mode {
            Mode::Observe | Mode::Advise => local::look(settings, orders, events, shutdown),
            Mode::Act => local::spawn(settings, orders, events, shutdown),
        };
        let failed = |error| RuntimeError::Platform { environment: name.to_owned(), error };
        Ok(Some((sender, Self::Local(handle.map_err(failed)?))))
    }

    pub(super) async fn join(self) {
        match self {
            Self::Local(platform) => platform.join().await,
            Self::Kubernetes(platform) => platform.join().await,
        }
    }
}

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

    /// Where it is noted who moved it by hand.
    pub(super) fn hands(&self, environment: &Environment) -> Hands {
        match self {
            Self::HaProxy(_) => Hands::Map(environment.edge.map.clone()),
            Self::Selector(edge) => Hands::Services(edge.monitor().clone()),
        }
    }

    /// The policy that it routes by, looked at whenever it is asked.
    pub(super) fn present(&self, components: usize) -> Box<dyn Fn() -> Option<Policy> + Send> {
        match self {
            Self::HaProxy(edge) => {
                let monitor = edge.monitor().clone();
                Box::new(move || {
                    let status = monitor.status();
                    force::present(components, status.running, status.saved)
                })
            }
            Self::Selector(edge) => {
                let monitor = edge.monitor().clone();
                Box::new(move || monitor.policy())
            }
        }
    }

    pub(super) async fn ended(self) {
        match self {
            Self::HaProxy(edge) => edge.ended().await,
            Self::Selector(edge) => edge.ended().await,
        }
    }
}
