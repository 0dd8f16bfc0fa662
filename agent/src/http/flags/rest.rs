//! Flags for people and scripts: list, show, create, change, delete, and who changed what.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use teal_flags::model::Flag;

use super::{ALL, Door, body};
use crate::flags::{Author, Edit, FieldError, FlagsError, Reference, tag};
use crate::http::problem::Refused;
use crate::http::serve::Peer;

/// Flags or audit entries in one answer, and the most that can be asked for.
const PAGE: u32 = 100;
const MOST: u32 = 1_000;
/// Characters of a reason and of a name of who.
const REASON: usize = 1_000;
const WHO: usize = 200;

/// A path's id or name.
pub(super) fn reference(text: &str) -> Reference {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

/// The flag that a path means.
pub(super) fn find(door: &Door, text: &str) -> Result<Arc<Flag>, Refused> {
    let found = door.reads.state().flag(&reference(text)).cloned();
    found.ok_or_else(|| FlagsError::Unknown(text.to_owned()).into())
}

/// Whether the client has this already.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one == tag)
}

#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<u32>,
    #[serde(default)]
    offset: usize,
}

pub(super) async fn list(State(door): State<Door>, Query(page): Query<Page>, headers: HeaderMap) -> Response {
    let state = door.reads.state();
    let tag = format!("\"{}\"", state.position());
    if is_known(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let limit = page.limit.unwrap_or(PAGE).clamp(1, MOST) as usize;
    let flags: Vec<Value> = state.flags().skip(page.offset).take(limit).map(|flag| flag.to_value()).collect();
    let all = json!({"flags": flags, "total": state.flags().len(), "revision": state.position().revision});
    ([(header::ETAG, tag)], Json(all)).into_response()
}

pub(super) async fn show(
    State(door): State<Door>,
    Path(flag): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let flag = find(&door, &flag)?;
    let tag = tag(&flag);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(flag.to_value())).into_response())
}

pub(super) async fn create(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let mut fields = body::json(body).await?;
    let author = author(&headers, peer, take_reason(&mut fields)?)?;
    let (flag, _) = door.service.edit(Edit::Create(fields), author).await?;
    let place = [(header::ETAG, tag(&flag)), (header::LOCATION, format!("{ALL}/{}", flag.id))];
    Ok((StatusCode::CREATED, place, Json(flag.to_value())).into_response())
}

pub(super) async fn change(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Path(flag): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let mut fields = body::json(body).await?;
    let author = author(&headers, peer, take_reason(&mut fields)?)?;
    let edit = Edit::Patch { flag: reference(&flag), fields, only_if: only_if(&headers)? };
    let (flag, _) = door.service.edit(edit, author).await?;
    Ok(([(header::ETAG, tag(&flag))], Json(flag.to_value())).into_response())
}

#[derive(Deserialize)]
pub(super) struct Why {
    #[serde(default)]
    reason: String,
}

pub(super) async fn delete(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Path(flag): Path<String>,
    Query(why): Query<Why>,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let author = author(&headers, peer, why.reason)?;
    door.service.edit(Edit::Delete { flag: reference(&flag), only_if: only_if(&headers)? }, author).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct Entries {
    limit: Option<u32>,
    before: Option<i64>,
}

pub(super) async fn audit(
    State(door): State<Door>,
    Path(flag): Path<String>,
    Query(page): Query<Entries>,
) -> Result<Json<Value>, Refused> {
    let limit = page.limit.unwrap_or(PAGE).clamp(1, MOST);
    let entries = door.service.audit(&reference(&flag), page.before, limit).await?;
    Ok(Json(json!({ "entries": entries })))
}

/// The reason stands beside the flag's own fields.
fn take_reason(fields: &mut Value) -> Result<String, Refused> {
    match fields.as_object_mut().and_then(|fields| fields.remove("reason")) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(reason)) => Ok(reason),
        Some(_) => Err(FlagsError::from(FieldError::new("reason", "is a text")).into()),
    }
}

fn author(headers: &HeaderMap, Peer(ip): Peer, reason: String) -> Result<Author, Refused> {
    let who = headers.get("x-teal-user").map(|value| value.to_str().unwrap_or_default().to_owned()).unwrap_or_default();
    for (field, text, most) in [("reason", &reason, REASON), ("x-teal-user", &who, WHO)] {
        if text.chars().count() > most {
            return Err(FlagsError::from(FieldError::new(field, format!("is longer than {most} characters"))).into());
        }
    }
    Ok(Author { who, ip, reason })
}

/// `If-Match`. One that cannot be read must not be taken for none.
fn only_if(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let read = |value: &HeaderValue| value.to_str().map(str::to_owned);
    let read = headers.get(header::IF_MATCH).map(read).transpose();
    read.map_err(|_| Refused::malformed("If-Match is no list of entity tags".to_owned()))
}
