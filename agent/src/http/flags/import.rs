//! What another application kept of its flags, carried over with its ids and history, all of it or nothing.

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};

use super::{Door, body, rest};
use crate::flags::{FieldError, FlagsError, Import, Imported};
use crate::http::access::Caller;
use crate::http::problem::Refused;

/// Bytes of a body: a history of many years.
pub(super) const MOST: usize = 32 << 20;

pub(super) async fn import(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Imported>, Refused> {
    caller.everywhere()?;
    let mut json = body::json_up_to(body, MOST).await?;
    let author = rest::author(&caller, rest::take_reason(&mut json)?)?;
    let import: Import = serde_json::from_value(json)
        .map_err(|error| FlagsError::from(FieldError::new("", format!("this cannot be carried over: {error}"))))?;
    Ok(Json(door.keeper.service()?.import(import, author).await?))
}
