//! Errors on the wire: every refusal mapped once to a status, an exit code and a way out.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use teal_rollout::machine::Refusal;

use crate::api::{Problem, ReleaseId};
use crate::controller::OrderError;

/// A [`Problem`] on its way out.
#[derive(Debug)]
pub(super) struct Refused(Problem);

impl Refused {
    fn new(status: StatusCode, exit: u8, title: &str, detail: String) -> Self {
        let title = title.to_owned();
        Self(Problem { title, detail, status: status.as_u16(), exit: Some(exit), ..Problem::default() })
    }

    pub(super) fn unknown_environment(name: &str, known: &[&str]) -> Self {
        let detail = format!("the agent knows {}", known.join(", "));
        Self::new(StatusCode::NOT_FOUND, 2, &format!("there is no environment `{name}`"), detail)
    }

    pub(super) fn unknown_release(id: ReleaseId) -> Self {
        let detail = "`teal history` lists the releases there are".to_owned();
        Self::new(StatusCode::NOT_FOUND, 2, &format!("there is no release {id}"), detail)
    }

    pub(super) fn malformed(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 2, "the request is not understood", detail)
    }

    pub(super) fn store(detail: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, "the store cannot be read", detail)
    }
}

impl From<OrderError> for Refused {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        let refusal = match error {
            OrderError::Stopping => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, "the agent is stopping", detail);
            }
            OrderError::Refused(refusal) => refusal,
        };
        let conflict = StatusCode::CONFLICT;
        let (status, exit, title) = match &refusal {
            Refusal::Starting => (StatusCode::SERVICE_UNAVAILABLE, 5, "the agent is still starting"),
            Refusal::Mode(_) => (conflict, 4, "the environment's mode forbids it"),
            Refusal::Paused { .. } => (conflict, 7, "the environment is paused"),
            Refusal::Busy { .. } => (conflict, 8, "another release is under way"),
            Refusal::AlreadyRunning { .. } => (conflict, 0, "nothing to do"),
            Refusal::UnknownComponent { .. } => (StatusCode::UNPROCESSABLE_ENTITY, 2, "unknown component"),
            Refusal::Version(_) => (StatusCode::UNPROCESSABLE_ENTITY, 2, "not a version"),
            Refusal::NothingToDeploy => (StatusCode::UNPROCESSABLE_ENTITY, 2, "nothing to deploy"),
            Refusal::EdgeUnreachable { .. } => (StatusCode::SERVICE_UNAVAILABLE, 5, "an edge does not answer"),
            Refusal::StoreFailing => (StatusCode::SERVICE_UNAVAILABLE, 5, "the store cannot be written"),
            Refusal::NothingToRollBack => (conflict, 4, "nothing to roll back"),
            Refusal::NoWayBack { .. } => (conflict, 4, "no way back"),
            Refusal::WrongPhase { .. } => (conflict, 4, "not in this phase"),
        };
        let mut refused = Self::new(status, exit, title, detail);
        if let Refusal::Busy { release, .. } | Refusal::AlreadyRunning { release } = refusal {
            refused.0.release = Some(ReleaseId(release));
        }
        refused
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
