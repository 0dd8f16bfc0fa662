//! Errors on the wire: every refusal mapped once to a status, an exit code and a way out.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use teal_rollout::machine::Refusal;

use crate::access::{Refusal as TokenRefusal, Roles};
use crate::api::{Problem, ReleaseId, exit_of};
use crate::controller::OrderError;
use crate::flags::{FieldError, FlagsError};

/// A [`Problem`] on its way out.
#[derive(Debug)]
pub(super) struct Refused {
    problem: Box<Problem>,
    /// Beside it, where the client needs them.
    headers: Vec<(HeaderName, String)>,
}

impl Refused {
    /// As JSON, for the OpenAPI document.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::to_value(&self.problem).unwrap_or_default()
    }

    /// What is said.
    pub(super) const fn problem(&self) -> &Problem {
        &self.problem
    }

    pub(super) fn new(status: StatusCode, exit: u8, title: &str, detail: String) -> Self {
        let title = title.to_owned();
        let problem = Problem { title, detail, status: status.as_u16(), exit: Some(exit), ..Problem::default() };
        Self { problem: Box::new(problem), headers: Vec::new() }
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

    /// There is nothing at this path.
    pub(super) fn unknown_path() -> Self {
        let detail = format!("`{}` lists the paths there are", super::openapi::PATH);
        Self::new(StatusCode::NOT_FOUND, 2, "there is no such path", detail)
    }

    /// The path knows other methods.
    pub(super) fn method(method: &Method, allowed: &str) -> Self {
        let detail = format!("it knows {allowed}");
        let title = format!("the path does not know {method}");
        let mut refused = Self::new(StatusCode::METHOD_NOT_ALLOWED, 2, &title, detail);
        refused.headers.push((header::ALLOW, allowed.to_owned()));
        refused
    }

    /// A browser's page asks, or a name that is not this machine's.
    pub(super) fn stranger(header: &str) -> Self {
        let detail = format!(
            "`{header}` names another host than this one; `flags.hosts` and `flags.origins` say which may be named"
        );
        Self::new(StatusCode::FORBIDDEN, 2, "the request comes from elsewhere", detail)
    }

    /// No token, or one that is worth nothing.
    pub(super) fn unauthenticated(refusal: Option<TokenRefusal>) -> Self {
        let (title, detail) = match refusal {
            None => {
                ("a token is needed", "send `Authorization: Bearer teal_...`; `teal token create` makes one".to_owned())
            }
            Some(refusal) => ("the token is not taken", format!("{refusal}; `teal token list` shows those there are")),
        };
        let mut refused = Self::new(StatusCode::UNAUTHORIZED, 4, title, detail);
        let challenge = match refusal {
            None => "Bearer realm=\"teal\"".to_owned(),
            Some(refusal) => {
                format!("Bearer realm=\"teal\", error=\"invalid_token\", error_description=\"{refusal}\"")
            }
        };
        refused.headers.push((header::WWW_AUTHENTICATE, challenge));
        refused
    }

    /// Tokens that were not read yet.
    pub(super) fn not_read(later: Duration) -> Self {
        let detail = "the database that holds them has not answered yet: come back later".to_owned();
        let mut refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, "tokens cannot be looked up yet", detail);
        refused.headers.push((header::RETRY_AFTER, later.as_secs().to_string()));
        refused
    }

    /// A token whose roles are not enough.
    pub(super) fn wrong_role(own: Roles, needed: Roles) -> Self {
        let detail = format!("the token is for {own}; this needs one of {needed}");
        Self::new(StatusCode::FORBIDDEN, 4, "the token's role does not allow this", detail)
    }

    /// A token of other environments.
    pub(super) fn wrong_environment(asked: Option<&str>, own: &[String]) -> Self {
        let own = own.join(", ");
        let detail = match asked {
            // Not what was asked for, which may be anything.
            Some(_) => format!("the token is for {own}, and this is for another environment"),
            None => format!("the token is for {own}: say with `environment` which one is meant"),
        };
        Self::new(StatusCode::FORBIDDEN, 4, "the token is for another environment", detail)
    }

    /// A token of some environments, where what is asked for is of all. `or` is another way in.
    pub(super) fn confined(own: &[String], or: &str) -> Self {
        let own = own.join(", ");
        let detail = format!("the token is for {own}, and this is of all environments: use a token of all{or}");
        Self::new(StatusCode::FORBIDDEN, 4, "the token is for another environment", detail)
    }

    /// A path that stands in no rule.
    pub(super) fn unlisted() -> Self {
        let detail = "no role may ask for this path".to_owned();
        Self::new(StatusCode::FORBIDDEN, 4, "nobody may do this", detail)
    }

    /// Too many requests in too short a time.
    pub(super) fn too_often(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("come back in {seconds} s");
        let mut refused = Self::new(StatusCode::TOO_MANY_REQUESTS, 5, "there are too many requests", detail);
        refused.headers.push((header::RETRY_AFTER, seconds.max(1).to_string()));
        refused
    }

    pub(super) fn slow(limit: Duration) -> Self {
        let detail = format!("the body did not arrive within {limit:?}");
        Self::new(StatusCode::REQUEST_TIMEOUT, 5, "the request is too slow", detail)
    }

    pub(super) fn too_large(most: usize) -> Self {
        let detail = format!("the most is {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 2, "the body is too large", detail)
    }

    /// The flags' database has not answered since the start.
    pub(super) fn unread() -> Self {
        let detail = "their database has not answered since this agent started".to_owned();
        Self::later("the flags were not read yet", detail)
    }

    /// It may go well in a second.
    fn later(title: &str, detail: String) -> Self {
        let mut refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, title, detail);
        refused.headers.push((header::RETRY_AFTER, "1".to_owned()));
        refused
    }

    pub(super) fn full(what: &str, later: Duration) -> Self {
        let title = format!("there are too many {what}");
        let mut refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, &title, "come back later".to_owned());
        refused.headers.push((header::RETRY_AFTER, later.as_secs().to_string()));
        refused
    }

    /// A relay that has never heard the service, or cannot say whether what the client knows is newer.
    pub(super) fn out_of_touch(detail: &str, later: Duration) -> Self {
        let title = "the flag service was not heard";
        let mut refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, title, detail.to_owned());
        refused.headers.push((header::RETRY_AFTER, later.as_secs().to_string()));
        refused
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
            OrderError::NotStored(_) => {
                return Self::new(StatusCode::GATEWAY_TIMEOUT, 5, "the store has not answered yet", detail);
            }
            OrderError::Refused(refusal) => refusal,
        };
        let conflict = StatusCode::CONFLICT;
        let (status, title) = match &refusal {
            Refusal::Starting => (StatusCode::SERVICE_UNAVAILABLE, "the agent is still starting"),
            Refusal::NotLeading => (conflict, "another agent leads"),
            Refusal::Mode(_) => (conflict, "the environment's mode forbids it"),
            Refusal::Paused { .. } => (conflict, "the environment is paused"),
            Refusal::Busy { .. } => (conflict, "another release is under way"),
            Refusal::AlreadyRunning { .. } => (conflict, "nothing to do"),
            Refusal::UnknownComponent { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown component"),
            Refusal::Version(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not a version"),
            Refusal::NothingToDeploy => (StatusCode::UNPROCESSABLE_ENTITY, "nothing to deploy"),
            Refusal::EdgeUnreachable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "an edge does not answer"),
            Refusal::StoreFailing => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written"),
            Refusal::Overtaken => (conflict, "another agent was faster"),
            Refusal::NothingToRollBack => (conflict, "nothing to roll back"),
            Refusal::ComingBack { .. } => (conflict, "a rollback is under way"),
            Refusal::CannotScaleUp => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written"),
            Refusal::NoWayBack { .. } => (conflict, "no way back"),
            Refusal::WrongPhase { .. } => (conflict, "not in this phase"),
        };
        let mut refused = Self::new(status, exit_of(&refusal), title, detail);
        if let Refusal::Busy { release, .. } | Refusal::ComingBack { release } | Refusal::AlreadyRunning { release } =
            refusal
        {
            refused.problem.release = Some(ReleaseId(release));
        }
        refused
    }
}

impl From<FieldError> for Refused {
    fn from(error: FieldError) -> Self {
        FlagsError::from(error).into()
    }
}

impl From<FlagsError> for Refused {
    fn from(error: FlagsError) -> Self {
        let detail = error.to_string();
        match error {
            FlagsError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, 2, "there is no such flag", detail),
            FlagsError::Taken(_) => Self::new(StatusCode::CONFLICT, 4, "there are other flags in the way", detail),
            FlagsError::UnknownSegment(_) => Self::new(StatusCode::NOT_FOUND, 2, "there is no such segment", detail),
            FlagsError::SegmentExists(_) => {
                Self::new(StatusCode::CONFLICT, 4, "there is such a segment already", detail)
            }
            FlagsError::Needed { .. } => Self::new(StatusCode::CONFLICT, 4, "it is needed by others", detail),
            FlagsError::Exists(_) => Self::new(StatusCode::CONFLICT, 4, "there is such a flag already", detail),
            FlagsError::Field(FieldError { field, problem }) => {
                let mut refused = Self::new(StatusCode::UNPROCESSABLE_ENTITY, 2, "a field cannot be taken", problem);
                refused.problem.field = Some(field).filter(|field| !field.is_empty());
                refused
            }
            FlagsError::Stale { version, tag } => {
                let mut refused = Self::new(StatusCode::PRECONDITION_FAILED, 4, "it was changed since", detail);
                refused.problem.version = Some(version);
                refused.headers.push((header::ETAG, tag));
                refused
            }
            FlagsError::Relay { .. } => Self::new(StatusCode::FORBIDDEN, 2, "a relay changes nothing", detail),
            FlagsError::UnknownToken(_) => Self::new(StatusCode::NOT_FOUND, 2, "there is no such token", detail),
            FlagsError::TokenExists(_) => Self::new(StatusCode::CONFLICT, 4, "there is such a token already", detail),
            FlagsError::NoRandom => Self::new(StatusCode::SERVICE_UNAVAILABLE, 1, "no token can be made", detail),
            FlagsError::Elsewhere { .. } => {
                Self::new(StatusCode::FORBIDDEN, 4, "the token is for another environment", detail)
            }
            FlagsError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, 5, "the agent is stopping", detail),
            FlagsError::Unsure(_) => {
                tracing::error!(error = detail, "flags");
                let detail = "the change may have been made or not: read the flag again, and decide again".to_owned();
                Self::later("the flags' database stopped answering", detail)
            }
            // Said once in the log, when it began.
            FlagsError::Away(_) => {
                let detail = "nothing was changed; flags are answered from memory meanwhile".to_owned();
                Self::later("the flags' database does not answer", detail)
            }
            FlagsError::Open { .. } | FlagsError::Dsn(_) | FlagsError::Schema { .. } | FlagsError::Sql(_) => {
                tracing::error!(error = detail, "flags");
                let detail = "the agent's log says why; nothing was changed".to_owned();
                Self::later("the flags cannot be read or written", detail)
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.problem)).into_response();
        for (name, value) in self.headers {
            response.headers_mut().extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        }
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
