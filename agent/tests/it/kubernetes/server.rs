//! The API server of a test's cluster: the fake, or a real one where there is one to start.

use std::sync::Arc;

use teal_testkit::kubernetes::{ApiServer, ControlPlane, World};

/// Cheap to clone; the real one ends with its last copy.
#[derive(Clone)]
pub(super) enum Server {
    Fake(Arc<ApiServer>),
    Real(Arc<ControlPlane>),
}

impl Server {
    /// May do everything.
    pub(super) fn client(&self) -> kube::Client {
        match self {
            Self::Fake(server) => server.client(),
            Self::Real(plane) => plane.client("admin"),
        }
    }

    pub(super) fn client_as_controllers(&self) -> kube::Client {
        match self {
            Self::Fake(server) => server.client_as_controllers(),
            Self::Real(_) => self.client(),
        }
    }

    pub(super) fn kubeconfig(&self, user: &str) -> String {
        match self {
            Self::Fake(server) => server.kubeconfig(user),
            Self::Real(plane) => plane.kubeconfig(user),
        }
    }

    /// Its controllers and nodes.
    pub(super) fn world(&self, namespace: &str) -> World<'_> {
        match self {
            Self::Fake(server) => World::of(server, namespace),
            Self::Real(_) => World::with(self.client(), namespace),
        }
    }
}
