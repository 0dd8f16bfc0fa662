//! What each status means, with problems that are really answered as examples.

use std::time::Duration;

use axum::http::Method;
use serde_json::Value;

use super::Head;
use crate::access::{Role, Roles};
use crate::flags::{FieldError, FlagsError};
use crate::http::problem::Refused;

/// A refusal as the document has it.
pub(super) struct Refusal {
    pub(super) about: &'static str,
    pub(super) example: Value,
    pub(super) head: Option<Head>,
}

/// What a path answers with this status.
pub(super) fn of(status: u16) -> Refusal {
    let known = |about, refused: Refused, head| Refusal { about, example: refused.json(), head };
    let later = Duration::from_secs(5);
    match status {
        400 => known(
            "The body is no JSON, or a header cannot be read.",
            Refused::malformed("the body is no JSON".into()),
            None,
        ),
        401 => known(
            "There is no token, or it is not known, was revoked, or has expired.",
            Refused::unauthenticated(None),
            Some(Head::Challenge),
        ),
        403 => known(
            "The token's role or environment does not allow it, which `detail` says; or a web page asks that nobody listed.",
            Refused::wrong_role(Roles::of(&[Role::Viewer]), Roles::of(&[Role::Editor, Role::Admin])),
            None,
        ),
        404 => known("There is no such thing.", FlagsError::Unknown("telehealth".into()).into(), None),
        405 => known("The path does not know this method.", Refused::method(&Method::PUT, "GET, HEAD, OPTIONS"), None),
        408 => known("The body came too slowly.", Refused::slow(Duration::from_secs(10)), None),
        409 => known(
            "Something is in the way, which `detail` names.",
            FlagsError::Exists("telehealth".into()).into(),
            None,
        ),
        412 => known(
            "It was changed since: `version` and `ETag` say what it is now.",
            FlagsError::Stale { version: 4, tag: "\"8-4-1795860000000\"".into() }.into(),
            Some(Head::Etag),
        ),
        413 => {
            known("The body is larger than 2 MiB, or an import larger than 32 MiB.", Refused::too_large(2 << 20), None)
        }
        422 => known(
            "A field or parameter cannot be taken, which `field` names.",
            FieldError::new("rollout_percentage", "is larger than 100").into(),
            None,
        ),
        429 => known(
            "The token or the address came too often; `Retry-After` says when to come back.",
            Refused::too_often(Duration::from_secs(1)),
            Some(Head::RetryAfter),
        ),
        _ => known(
            "The database cannot be used, there are too many streams, or the agent is stopping; `Retry-After` says when to come back, where that is known.",
            Refused::full("streams", later),
            Some(Head::RetryAfter),
        ),
    }
}
