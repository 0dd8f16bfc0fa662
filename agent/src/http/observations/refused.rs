//! What only this door refuses.

use axum::http::StatusCode;

use crate::http::problem::Refused;

/// The door has one path alone.
pub(super) fn no_path() -> Refused {
    let detail = format!("this door knows `POST {}` alone", crate::access::OBSERVATIONS);
    Refused::new(StatusCode::NOT_FOUND, 2, "there is no such path", detail)
}

/// Another run of the observer has begun since.
pub(super) fn over() -> Refused {
    let detail = "another run tells of this node since; two observers on one node get in each other's way: end one";
    Refused::new(StatusCode::CONFLICT, 4, "this run is over", detail.to_owned())
}
