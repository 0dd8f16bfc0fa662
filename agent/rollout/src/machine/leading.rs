//! Who may move forward: the agent that leads, as long as it knows that it does.

use super::Machine;
use crate::document::Document;
use crate::settings::Settings;
use crate::time::Time;

/// Whether this agent leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// Nobody else is there.
    Alone,
    /// Until then.
    Until(Time),
    /// Another does, or nobody.
    Not,
}

impl Lead {
    pub(crate) const fn of(settings: &Settings) -> Self {
        if settings.own.is_none() { Self::Alone } else { Self::Not }
    }
}

impl Machine {
    /// Whether this agent may move forward at the moment of the event.
    pub(super) fn leads(&self) -> bool {
        match self.lead {
            Lead::Alone => true,
            Lead::Until(until) => self.last.time < until,
            Lead::Not => false,
        }
    }

    pub(super) fn told_to_lead(&mut self, until: Option<Time>) {
        self.lead = until.map_or(Lead::Not, Lead::Until);
    }

    /// How many [`super::Event::Document`]s it has taken.
    ///
    /// What it asks to be made durable is based on what the store said in the last of them. A write that was asked for with
    /// fewer than the store has told of since is void: it was decided without knowing, and the machine decides anew.
    #[must_use]
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// What another agent stored.
    pub(super) fn meet(&mut self, theirs: Document) {
        self.heard += 1;
        if (theirs.epoch, theirs.revision) > (self.doc.epoch, self.doc.revision) {
            self.stored = theirs.revision;
            self.doc = theirs;
        }
    }
}
