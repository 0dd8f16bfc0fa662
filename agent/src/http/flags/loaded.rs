//! Nothing is answered before the flags were read: an empty service and one that waits for its database are not the same.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::flags::Reads;
use crate::http::problem::Refused;

pub(super) async fn loaded(State(reads): State<Reads>, request: Request, next: Next) -> Response {
    if reads.state().is_loaded() { next.run(request).await } else { Refused::unread().into_response() }
}
