//! Segments for people and scripts: list, show, create, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use teal_flags::model::{Segment, limits};

use super::{Door, body, rest};
use crate::flags::{FlagsError, Reference, SegmentEdit, segment_tag};
use crate::http::access::Caller;
use crate::http::page::{self, Page};
use crate::http::path::Place;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

const PATH: &str = "/api/v1/feature-flags/segments";

/// What can be asked of the list.
pub(super) const ASKED: [Parameter; 3] = [
    page::LIMIT,
    page::OFFSET,
    Parameter {
        name: "q",
        about: "Only segments with this in their name or description, whatever the case.",
        kind: Kind::Text(limits::LABEL),
    },
];

/// The segments with how many are in their lists, not with whom: lists may be long.
pub(super) async fn list(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    caller.everywhere()?;
    let asked = Asked::of(query.as_deref(), &ASKED)?;
    let state = door.reads.state();
    let tag = format!("\"{}\"", state.position());
    if rest::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let words = asked.text("q").map(str::to_lowercase);
    let has = |segment: &Segment| {
        let is_in = |words: &String| segment.name.contains(words) || segment.description.to_lowercase().contains(words);
        words.as_ref().is_none_or(is_in)
    };
    let found: Vec<&Arc<Segment>> = state.segments().filter(|segment| has(segment)).collect();
    let page = Page::of(&asked, found.len());
    let shown = |segment: &&Arc<Segment>| {
        json!({
            "name": segment.name,
            "description": segment.description,
            "version": segment.version,
            "included": segment.include.len(),
            "excluded": segment.exclude.len(),
            "groups": segment.any.len(),
            "flags": state.flags_on_segment(&segment.name),
        })
    };
    let shown: Vec<Value> = page.cut(&found).iter().map(shown).collect();
    let all = json!({"segments": shown, "total": found.len(), "revision": state.position().revision});
    Ok(([(header::ETAG, tag)], page.links(PATH, query.as_deref()), Json(all)).into_response())
}

pub(super) async fn show(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(name): Place,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    caller.everywhere()?;
    let state = door.reads.state();
    let segment = state.segment(named(&name)?).ok_or_else(|| FlagsError::UnknownSegment(name.clone()))?;
    let tag = segment_tag(segment);
    if rest::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(([(header::ETAG, tag)], Json(segment.to_value())).into_response())
}

pub(super) async fn create(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Refused> {
    caller.everywhere()?;
    let mut fields = body::json(body).await?;
    let author = rest::author(&caller, rest::take_reason(&mut fields)?)?;
    let segment = door.keeper.service()?.edit_segment(SegmentEdit::Create(fields), author).await?;
    let place = [(header::ETAG, segment_tag(&segment)), (header::LOCATION, format!("{PATH}/{}", segment.name))];
    Ok((StatusCode::CREATED, place, Json(segment.to_value())).into_response())
}

pub(super) async fn change(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(name): Place,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let name = named(&name)?.to_owned();
    caller.everywhere()?;
    let mut fields = body::json(body).await?;
    let author = rest::author(&caller, rest::take_reason(&mut fields)?)?;
    let edit = SegmentEdit::Patch { name, fields, only_if: rest::only_if(&headers)? };
    let segment = door.keeper.service()?.edit_segment(edit, author).await?;
    Ok(([(header::ETAG, segment_tag(&segment))], Json(segment.to_value())).into_response())
}

pub(super) async fn delete(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(name): Place,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    caller.everywhere()?;
    let why = Asked::of(query.as_deref(), &rest::WHY)?;
    let author = rest::author(&caller, why.text("reason").unwrap_or_default().to_owned())?;
    let edit = SegmentEdit::Delete { name: named(&name)?.to_owned(), only_if: rest::only_if(&headers)? };
    door.keeper.service()?.edit_segment(edit, author).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A path's name. What is none is no segment's.
fn named(text: &str) -> Result<&str, Refused> {
    match rest::reference(text) {
        Ok(Reference::Name(_)) => Ok(text),
        _ => Err(FlagsError::UnknownSegment(text.chars().filter(|c| !c.is_control()).take(100).collect()).into()),
    }
}
