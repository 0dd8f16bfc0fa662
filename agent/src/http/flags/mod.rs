//! The flag service's door: REST for people and scripts, snapshot and stream for SDKs.
//!
//! ```text
//! GET  POST                /api/v1/feature-flags                       list (filters, pages), create
//! GET  PATCH  DELETE       /api/v1/feature-flags/{id or name}
//! GET                      /api/v1/feature-flags[/{id or name}]/audit-log     newest first (filters, before)
//! GET  POST                /api/v1/feature-flags/{id or name}/check          user_id, environment, attributes
//! GET  POST                /api/v1/feature-flags/segments                    groups of users that flags share
//! GET  PATCH  DELETE       /api/v1/feature-flags/segments/{name}
//! GET                      /api/v1/feature-flags/stale                       flags that can go (days)
//! GET                      /api/v1/feature-flags/snapshot | stream           for SDKs: a document, server-sent events
//!      POST                /api/v1/feature-flags/exposures                   for SDKs: counts of what was served
//!      POST                /ofrep/v1/evaluate/flags[/{name}]                 for clients of OpenFeature (../ofrep)
//!      POST                /api/v1/feature-flags/import                      what another application kept
//! GET                      /api/openapi.json                           all of this, for programs
//! ```
//! Threat model: there are no tokens yet, so that it listens on loopback only, and whoever may run a program on this machine may change
//! flags. A web page in a browser here may not ([`guard`]). Bodies, their time, connections and streams are bounded.

mod audit;
pub(in crate::http) mod body;
mod check;
mod described;
mod guard;
mod import;
mod list;
mod loaded;
mod relayed;
pub(in crate::http) mod rest;
mod sdk;
mod segments;
mod stale;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ofrep;
use super::routes::{Routes, delete, get, patch, post};
use super::serve::{self, Bounds};
use super::{ServeError, openapi};
use crate::flags::{Keeper, Reads};

/// A path of flags.
macro_rules! below {
    ($rest:literal) => {
        concat!("/api/v1/feature-flags", $rest)
    };
}

const ALL: &str = below!("");

/// What the handlers share.
#[derive(Clone)]
struct Door {
    /// All that is told.
    reads: Reads,
    /// Who makes changes, or knows who does.
    keeper: Keeper,
    /// One permit for each stream.
    streams: Arc<Semaphore>,
    /// The OpenAPI document.
    document: Arc<str>,
    shutdown: CancellationToken,
}

/// Every path of the door, with what is said of it.
fn routes() -> Routes<Door> {
    let routes = Routes::new()
        .at(ALL, [get(list::list, described::list()), post(rest::create, described::create())])
        .at(below!("/snapshot"), [get(sdk::snapshot, described::snapshot())])
        .at(below!("/stream"), [get(stream::stream, described::stream())])
        .at(
            below!("/segments"),
            [get(segments::list, described::segments()), post(segments::create, described::create_segment())],
        )
        .at(
            below!("/segments/{segment}"),
            [
                get(segments::show, described::show_segment()),
                patch(segments::change, described::change_segment()),
                delete(segments::delete, described::delete_segment()),
            ],
        )
        .at(below!("/audit-log"), [get(audit::of_all, described::audit_of_all())])
        .at(below!("/stale"), [get(stale::stale, described::stale())])
        .at(below!("/exposures"), [post(sdk::exposures, described::exposures())])
        .at(below!("/import"), [post(import::import, described::import())])
        .at(
            below!("/{flag}"),
            [
                get(rest::show, described::show()),
                patch(rest::change, described::change()),
                delete(rest::delete, described::delete()),
            ],
        )
        .at(below!("/{flag}/audit-log"), [get(audit::of_flag, described::audit())])
        .at(
            below!("/{flag}/check"),
            [get(check::by_query, described::check_by_query()), post(check::by_body, described::check())],
        )
        .at(openapi::PATH, [get(document, described::document())]);
    ofrep::add(routes)
}

impl FromRef<Door> for Reads {
    fn from_ref(door: &Door) -> Self {
        door.reads.clone()
    }
}

async fn document(State(door): State<Door>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], door.document.to_string())
}

fn router(keeper: Keeper, shutdown: CancellationToken) -> Router {
    let routes = routes();
    let door = Door {
        reads: keeper.reads().clone(),
        keeper: keeper.clone(),
        streams: Arc::new(Semaphore::new(stream::MOST)),
        document: openapi::text(routes.described()).into(),
        shutdown,
    };
    let relayed = from_fn_with_state(keeper, relayed::relayed);
    let loaded = from_fn_with_state(door.reads.clone(), loaded::loaded);
    routes.router().layer(loaded).layer(relayed).layer(from_fn(guard::guard)).with_state(door)
}

/// Opens the door. The task ends soon after `shutdown`, whatever clients do.
///
/// # Errors
/// [`ServeError::Flags`].
pub async fn start(
    keeper: Keeper,
    listen: SocketAddr,
    shutdown: CancellationToken,
) -> Result<(SocketAddr, JoinHandle<()>), ServeError> {
    let failed = |error| ServeError::Flags { address: listen, error };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = router(keeper, shutdown.clone());
    let task = tokio::spawn(serve::serve(listener, router, Bounds::FLAGS, shutdown));
    Ok((address, task))
}

#[cfg(test)]
mod tests;
