//! The flag service's door: REST for people and scripts, snapshot and stream for SDKs.
//!
//! ```text
//! GET  POST                /api/v1/feature-flags                       list (limit, offset), create
//! GET  PATCH  DELETE       /api/v1/feature-flags/{id or name}
//! GET                      /api/v1/feature-flags/{id or name}/audit-log      newest first (limit, before)
//! GET  POST                /api/v1/feature-flags/{id or name}/check          user_id, environment, attributes
//! GET                      /api/v1/feature-flags/snapshot | stream           for SDKs: a document, server-sent events
//!      POST                /api/v1/feature-flags/exposures                   for SDKs: counts of what was served
//! ```
//! Threat model: there are no tokens yet, so that it listens on loopback only, and whoever may run a program on this machine may change
//! flags. A web page in a browser here may not ([`guard`]). Bodies, their time, connections and streams are bounded.

mod body;
mod check;
mod guard;
mod rest;
mod sdk;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use super::serve::{self, Bounds};
use crate::flags::{Reads, Service};

const ALL: &str = "/api/v1/feature-flags";

/// What the handlers share.
#[derive(Clone)]
struct Door {
    /// All that is told.
    reads: Reads,
    /// Who makes changes.
    service: Service,
    /// One permit for each stream.
    streams: Arc<Semaphore>,
    shutdown: CancellationToken,
}

fn router(service: Service, shutdown: CancellationToken) -> Router {
    let path = |rest: &str| format!("{ALL}{rest}");
    Router::new()
        .route(ALL, get(rest::list).post(rest::create))
        .route(&path("/snapshot"), get(sdk::snapshot))
        .route(&path("/stream"), get(stream::stream))
        .route(&path("/exposures"), post(sdk::exposures))
        .route(&path("/{flag}"), get(rest::show).patch(rest::change).delete(rest::delete))
        .route(&path("/{flag}/audit-log"), get(rest::audit))
        .route(&path("/{flag}/check"), get(check::by_query).post(check::by_body))
        .layer(axum::middleware::from_fn(guard::guard))
        .with_state(Door {
            reads: service.reads().clone(),
            service,
            streams: Arc::new(Semaphore::new(stream::MOST)),
            shutdown,
        })
}

/// Opens the door. The task ends soon after `shutdown`, whatever clients do.
///
/// # Errors
/// [`ServeError::Flags`].
pub async fn start(
    service: Service,
    listen: SocketAddr,
    shutdown: CancellationToken,
) -> Result<(SocketAddr, JoinHandle<()>), ServeError> {
    let failed = |error| ServeError::Flags { address: listen, error };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = router(service, shutdown.clone());
    let task = tokio::spawn(serve::serve(listener, router, Bounds::FLAGS, shutdown));
    Ok((address, task))
}
