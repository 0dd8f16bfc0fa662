//! A watch: everything since a revision, then what happens, as it happens.
//!
//! ```text
//! log of the store --since position--> (was chosen, is chosen) --> ADDED | MODIFIED | DELETED | nothing
//! compacted --> ERROR 410, end      time out --> bookmark, end      cut --> as the test says
//! ```

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::kinds::Kind;
use super::objects::Call;
use super::refusal::Refusal;
use super::selector::Selector;
use super::state::{Shared, Signal};
use super::store::Change;
use super::value::set_meta;

/// How the test ends all running watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cut {
    /// The stream ends as it does after its time.
    #[default]
    Ended,
    /// The connection breaks in the middle of the stream.
    Dropped,
    /// An ERROR event says that the revision is too old (410), then the stream ends.
    Expired,
}

/// One running watch.
struct Following {
    shared: Arc<Shared>,
    kind: Arc<Kind>,
    namespace: Option<String>,
    selector: Selector,
    bookmarks: bool,
    ends: Instant,
    signal: watch::Receiver<Signal>,
    seen: Signal,
    position: u64,
    queue: VecDeque<Value>,
    is_over: bool,
}

/// Starts a watch; its items are lines of JSON. An error item breaks the connection.
pub(super) fn follow(
    shared: &Arc<Shared>,
    call: &Call,
) -> Result<impl Stream<Item = Result<Frame<Bytes>, std::io::Error>> + use<>, Refusal> {
    let signal = shared.signal.subscribe();
    let state = shared.lock();
    let seen = *signal.borrow();
    let mut selector = state.objects.selector(call)?;
    if !call.name.is_empty() {
        selector = selector.named(&call.name);
    }
    // The real server ends a watch that sets no time after 30 to 60 minutes.
    let seconds = call.query.number("timeoutSeconds").unwrap_or(1800);
    let mut following = Following {
        kind: call.kind.clone(),
        namespace: call.namespace.clone(),
        selector,
        bookmarks: call.query.is_true("allowWatchBookmarks"),
        ends: Instant::now() + Duration::from_secs(seconds),
        signal,
        seen,
        position: state.objects.store.revision(),
        queue: VecDeque::new(),
        is_over: false,
        shared: shared.clone(),
    };
    let wants_state = call.query.is_true("sendInitialEvents");
    match call.query.get("resourceVersion") {
        "" | "0" => {
            for (_, object) in state.objects.store.all(&following.kind.resource(), following.namespace.as_deref()) {
                if following.selector.matches(object) {
                    following.queue.push_back(event("ADDED", object));
                }
            }
            if wants_state {
                following.bookmark(true);
            }
        }
        _ if wants_state => {
            return Err(Refusal::bad_request("sendInitialEvents with a resourceVersion is not served here"));
        }
        revision => {
            let wrong = || Refusal::bad_request(format!("resourceVersion: Invalid value: \"{revision}\""));
            following.position = revision.parse().map_err(|_| wrong())?;
        }
    }
    drop(state);
    Ok(stream::unfold(following, |mut following| async { following.next().await.map(|item| (item, following)) }))
}

impl Following {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, std::io::Error>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(Ok(Frame::data(Bytes::from(format!("{event}\n")))));
            }
            if self.is_over {
                return None;
            }
            let signal = *self.signal.borrow_and_update();
            if signal.cuts > self.seen.cuts {
                match signal.cut {
                    Cut::Ended => return None,
                    Cut::Dropped => return Some(Err(std::io::Error::other("cut by the test"))),
                    Cut::Expired => self.expire(),
                }
                continue;
            }
            self.read_on();
            if signal.bookmarks > self.seen.bookmarks {
                self.seen.bookmarks = signal.bookmarks;
                self.bookmark(false);
            }
            if !self.queue.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.signal.changed() => if changed.is_err() { return None },
                () = sleep_until(self.ends) => {
                    self.bookmark(false);
                    self.is_over = true;
                }
            }
        }
    }

    /// Queues what happened since the position.
    fn read_on(&mut self) {
        let shared = self.shared.clone();
        let state = shared.lock();
        let Ok(changes) = state.objects.store.since(self.position) else {
            drop(state);
            return self.expire();
        };
        let resource = self.kind.resource();
        for change in changes {
            let is_here = change.key.resource == resource
                && self.namespace.as_ref().is_none_or(|namespace| *namespace == change.key.namespace);
            if is_here {
                let was = change.before.as_ref().is_some_and(|before| self.selector.matches(before));
                let is = !change.removed && self.selector.matches(&change.object);
                match (was, is) {
                    (false, true) => self.queue.push_back(event("ADDED", &change.object)),
                    (true, true) => self.queue.push_back(event("MODIFIED", &change.object)),
                    (true, false) => self.queue.push_back(event("DELETED", &last_seen(change))),
                    (false, false) => {}
                }
            }
        }
        self.position = self.position.max(state.objects.store.revision());
    }

    /// Says how far the watch has come, to those who asked for it.
    fn bookmark(&mut self, ends_the_state: bool) {
        if !self.bookmarks {
            return;
        }
        let mut object = json!({
            "kind": self.kind.kind, "apiVersion": self.kind.api_version(),
            "metadata": {"resourceVersion": self.position.to_string(), "creationTimestamp": null},
        });
        if ends_the_state {
            object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        self.queue.push_back(event("BOOKMARK", &object));
    }

    fn expire(&mut self) {
        let message =
            format!("too old resource version: {} ({})", self.position, self.shared.lock().objects.store.oldest());
        self.queue.push_back(event("ERROR", &Refusal::expired(message).status()));
        self.is_over = true;
    }
}

/// What a watch is told of an object that it loses: as it knew it, at the revision of the loss.
fn last_seen(change: &Change) -> Value {
    let mut object = (**change.before.as_ref().unwrap_or(&change.object)).clone();
    set_meta(&mut object, "resourceVersion", json!(change.revision.to_string()));
    object
}

fn event(what: &str, object: &Value) -> Value {
    json!({"type": what, "object": object})
}

/// An answer that is not a stream never breaks.
pub(super) fn whole(text: Bytes) -> http_body_util::combinators::BoxBody<Bytes, std::io::Error> {
    use http_body_util::BodyExt as _;
    http_body_util::Full::new(text).map_err(|never: Infallible| match never {}).boxed()
}
