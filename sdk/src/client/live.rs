//! Keeps the flags as the service has them: does what [`super::course`] decides.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::course::{Act, Cause, Course, Ended, Pace, Step};
use super::http::Service;
use super::shared::Shared;
use super::status::Link;
use super::{fetch, stream};

/// Longest `Retry-After` that is believed.
const BUSY_CAP: Duration = Duration::from_secs(300);
/// Between two looks at the token's file.
const TOKEN_PAUSE: Duration = Duration::from_secs(1);

/// Follows the service for ever.
pub(super) async fn run(shared: &Arc<Shared>, service: &Arc<Service>, poll_every: Duration) {
    let limits = &service.limits;
    let mut course = Course::new(Pace {
        poll_every,
        base: limits.backoff_base,
        cap: limits.backoff_cap,
        stream_retry: limits.stream_retry,
        refused: limits.refused_retry,
        busy_cap: BUSY_CAP,
    });
    let mut tag = None;
    let mut step = course.first();
    loop {
        pause(service, step).await;
        let ended = match step.act {
            Act::Stream => stream::follow(shared, service).await,
            Act::Fetch => fetch::fetch(shared, service, &mut tag).await,
        };
        if is_the_services_fault(ended) {
            service.addresses.turn();
        }
        step = course.next(ended, shared.age(), fastrand::u64(..));
        let polls = matches!(ended, Ended::Fetch(Ok(())));
        if !polls {
            shared.link(Link::Waiting);
        }
    }
}

/// Whether another replica may do better.
fn is_the_services_fault(ended: Ended) -> bool {
    match ended {
        Ended::Fetch(Ok(())) => false,
        Ended::Stream { cause, .. } | Ended::Fetch(Err(cause)) => matches!(cause, Cause::Broken | Cause::Busy(_)),
    }
}

/// Waits for the step's time, or for a new token where that may help.
async fn pause(service: &Arc<Service>, step: Step) {
    let end = Instant::now() + step.after;
    if !step.or_new_token {
        return tokio::time::sleep_until(end).await;
    }
    while Instant::now() < end && !service.has_new_token().await {
        tokio::time::sleep_until(end.min(Instant::now() + TOKEN_PAUSE)).await;
    }
}
