//! The observers' door of an edge's agent: what agents on the nodes tell comes in here, and nothing else does.
//!
//! ```text
//! POST /api/v1/environments/{environment}/observations     an Observation -> 204 | problem+json with the field
//! ```
//! Threat model (docs/threat-model.md): who has a token of role `observer` may tell what is not so. It counts only while this agent's own
//! watch is broken, and then takes a release back at worst, never forward. Bodies, their time, connections and requests are bounded.

mod refused;
mod take;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::access::{self, Access, Counters};
use super::serve::Bounds;
use super::tls::{Tls, TlsFiles};
use super::{ServeError, serve};
use crate::cluster::nodes::Heard;

/// Whoever tells comes again within a second: a node's observer needs one connection, and one more while it renews it.
const BOUNDS: Bounds = Bounds { most: 1_024, most_each: 256, ..Bounds::FEW };

/// How the door is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where.
    pub listen: SocketAddr,
    /// Its certificate; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Whom it lets in.
    pub access: access::Settings,
}

/// An environment that is told of.
#[derive(Clone, Debug)]
pub struct Told {
    /// The Services that its Deployments are named after.
    pub workloads: Vec<String>,
    /// Where it is kept.
    pub heard: Heard,
}

/// The open door.
#[derive(Debug)]
pub struct Open {
    /// Where it listens.
    pub address: SocketAddr,
    /// Ends soon after `shutdown`, whatever clients do.
    pub task: JoinHandle<()>,
}

/// Opens the door for these environments.
///
/// # Errors
/// [`ServeError::Observers`] and [`ServeError::ObserversTls`].
pub async fn start(
    environments: BTreeMap<String, Told>,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Open, ServeError> {
    let Settings { listen, tls, access } = settings;
    let failed = |error| ServeError::Observers { address: listen, error };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (tls, pair) = match tls {
        Some(files) => Some(Tls::start(files, shutdown.clone()).await.map_err(ServeError::ObserversTls)?).unzip(),
        None => (None, None),
    };
    let router = router(environments, access, address.ip().is_loopback());
    let task = tokio::spawn(async move {
        serve::serve(listener, router, BOUNDS, tls, shutdown).await;
        if let Some(pair) = pair {
            // It ends by the same token; a panic was reported where it happened.
            let _ = pair.await;
        }
    });
    Ok(Open { address, task })
}

fn router(environments: BTreeMap<String, Told>, settings: access::Settings, is_loopback: bool) -> Router {
    let access = Arc::new(Access::new(settings, is_loopback, Arc::<Counters>::default()));
    Router::new()
        .route(crate::access::OBSERVATIONS, post(take::take))
        .fallback(async || refused::no_path())
        .layer(from_fn_with_state(access, access::admit))
        .with_state(Arc::new(environments))
}

#[cfg(test)]
mod tests;
