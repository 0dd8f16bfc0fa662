//! The report of stale flags.

use axum::Json;
use axum::extract::{Extension, RawQuery, State};

use super::Door;
use crate::flags::Stale;
use crate::http::access::Caller;
use crate::http::problem::Refused;
use crate::http::query::{Asked, Kind, Parameter};

/// As long as sprints and releases are forgotten.
const USUAL: u32 = 30;

/// What can be asked of it.
pub(super) const ASKED: [Parameter; 1] = [Parameter {
    name: "days",
    about: "For how many days a flag has to be so; 30 unless said.",
    kind: Kind::Whole(1, 365),
}];

pub(super) async fn stale(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Json<Stale>, Refused> {
    caller.everywhere()?;
    let asked = Asked::of(query.as_deref(), &ASKED)?;
    Ok(Json(door.keeper.service()?.stale(asked.parsed("days").unwrap_or(USUAL)).await?))
}
