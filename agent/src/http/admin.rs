//! The admin API: what `teal` on this machine asks and orders (see [`crate::api`]).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::problem::Refused;
use super::{Shown, ShownEnvironment, status};
use crate::api::{Accepted, Explanation, OrderRequest, Record, Release, ReleaseId, Status, Timeline};
use crate::store::Entry;

/// The longest an order's body may be; a deploy of sixteen components stays far below.
const MAX_BODY: usize = 64 * 1024;
/// The longest a client may wait for the next record.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How long the store may take; a client waits 5 s for an answer.
const MAX_READ: Duration = Duration::from_secs(2);
/// Records in one answer.
const MAX_RECORDS: u32 = 1_000;

#[derive(Clone)]
struct Door {
    shown: Arc<Shown>,
    shutdown: CancellationToken,
}

impl Door {
    fn environment(&self, name: &str) -> Result<&ShownEnvironment, Refused> {
        self.shown.environment(name).ok_or_else(|| {
            let known: Vec<&str> = self.shown.environments.iter().map(|e| e.name.as_str()).collect();
            Refused::unknown_environment(name, &known)
        })
    }
}

pub(super) fn router(shown: Arc<Shown>, shutdown: CancellationToken) -> Router {
    Router::new()
        .route("/v1/environments", get(environments))
        .route("/v1/environments/{environment}", get(show))
        .route("/v1/environments/{environment}/orders", post(order))
        .route("/v1/environments/{environment}/events", get(events))
        .route("/v1/environments/{environment}/releases", get(releases))
        .route("/v1/environments/{environment}/releases/{id}", get(release))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Door { shown, shutdown })
}

async fn environments(State(door): State<Door>) -> Json<Vec<String>> {
    Json(door.shown.environments.iter().map(|e| e.name.clone()).collect())
}

async fn show(State(door): State<Door>, Path(name): Path<String>) -> Result<Json<Status>, Refused> {
    let environment = door.environment(&name)?;
    Ok(Json(status::of(&door.shown, environment)))
}

async fn order(
    State(door): State<Door>,
    Path(name): Path<String>,
    request: Result<Json<OrderRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Accepted>), Refused> {
    let environment = door.environment(&name)?;
    let Json(request) = request.map_err(|e| Refused::malformed(e.body_text()))?;
    let after = environment.handle.journal().last_seq();
    let release = environment.handle.order(request.into_machine()).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { release: ReleaseId(release), after })))
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait: u64,
}

async fn events(
    State(door): State<Door>,
    Path(name): Path<String>,
    Query(since): Query<Since>,
) -> Result<Json<Vec<Record>>, Refused> {
    let environment = door.environment(&name)?;
    let wait = Duration::from_secs(since.wait).min(MAX_WAIT);
    let journal = environment.handle.journal();
    if !wait.is_zero() {
        // An agent on its way down answers at once, so that its clients do not hold it up.
        door.shutdown.run_until_cancelled(journal.wait(since.after, wait)).await;
    }
    match journal.after(since.after) {
        Some(records) => Ok(Json(records)),
        None => stored(environment, None, since.after).await.map(Json),
    }
}

async fn releases(State(door): State<Door>, Path(name): Path<String>) -> Result<Json<Vec<Release>>, Refused> {
    Ok(Json(door.environment(&name)?.handle.journal().releases()))
}

async fn release(
    State(door): State<Door>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Explanation>, Refused> {
    let environment = door.environment(&name)?;
    let id: ReleaseId = id.parse().map_err(|e| Refused::malformed(format!("{e}")))?;
    let journal = environment.handle.journal();
    let judged = journal.release(id.0).ok_or_else(|| Refused::unknown_release(id))?;
    let under_way = environment.handle.snapshot();
    let newest = under_way.view.document.epoch.release == id.0 && judged.release.ended.is_none();
    // What the store has not taken yet is still in memory.
    let mut events = stored(environment, Some(id.0), 0).await.unwrap_or_default();
    let last = events.last().map_or(0, |r| r.seq);
    let recent = journal.after(journal.last_seq().saturating_sub(u64::from(MAX_RECORDS) / 2)).unwrap_or_default();
    events.extend(recent.into_iter().filter(|r| r.release == id && r.seq > last));
    let judgements = if newest && judged.judgements.is_empty() { under_way.judgements() } else { judged.judgements };
    let timeline = match environment.handle.timelines().of(id.0) {
        Some(timeline) => Some(timeline),
        // Without it there is less to see, and nothing wrong.
        None => stored_timeline(environment, id.0).await,
    };
    Ok(Json(Explanation { release: judged.release, events, judgements, timeline }))
}

async fn stored_timeline(environment: &ShownEnvironment, release: u64) -> Option<Timeline> {
    let store = environment.handle.store();
    let read = tokio::time::timeout(MAX_READ, store.timeline(&environment.name, Some(release))).await;
    serde_json::from_str(&read.ok()?.ok()??.json).ok()
}

async fn stored(environment: &ShownEnvironment, release: Option<u64>, after: u64) -> Result<Vec<Record>, Refused> {
    let store = environment.handle.store();
    let read = tokio::time::timeout(MAX_READ, store.entries(&environment.name, release, after, MAX_RECORDS)).await;
    let entries = read.map_err(|_| Refused::store(format!("it did not answer within {MAX_READ:?}")))?;
    Ok(entries.map_err(|e| Refused::store(e.to_string()))?.into_iter().map(record).collect())
}

fn record(entry: Entry) -> Record {
    Record {
        seq: entry.seq,
        at: entry.at,
        release: ReleaseId(entry.release),
        kind: entry.kind,
        text: entry.text,
        data: entry.data,
    }
}
