//! Follows the stream of changes until it ends, and says why it ended.
//!
//! What the service does (`GET /api/v1/feature-flags/stream?environment=ENV`, with `Last-Event-ID: INSTANCE:REVISION` of what is here):
//!
//! ```text
//! at once   event: snapshot   a whole document, or
//!           event: delta      what changed since that revision, or
//!           event: ping       nothing did (a comment will do too): without a first byte in 5 s the stream counts as held back
//! later     event: delta      for each change
//!           event: ping       every 15 s, or a comment: what is here is the newest, three missing are the end;
//!                             a relay adds "age", the seconds since it was in touch with the service
//! ```

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use tokio::time::{Instant, timeout_at};

use super::course::{Act, Ended};
use super::error::{ClientError, FIRST_BYTE};
use super::http::{self, Request, Service, broken};
use super::limits::LONGEST;
use super::shared::{Asked, Shared};
use super::sse::{Item, Parser};
use super::status::{Area, Link};

/// Opens the stream and takes what comes.
pub(super) async fn follow(shared: &Arc<Shared>, service: &Service) -> Ended {
    let mut open_since = None;
    let error = match open(shared, service).await {
        Ok((response, deadline)) => read(shared, service, response, deadline, &mut open_since).await,
        Err(error) => error,
    };
    let cause = error.cause(Act::Stream);
    shared.trouble(Area::Service, error);
    Ended::Stream { open_since, cause }
}

/// The answer's head, and until when the first byte must come.
async fn open(shared: &Arc<Shared>, service: &Service) -> Result<(Response, Instant), ClientError> {
    let limit = service.limits.first_byte;
    let deadline = Instant::now() + limit;
    let at = shared.flags.revision();
    let here = at.instance.map(|instance| format!("{instance}:{}", at.revision));
    let request = Request::get("stream")
        .header(ACCEPT, Some("text/event-stream".into()))
        .header(HeaderName::from_static("last-event-id"), here);
    let response = service.send(request, limit, FIRST_BYTE).await?;
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("text/event-stream") {
        return Ok((response, deadline));
    }
    Err(ClientError::NoStream { content_type: content_type.chars().take(100).collect() })
}

/// Reads until something is wrong. Sets `open_since` when the first event or heartbeat comes.
async fn read(
    shared: &Arc<Shared>,
    service: &Service,
    mut response: Response,
    first_byte: Instant,
    open_since: &mut Option<Duration>,
) -> ClientError {
    let limits = &service.limits;
    let mut age = http::age(&response);
    let mut parser = Parser::new(limits.size);
    let mut patience = (first_byte, ClientError::TimedOut { what: FIRST_BYTE, limit: limits.first_byte });
    let mut event_began = None;
    loop {
        let chunk = match timeout_at(patience.0, response.chunk()).await {
            Err(_) => return patience.1,
            Ok(Err(error)) => return broken(error),
            Ok(Ok(None)) => return ClientError::Ended,
            Ok(Ok(Some(chunk))) => chunk,
        };
        let Ok(items) = parser.push(&chunk) else { return ClientError::TooLarge { limit: limits.size } };
        if !items.is_empty() {
            event_began = None;
            open_since.get_or_insert_with(|| shared.age());
            shared.link(Link::Streaming);
        }
        for item in items {
            if let Err(error) = take(shared, item, &mut age).await {
                return error;
            }
        }
        let now = Instant::now();
        patience =
            (now + limits.silence, ClientError::TimedOut { what: "an event or heartbeat", limit: limits.silence });
        if parser.is_within_event() {
            let end = *event_began.get_or_insert(now) + limits.whole;
            if end < patience.0 {
                patience = (end, ClientError::TimedOut { what: "the end of an event", limit: limits.whole });
            }
        }
    }
}

/// `age`: how long ago the other side knew that it has the newest. A relay that is out of touch says so with each ping.
async fn take(shared: &Arc<Shared>, item: Item, age: &mut Duration) -> Result<(), ClientError> {
    match item {
        Item::Event(event) if matches!(event.name.as_str(), "snapshot" | "delta") => {
            return shared.take(event.data, *age, Asked::ByItself).await;
        }
        Item::Event(event) if event.name == "ping" => *age = said(&event.data),
        // A heartbeat, or an event of a newer service that is not for us.
        Item::Event(_) | Item::Comment => {}
    }
    shared.heartbeat(*age);
    Ok(())
}

/// The `age` of a ping, in seconds; a service itself says none.
fn said(ping: &[u8]) -> Duration {
    let ping: serde_json::Value = serde_json::from_slice(ping).unwrap_or_default();
    Duration::from_secs(ping["age"].as_u64().unwrap_or(0)).min(LONGEST)
}
