//! Flags for people and scripts: show, create, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use teal_flags::model::{Flag, limits};

use super::{ALL, Door, body};
use crate::flags::{Author, Edit, FieldError, FlagsError, Reference, tag};
use crate::http::access::Caller;
use crate::http::path::Place;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

/// Characters of a reason.
const REASON: usize = 1_000;

/// What can be said of a deletion.
pub(super) const WHY: [Parameter; 1] =
    [Parameter { name: "reason", about: "Why, for the audit log.", kind: Kind::Text(REASON) }];

/// A path's id or name. What is neither is no flag's.
pub(super) fn reference(text: &str) -> Result<Reference, Refused> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    let is_id = text.bytes().all(|byte| byte.is_ascii_digit());
    // A name has at most so many, and an id is far shorter.
    let fits = (1..=limits::NAME).contains(&text.len());
    if fits && (is_id || text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(is_name)) {
        let Ok(reference) = text.parse();
        return Ok(reference);
    }
    // What stands there may be anything.
    Err(FlagsError::Unknown(text.chars().filter(|c| !c.is_control()).take(100).collect()).into())
}

/// The flag that a path means, if the caller may know of it.
pub(super) fn find(door: &Door, caller: &Caller, text: &str) -> Result<Arc<Flag>, Refused> {
    let reference = reference(text)?;
    let found = door.reads.state().flag(&reference).filter(|flag| caller.sees(flag)).cloned();
    found.ok_or_else(|| FlagsError::Unknown(reference.to_string()).into())
}

/// Whether the client has this already.
pub(in crate::http) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == "*" || one == tag)
}

pub(super) async fn show(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let flag = find(&door, &caller, &flag)?;
    let tag = tag(&flag);
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(flag.to_value())).into_response())
}

pub(super) async fn create(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Refused> {
    let mut fields = body::json(body).await?;
    let author = author(&caller, take_reason(&mut fields)?)?;
    let (flag, _) = door.keeper.service()?.edit(Edit::Create(fields), author).await?;
    let place = [(header::ETAG, tag(&flag)), (header::LOCATION, format!("{ALL}/{}", flag.id))];
    Ok((StatusCode::CREATED, place, Json(flag.to_value())).into_response())
}

pub(super) async fn change(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let mut fields = body::json(body).await?;
    let author = author(&caller, take_reason(&mut fields)?)?;
    let edit = Edit::Patch { flag: reference(&flag)?, fields, only_if: only_if(&headers)? };
    let (flag, _) = door.keeper.service()?.edit(edit, author).await?;
    Ok(([(header::ETAG, tag(&flag))], Json(flag.to_value())).into_response())
}

pub(super) async fn delete(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let why = Asked::of(query.as_deref(), &WHY)?;
    let author = author(&caller, why.text("reason").unwrap_or_default().to_owned())?;
    door.keeper.service()?.edit(Edit::Delete { flag: reference(&flag)?, only_if: only_if(&headers)? }, author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The reason stands beside the flag's own fields.
pub(super) fn take_reason(fields: &mut Value) -> Result<String, Refused> {
    match fields.as_object_mut().and_then(|fields| fields.remove("reason")) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(reason)) => Ok(reason),
        Some(_) => Err(FlagsError::from(FieldError::new("reason", "is a text")).into()),
    }
}

pub(super) fn author(caller: &Caller, reason: String) -> Result<Author, Refused> {
    if reason.chars().count() > REASON {
        return Err(FieldError::new("reason", format!("is longer than {REASON} characters")).into());
    }
    Ok(caller.author(reason))
}

/// `If-Match`. One that cannot be read must not be taken for none.
pub(super) fn only_if(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let read = |value: &HeaderValue| value.to_str().map(str::to_owned);
    let read = headers.get(header::IF_MATCH).map(read).transpose();
    read.map_err(|_| Refused::malformed("If-Match is no list of entity tags".to_owned()))
}
