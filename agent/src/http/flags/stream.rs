//! The stream of changes, as the SDK expects it (sdk/src/client/stream.rs).
//!
//! ```text
//! Last-Event-ID: INSTANCE:REVISION --> at once: ping (nothing new) | delta (what changed since) | snapshot (another instance, or none)
//!                                      then: delta for each change, ping every 15 s
//! ```
//! A reader that is slow gets several changes as one: what it is sent is always made for where it stands.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::places::Place;
use super::{Door, sdk};
use crate::flags::{self, Keeper, Position, Relay};
use crate::http::access::{Caller, Lease};
use crate::http::problem::Refused;
use crate::http::query::Asked;

/// Between two signs of life.
const PING: Duration = Duration::from_secs(15);
/// A stream ends after this and up to a quarter more, before its connection does: SDKs come back at once, where they stood.
const LIFE: Duration = Duration::from_secs(2400);
/// When to come back where there are too many streams.
const FULL: Duration = Duration::from_secs(5);

pub(super) async fn stream(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    caller.everything()?;
    caller.environment(Asked::known(query.as_deref(), &sdk::ASKED)?.text("environment"))?;
    let place = door.streams.take(caller.token()).ok_or_else(|| Refused::full("streams", FULL))?;
    let known = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|id| id.parse().ok());
    if let Some(known) = known.clone() {
        door.keeper.heard(known).await;
    }
    let now = Instant::now();
    let reader = Reader {
        states: door.reads.watch(),
        keeper: door.keeper,
        at: known,
        is_first: true,
        ping: now,
        end: now + LIFE + LIFE.mul_f64(fastrand::f64() / 4.0),
        alarm: Box::pin(sleep_until(now)),
        over: Box::pin(over(door.shutdown, door.access.lease(&caller))),
        _place: place,
    };
    let events = unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((head, Body::from_stream(events)).into_response())
}

/// The agent ends, or the reader's token does.
async fn over(shutdown: CancellationToken, mut lease: Lease) {
    shutdown.run_until_cancelled(lease.over()).await;
}

/// Who reads, and how far they are.
struct Reader {
    states: watch::Receiver<Arc<flags::State>>,
    keeper: Keeper,
    at: Option<Position>,
    is_first: bool,
    ping: Instant,
    end: Instant,
    /// Goes off when something may be due. A change does not set it anew: a thousand streams would do so at the same moment.
    alarm: Pin<Box<Sleep>>,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
    _place: Place,
}

impl Reader {
    /// The next event; `None`: the stream ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let state = self.states.borrow_and_update().clone();
            if let Some(event) = state.event(self.at.as_ref()).filter(|_| !self.may_be_ahead(state.position())) {
                self.at = Some(state.position().clone());
                self.is_first = false;
                self.ping = Instant::now() + PING;
                return Some(event);
            }
            drop(state);
            let now = Instant::now();
            if now >= self.end {
                return None;
            }
            if std::mem::take(&mut self.is_first) || self.ping <= now {
                self.ping = now + PING;
                return Some(self.ping());
            }
            tokio::select! {
                changed = self.states.changed() => changed.ok()?,
                () = &mut self.alarm => self.alarm.as_mut().reset(self.ping.min(self.end)),
                () = &mut self.over => return None,
            }
        }
    }

    /// Whether the client knows more than a relay that has told it before, or may: it keeps that until the relay has caught up.
    fn may_be_ahead(&self, here: &Position) -> bool {
        let Some((relay, at)) = self.keeper.relay().zip(self.at.as_ref()) else { return false };
        if at.instance == here.instance { at.revision > here.revision } else { !relay.supersedes(&at.instance) }
    }

    /// A sign of life, at where the client stands: what it has is the newest, or was so long ago.
    fn ping(&self) -> Bytes {
        let here = self.states.borrow().position().clone();
        let at = self.at.as_ref().unwrap_or(&here);
        let mut data = serde_json::json!({"revision": here.revision});
        if let Some(age) = self.keeper.relay().and_then(Relay::age) {
            data["age"] = age.as_secs().into();
        }
        format!("id: {at}\nevent: ping\ndata: {data}\n\n").into()
    }
}
