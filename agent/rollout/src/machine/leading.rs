//! Who may move forward: the agent that leads, as long as it knows that it does.
//!
//! ```text
//!             judges   rolls back   routes its edges by what is stored   moves forward, starts, stops, selects, samples
//!   follows     x          x                      x
//!   leads       x          x                      x                                       x
//! ```
//! Agents that act without asking each other must not give one number to two things. A release's number counts once the
//! store has it, and steps are dealt out: each agent takes only its own, as people at a long table take every third card.

use super::{Action, Direction, Machine, News};
use crate::document::{Outcome, Phase};
use crate::policy::Epoch;
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

/// A release number that the store may not have yet, so that another agent may have taken it too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// The store has it from this revision on.
    pub(crate) revision: u64,
    /// The greatest epoch of the release before, which edges are told until then.
    pub(crate) before: Epoch,
}

impl Lead {
    pub(crate) const fn of(settings: &Settings) -> Self {
        if settings.own.is_none() { Self::Alone } else { Self::Not }
    }

    pub(crate) const fn is_alone(self) -> bool {
        matches!(self, Self::Alone)
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

    /// Whether there are other agents.
    pub(super) const fn is_shared(&self) -> bool {
        self.settings.own.is_some()
    }

    pub(super) fn told_to_lead(&mut self, until: Option<Time>) {
        self.lead = until.map_or(Lead::Not, Lead::Until);
        self.mind_lead();
    }

    /// Takes notice of a lead that has come or gone, before anything is done on the strength of it.
    pub(super) fn mind_lead(&mut self) {
        let leads = self.leads();
        if !self.started.is_done() || std::mem::replace(&mut self.led, leads) == leads {
            return;
        }
        self.selecting.forget();
        self.scaled = None;
        if leads && self.acts() {
            // It was entered while nobody led, perhaps, and then nobody was told.
            for component in self.doc.emergency.clone() {
                self.announce(News::Emergency { component });
            }
            self.order_again();
        } else if !leads {
            // Where its own edges go by what is stored it goes on as any other agent does.
            self.held_back.retain(|action| matches!(action, Action::Route { .. }));
        }
    }

    /// How many [`super::Event::Document`]s it has taken.
    ///
    /// What it asks to be made durable is based on what the store said in the last of them. A write that was asked for with
    /// fewer than the store has told of since is void: it was decided without knowing, and the machine decides anew.
    #[must_use]
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// The next step after `step` that this agent may give out; no other agent gives out the same.
    pub(super) fn step_after(&self, step: u32) -> u32 {
        let Some(own) = &self.settings.own else { return step.saturating_add(1) };
        // One lot for each edge's agent, and one for an agent without an edge.
        let lots = u32::try_from(self.settings.edges.len() + 1).unwrap_or(u32::MAX);
        let mine = own.first().map_or(lots - 1, |edge| u32::try_from(*edge).unwrap_or(lots - 1));
        let next = step.saturating_add(1);
        next.saturating_add((mine + lots - next % lots) % lots)
    }

    pub(super) fn raise_step(&mut self) {
        self.doc.epoch.step = self.step_after(self.doc.epoch.step);
    }

    /// What edges may be told before the store has the document: never a release number that may be another agent's.
    pub(super) fn urgent_epoch(&mut self) -> Epoch {
        let Some(Claim { revision, mut before }) = self.claim else { return self.doc.epoch };
        let shown = self.own_reports().flat_map(|e| [&e.running, &e.saved]).flatten().map(|p| p.epoch);
        before = shown.filter(|epoch| epoch.release == before.release).fold(before, Epoch::max);
        before.step = self.step_after(before.step);
        self.claim = Some(Claim { revision, before });
        before
    }

    /// What is worth telling: by the agent that leads everything, by another only what nobody else can know.
    pub(super) fn tells(&self, news: &News) -> bool {
        let own = matches!(
            news,
            News::Bad(_)
                | News::WouldRollBack(_)
                | News::Entered(Phase::RollingBack)
                | News::ManualAdopted
                | News::ManualPutBack
                | News::ScalingUp(_)
                // A release that never was.
                | News::Ended(Outcome::Aborted, None)
        );
        self.leads() || own
    }

    /// The edges that this agent routes.
    pub(super) fn own_edges(&self) -> impl Iterator<Item = usize> {
        (0..self.doc.edges.len()).filter(|edge| self.settings.owns(*edge))
    }

    /// Gives the orders of a phase: edges go by what is stored already, everything else waits until the store has heard
    /// from this agent, because what it knows may be old.
    pub(super) fn give_again(&mut self, actions: Vec<Action>) {
        if !self.is_durable() {
            self.held_back.extend(actions);
        } else if !self.is_shared() {
            self.out.extend(actions);
        } else {
            let is_route = |action: &Action| matches!(action, Action::Route { .. });
            let (routes, others): (Vec<_>, Vec<_>) = actions.into_iter().partition(is_route);
            self.out.extend(routes);
            if self.leads() {
                self.held_back.extend(others);
                self.persist();
            }
        }
    }

    /// The direction in which a change that somebody else decided is written at the edges here.
    pub(super) const fn direction(is_urgent: bool) -> Direction {
        if is_urgent { Direction::Back } else { Direction::Forward }
    }
}
