//! For SDKs: everything in one document, and the counts that they send back.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use teal_flags::model::{Timestamp, limits};

use super::{Door, body, rest};
use crate::flags::{FieldError, Position, Served};
use crate::http::access::Caller;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

/// What SDKs say when they ask. They may be newer than this service: what it does not know it lets pass.
pub(super) const ASKED: [Parameter; 1] = [Parameter {
    name: "environment",
    about: "Where the application runs; one for which the token is. Who is told something is told everything.",
    kind: Kind::Anything,
}];

/// When to come back to a relay that is out of touch.
const AGAIN: Duration = Duration::from_secs(5);

/// All flags. What is meant for other environments is there too: the SDK decides, and flags that others stand on may not be missing
/// (docs/decisions/0051-sdk-tokens-are-told-all-flags.md).
pub(super) async fn snapshot(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    caller.everything()?;
    caller.environment(Asked::known(query.as_deref(), &ASKED)?.text("environment"))?;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).and_then(position);
    if let Some(known) = known.clone() {
        door.keeper.heard(known).await;
    }
    let state = door.reads.state();
    if let Some(known) = known.filter(|known| known.instance != state.position().instance)
        && !door.keeper.supersedes(&known.instance)
    {
        let detail = "the relay cannot tell whether what you have is older: keep it, and come back later";
        return Err(Refused::out_of_touch(detail, AGAIN));
    }
    let tag = format!("\"{}\"", state.position());
    if rest::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag), (header::CONTENT_TYPE, "application/json".to_owned())], state.whole()).into_response())
}

fn position(tag: &str) -> Option<Position> {
    tag.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// Characters of a report's id.
const REPORT: usize = 100;

#[derive(Deserialize)]
struct Report {
    /// Its id: a report that comes again, because its answer was lost, comes under the same.
    #[serde(default)]
    report: Option<String>,
    #[serde(default)]
    environment: Option<String>,
    /// Counts are kept by when they were taken; when they began has to be a moment all the same.
    #[serde(default)]
    from: Option<String>,
    until: String,
    counts: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    flag: String,
    version: u64,
    #[serde(default)]
    variant: Option<String>,
    count: u64,
}

/// Counts are kept under the minute in which they were taken. Those of flags that are not known are left out.
pub(super) async fn exposures(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let wrong = |field: &str, problem: String| Refused::from(FieldError::new(field, problem));
    let report: Report = serde_json::from_value(body::json(body).await?)
        .map_err(|error| wrong("", format!("these are no counts: {error}")))?;
    let moment = |text: &String| text.parse::<Timestamp>().map_err(|error| wrong("from", format!("{error}")));
    report.from.as_ref().map(moment).transpose()?;
    let at: Timestamp = report.until.parse().map_err(|error| wrong("until", format!("{error}")))?;
    let label = |field: &str, text: &str| {
        let is_long = text.chars().count() > limits::LABEL;
        if is_long { Err(wrong(field, format!("is longer than {} characters", limits::LABEL))) } else { Ok(()) }
    };
    let is_id = |id: &String| (1..=REPORT).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !report.report.as_ref().is_none_or(is_id) {
        return Err(wrong("report", format!("is no id of at most {REPORT} letters, digits and signs")));
    }
    label("environment", report.environment.as_deref().unwrap_or_default())?;
    let environment = caller.environment(report.environment.as_deref())?;
    for (index, line) in report.counts.iter().enumerate() {
        label(&format!("counts[{index}].variant"), line.variant.as_deref().unwrap_or_default())?;
    }
    let served =
        |line: Line| Served { flag: line.flag, version: line.version, variant: line.variant, count: line.count };
    let served = report.counts.into_iter().map(served).collect();
    door.keeper.count(report.report, environment.unwrap_or_default(), at, served).await?;
    Ok(StatusCode::NO_CONTENT)
}
