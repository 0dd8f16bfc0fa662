//! What a relay adds to its answers: how old they are, and that there are none before it has heard the service.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::flags::Keeper;
use crate::http::problem::Refused;

/// When to come back to a relay that has never heard the service.
const SOON: Duration = Duration::from_secs(1);

/// `Age` (RFC 9111, 5.1): the seconds since the service said that this is the newest.
pub(super) async fn relayed(State(keeper): State<Keeper>, request: Request, next: Next) -> Response {
    let Some(relay) = keeper.relay() else { return next.run(request).await };
    if !relay.knows_flags() {
        let detail = "this relay has not heard it since it was set up: come back, or ask the service itself";
        return Refused::out_of_touch(detail, SOON).into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().extend(relay.age().map(|age| (header::AGE, age.as_secs().into())));
    response
}
