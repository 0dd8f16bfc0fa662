//! The audit log: who changed what, when, why, and from what to what.

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde_json::json;
use teal_flags::model::limits::NAME;

use super::{ALL, Door, rest};
use crate::flags::{Reference, Wanted};
use crate::http::access::Caller;
use crate::http::page;
use crate::http::path::Place;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

const ACTIONS: [&str; 3] = ["create", "update", "delete"];

const FLAG: Parameter =
    Parameter { name: "flag", about: "Only entries of this flag: its id or name.", kind: Kind::Text(NAME) };
const SEGMENT: Parameter =
    Parameter { name: "segment", about: "Only entries of this segment.", kind: Kind::Text(NAME) };
const WHO: Parameter = Parameter { name: "who", about: "Only entries by exactly this one.", kind: Kind::Text(500) };
const ACTION: Parameter =
    Parameter { name: "action", about: "Only entries of this kind.", kind: Kind::OneOf(&ACTIONS) };
const SINCE: Parameter =
    Parameter { name: "since", about: "Only entries of this second or later.", kind: Kind::Moment };
const UNTIL: Parameter = Parameter { name: "until", about: "Only entries before this second.", kind: Kind::Moment };
const BEFORE: Parameter = Parameter {
    name: "before",
    about: "Only entries that are older than the one of this id: `next` of the page before.",
    kind: Kind::Whole(0, i64::MAX as u64),
};

/// What can be asked of one thing's log.
pub(super) const OF_ONE: [Parameter; 6] = [page::LIMIT, BEFORE, WHO, ACTION, SINCE, UNTIL];
/// What can be asked of everything's log.
pub(super) const OF_ALL: [Parameter; 8] = [page::LIMIT, BEFORE, FLAG, SEGMENT, WHO, ACTION, SINCE, UNTIL];

pub(super) async fn of_flag(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    Place(flag): Place,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let asked = Asked::of(query.as_deref(), &OF_ONE)?;
    let meant = if caller.environments().is_empty() {
        rest::reference(&flag)?
    } else {
        // What was deleted was perhaps meant for others, also where another flag has its name today.
        Reference::Id(rest::find(&door, &caller, &flag)?.id)
    };
    let wanted = Wanted { flag: Some(meant), ..wanted(&asked) };
    answer(&door, wanted, &format!("{ALL}/{flag}/audit-log"), query.as_deref()).await
}

pub(super) async fn of_all(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    caller.everywhere()?;
    let asked = Asked::of(query.as_deref(), &OF_ALL)?;
    let flag = asked.text("flag").map(rest::reference).transpose()?;
    let wanted = Wanted { flag, segment: asked.text("segment").map(str::to_owned), ..wanted(&asked) };
    answer(&door, wanted, &format!("{ALL}/audit-log"), query.as_deref()).await
}

fn wanted(asked: &Asked) -> Wanted {
    Wanted {
        who: asked.text("who").map(str::to_owned),
        action: asked.text("action").map(str::to_owned),
        since: asked.parsed("since"),
        until: asked.parsed("until"),
        before: asked.parsed("before"),
        limit: asked.limit(page::USUAL),
        ..Wanted::default()
    }
}

/// One page, and where the next one begins: it does not shift when entries are added meanwhile.
async fn answer(door: &Door, wanted: Wanted, path: &str, query: Option<&str>) -> Result<Response, Refused> {
    let limit = wanted.limit as usize;
    // One more tells whether there is a next page.
    let mut entries = door.keeper.service()?.audit(&Wanted { limit: wanted.limit + 1, ..wanted }).await?;
    let is_more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().map(|entry| entry.id).filter(|_| is_more);
    let link = next.map(|id| (header::LINK, page::link(path, query, &[("before", id)], "next")));
    Ok((AppendHeaders(link), Json(json!({"entries": entries, "next": next}))).into_response())
}
