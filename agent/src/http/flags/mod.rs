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
//! Threat model (docs/threat-model.md): who comes is admitted by their token and its role ([`super::access`]); bodies, their time,
//! connections, streams and requests a second are bounded.

mod audit;
pub(in crate::http) mod body;
mod check;
mod described;
mod import;
mod list;
mod loaded;
mod places;
mod relayed;
pub(in crate::http) mod rest;
mod sdk;
mod segments;
mod settings;
mod stale;
mod stream;
mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRef, State};
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::access::{self, Access, Counters};
use super::ofrep;
use super::routes::{Routes, delete, get, patch, post};
use super::tls::Tls;
use super::{ServeError, openapi, serve};
use crate::flags::{FlagsError, Keeper, Reads, Tokens};

use self::places::Places;
pub use self::settings::{Limits, Settings};

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
    /// Who makes and revokes tokens; a relay has none.
    tokens: Option<Tokens>,
    /// One for each stream.
    streams: Places,
    access: Arc<Access>,
    /// The OpenAPI document.
    document: Bytes,
    shutdown: CancellationToken,
}

impl Door {
    /// The service's tokens.
    ///
    /// # Errors
    /// [`FlagsError::Relay`], with where to go instead.
    fn tokens(&self) -> Result<&Tokens, FlagsError> {
        self.keeper.service()?;
        self.tokens.as_ref().ok_or(FlagsError::Stopping)
    }
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
        .at("/api/v1/tokens", [get(tokens::list, described::tokens()), post(tokens::create, described::create_token())])
        .at("/api/v1/tokens/self", [get(tokens::own, described::own_token())])
        .at("/api/v1/tokens/audit-log", [get(tokens::audit, described::token_audit())])
        .at(
            "/api/v1/tokens/{token}",
            [get(tokens::show, described::token()), delete(tokens::revoke, described::revoke_token())],
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
    ([(header::CONTENT_TYPE, "application/json")], door.document)
}

fn router(
    keeper: Keeper,
    tokens: Option<Tokens>,
    access: Arc<Access>,
    streams: Places,
    shutdown: CancellationToken,
) -> Router {
    let routes = routes();
    let document = openapi::text(routes.described()).into();
    let admit = from_fn_with_state(access.clone(), access::admit);
    let door =
        Door { reads: keeper.reads().clone(), keeper: keeper.clone(), tokens, streams, access, document, shutdown };
    let relayed = from_fn_with_state(keeper, relayed::relayed);
    let loaded = from_fn_with_state(door.reads.clone(), loaded::loaded);
    routes.router().layer(loaded).layer(relayed).layer(admit).with_state(door)
}

/// The open door.
#[derive(Debug)]
pub struct Open {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it answers, for another listener.
    pub router: Router,
    /// What is counted of who comes.
    pub counters: Arc<Counters>,
    /// Ends soon after `shutdown`, whatever clients do.
    pub task: JoinHandle<()>,
}

/// Opens the door. What is asked of tokens themselves, `tokens` answers.
///
/// # Errors
/// [`ServeError::Flags`] and [`ServeError::Tls`].
pub async fn start(
    keeper: Keeper,
    tokens: Option<Tokens>,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Open, ServeError> {
    let Settings { listen, tls, limits, access } = settings;
    let failed = |error| ServeError::Flags { address: listen, error };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (tls, pair) = match tls {
        Some(files) => Some(Tls::start(files, shutdown.clone()).await?).unzip(),
        None => (None, None),
    };
    let (limits, counters) = (limits.fitting(), Arc::<Counters>::default());
    let access = Arc::new(Access::new(access, address.ip().is_loopback(), counters.clone()));
    let streams = Places::new(limits.streams, limits.streams_per_token, counters.clone());
    let router = router(keeper, tokens, access, streams, shutdown.clone());
    let answers = router.clone();
    let task = tokio::spawn(async move {
        serve::serve(listener, answers, limits.bounds(), tls, shutdown).await;
        if let Some(pair) = pair {
            // It ends by the same token; a panic was reported where it happened.
            let _ = pair.await;
        }
    });
    Ok(Open { address, router, counters, task })
}

#[cfg(test)]
mod tests;
