//! Orders are answered when the store has what came of them: an agent that dies a moment later has lost nothing it said.
//!
//! ```text
//!  order --machine--> refused, or a rollback --------------------------------> answered at once
//!                 \-> taken at revision N --kept--> the store has N ----------> the release
//!                                              \--> another's write came first -> overtaken
//! ```

use teal_rollout::document::{Document, Outcome, Phase};
use teal_rollout::machine::{Action, Machine, News, Order, Refusal};
use tokio::sync::oneshot;

/// The place for an order's answer: the release it is about, or why not.
pub(super) type Answer = oneshot::Sender<Result<u64, Refusal>>;

/// What was ordered, as far as it must be known to see whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deploy,
    Promote,
    Abort,
    /// Pause and resume, which the machine itself puts on top of whatever another writes.
    Pause,
    /// Acts first, and is written after; where the old colour has to scale up first, it is put on top as a pause is.
    Rollback,
}

impl Kind {
    pub(super) const fn of(order: &Order) -> Self {
        match order {
            Order::Deploy { .. } => Self::Deploy,
            Order::Promote { .. } => Self::Promote,
            Order::Abort { .. } => Self::Abort,
            Order::Pause { .. } | Order::Resume { .. } => Self::Pause,
            Order::Rollback { .. } => Self::Rollback,
        }
    }
}

#[derive(Debug)]
struct Promise {
    kind: Kind,
    release: u64,
    revision: u64,
    /// How many documents of others the machine had taken.
    heard: u64,
    answer: Answer,
}

/// The orders that were taken and are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Promises(Vec<Promise>);

impl Promises {
    /// Answers an order that the machine took, now or once the store has it.
    pub(super) fn give(&mut self, kind: Kind, machine: &Machine, answer: Answer) {
        let release = machine.document().epoch.release;
        let acted = kind == Kind::Rollback && !machine.document().is_coming_back();
        if acted || machine.is_durable() {
            let _ = answer.send(Ok(release));
            return;
        }
        let revision = machine.document().revision;
        self.0.push(Promise { kind, release, revision, heard: machine.heard(), answer });
    }

    /// Takes notice of a release that never was: its number was another's.
    pub(super) fn mind(&mut self, actions: &[Action]) {
        let gave_up = |action: &Action| matches!(action, Action::Announce(notice) if matches!(notice.news, News::Ended(Outcome::Aborted, None)));
        if !self.0.is_empty() && actions.iter().any(gave_up) {
            self.0.drain(..).for_each(|promise| drop(promise.answer.send(Err(Refusal::Overtaken))));
        }
    }

    /// Answers what the store has by now.
    pub(super) fn keep(&mut self, machine: &Machine) {
        if self.0.is_empty() {
            return;
        }
        let is_there = |promise: &mut Promise| machine.stored() >= promise.revision && machine.is_durable();
        for promise in self.0.extract_if(.., is_there) {
            let is_own = promise.heard == machine.heard();
            let is_kept = is_own || is_done(promise.kind, promise.release, machine.document());
            let _ = promise.answer.send(if is_kept { Ok(promise.release) } else { Err(Refusal::Overtaken) });
        }
    }
}

/// Whether a document over which another agent wrote still shows what was ordered.
fn is_done(kind: Kind, release: u64, document: &Document) -> bool {
    let is_same = document.epoch.release == release;
    match kind {
        Kind::Deploy => is_same,
        Kind::Promote => is_same && !document.is_bad() && matches!(document.phase, Phase::Retaining | Phase::Idle),
        Kind::Abort => is_same && (document.is_bad() || document.outcome == Some(Outcome::Aborted)),
        Kind::Rollback => is_same && (document.is_bad() || document.is_coming_back()),
        Kind::Pause => true,
    }
}

#[cfg(test)]
mod tests;
