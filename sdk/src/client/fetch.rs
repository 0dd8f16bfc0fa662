//! Fetches the whole document, unless it is unchanged.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderValue, IF_NONE_MATCH};

use super::course::{Act, Ended};
use super::error::ClientError;
use super::http::{self, Request, Service};
use super::shared::{Asked, Shared};
use super::status::{Area, Link};

/// Fetches. `tag` is that of the last document that was taken.
pub(super) async fn fetch(shared: &Arc<Shared>, service: &Service, tag: &mut Option<HeaderValue>) -> Ended {
    match attempt(shared, service, tag, Asked::ByItself).await {
        Ok(unchanged) => {
            if let Some(age) = unchanged {
                shared.heartbeat(age);
            }
            shared.link(Link::Polling);
            Ended::Fetch(Ok(()))
        }
        Err(error) => {
            let cause = error.cause(Act::Fetch);
            shared.trouble(Area::Service, error);
            Ended::Fetch(Err(cause))
        }
    }
}

/// Fetches what is newer than the tag. When nothing is, says how old that answer is.
pub(super) async fn attempt(
    shared: &Arc<Shared>,
    service: &Service,
    tag: &mut Option<HeaderValue>,
    asked: Asked,
) -> Result<Option<Duration>, ClientError> {
    let mut request = Request::get("snapshot");
    if let Some(tag) = tag {
        request.headers.insert(IF_NONE_MATCH, tag.clone());
    }
    let response = service.send(request, service.limits.connect + service.limits.first_byte, "an answer").await?;
    let age = http::age(&response);
    if response.status() == StatusCode::NOT_MODIFIED {
        return Ok(Some(age));
    }
    let new = response.headers().get(ETAG).cloned();
    // While the new document has not been taken, the old tag must not be sent again: a change would be missed.
    *tag = None;
    shared.take(service.body(response).await?, age, asked).await?;
    *tag = new.filter(|_| !shared.is_behind());
    Ok(None)
}
