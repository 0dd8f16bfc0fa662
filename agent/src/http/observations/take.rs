//! Takes one telling.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;

use super::{Told, refused};
use crate::api::Observation;
use crate::cluster::nodes::{Taking, check};
use crate::flags::FieldError;
use crate::http::access::Caller;
use crate::http::flags::body;
use crate::http::json;
use crate::http::path::Place;
use crate::http::problem::Refused;

/// The largest body: 256 groups stay below.
const MOST: usize = 256 << 10;
/// When to come back where too many nodes tell.
const LATER: Duration = Duration::from_secs(5);

pub(super) async fn take(
    State(environments): State<Arc<BTreeMap<String, Told>>>,
    Extension(caller): Extension<Caller>,
    Place(environment): Place,
    body: Body,
) -> Result<StatusCode, Refused> {
    caller.environment(Some(&environment))?;
    let Some(told) = environments.get(&environment) else {
        let known: Vec<&str> = environments.keys().map(String::as_str).collect();
        // What stands there may be anything.
        let name: String = environment.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(Refused::unknown_environment(&name, &known));
    };
    let bytes = body::bytes_up_to(body, MOST).await?;
    let value = json::read(&bytes).map_err(|error| Refused::malformed(format!("the body is no JSON: {error}")))?;
    let observation: Observation = serde_path_to_error::deserialize(value).map_err(|error| {
        let (field, problem) = (error.path().to_string(), error.into_inner().to_string());
        FieldError::new(if field == "." { String::new() } else { field }, problem)
    })?;
    check(&observation, &told.workloads).map_err(|wrong| FieldError::new(wrong.field, wrong.problem))?;
    match told.heard.take(observation) {
        // One that comes twice, or late, did no harm.
        Taking::Taken | Taking::Older => Ok(StatusCode::NO_CONTENT),
        Taking::Over => Err(refused::over()),
        Taking::Full => Err(Refused::full("nodes", LATER)),
    }
}
