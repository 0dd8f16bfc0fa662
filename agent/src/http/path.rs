//! The part of a path in braces, as a handler gets it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::Refused;

/// The text that stands there. What is no text is no path of ours.
#[derive(Clone, Debug)]
pub(super) struct Place(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(text)| Self(text)).map_err(|_| Refused::unknown_path())
    }
}
