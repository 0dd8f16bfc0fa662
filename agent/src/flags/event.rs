//! What those who listen are told of a state, as a server-sent event: written once, and shared by all to whom it is the same.
//!
//! ```text
//! State --the change before it--> bytes --a count of references each--> a thousand streams
//! ```

use std::sync::OnceLock;

use bytes::Bytes;

use super::state::{Position, State};

/// The events of one state that many wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    /// The last change, and at which revision it is news.
    last: Option<(u64, Bytes)>,
    /// Everything, for who comes anew.
    whole: OnceLock<Bytes>,
}

impl Events {
    /// Of a state that follows on this revision of the same instance.
    pub(super) fn after(since: u64, state: &State) -> Self {
        Self { last: Some((since, delta(since, state))), whole: OnceLock::new() }
    }
}

impl State {
    /// What who stands there is to be told; `None`: they know it all.
    #[must_use]
    pub fn event(&self, at: Option<&Position>) -> Option<Bytes> {
        let position = self.position();
        match at.filter(|at| at.instance == position.instance) {
            Some(at) if at.revision == position.revision => None,
            Some(at) if self.reaches_back_to(at.revision) => Some(match &self.events.last {
                Some((since, event)) if *since == at.revision => event.clone(),
                _ => delta(at.revision, self),
            }),
            _ => Some(self.events.whole.get_or_init(|| event("snapshot", position, &self.whole())).clone()),
        }
    }
}

fn delta(since: u64, state: &State) -> Bytes {
    event("delta", state.position(), &state.delta(since))
}

fn event(name: &str, position: &Position, data: &[u8]) -> Bytes {
    [format!("id: {position}\nevent: {name}\ndata: ").as_bytes(), data, b"\n\n"].concat().into()
}
