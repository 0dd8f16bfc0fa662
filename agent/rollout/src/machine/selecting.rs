//! The platform's own routing (a Service's selector): it follows once traffic has settled on a colour.
//!
//! ```text
//!   switch 100 % --every edge says so--> Select new      rollback --every edge says so--> Select old
//! ```
//! Whoever comes past the edges gets the colour that serves, never one that is only being tried. What was selected last is
//! remembered, not stored: a machine that starts, that begins to lead or that goes on after a pause selects anew.

use super::{Action, Machine, News};
use crate::colour::{Colour, Share};
use crate::document::{Component, Phase};

/// What this machine selected last, by component.
#[derive(Clone, Debug)]
pub(crate) struct Selecting {
    last: Vec<Option<Colour>>,
}

impl Selecting {
    pub(crate) fn new(components: usize) -> Self {
        Self { last: vec![None; components] }
    }

    /// Everything is to be selected anew.
    pub(crate) fn forget(&mut self) {
        self.last.fill(None);
    }
}

impl Machine {
    /// Selects what has settled since, or everything that has after a start.
    pub(super) fn select(&mut self) {
        if !self.acts() || !self.leads() || !self.is_durable() {
            return;
        }
        if self.doc.paused.is_some() {
            return self.selecting.forget();
        }
        let release = self.doc.epoch.release;
        for component in 0..self.doc.components.len() {
            let Some(colour) = self.settled_colour(component) else { continue };
            if self.selecting.last[component].replace(colour) != Some(colour) {
                self.out.push(Action::Select { component, colour, release });
            }
        }
    }

    /// The colour all of a component's traffic goes to, acknowledged by every edge.
    fn settled_colour(&self, id: usize) -> Option<Colour> {
        let component: &Component = &self.doc.components[id];
        let settled = self.doc.phase != Phase::Switching && self.facts.moved_back(&self.doc.policy());
        let whole = component.share == Share::NONE || component.share == Share::ALL;
        // A colour that nothing runs on is no place to send anybody.
        let runs = component.active().version.is_some();
        (settled && whole && runs).then(|| component.active().colour)
    }

    /// Told, and selected again; the platform takes its time before it does so.
    pub(super) fn drifted(&mut self, component: usize) {
        let Some(name) = self.doc.components.get(component).map(|c| c.name.clone()) else { return };
        if self.leads() {
            self.announce(News::SelectorDrift { component: name });
        }
        self.selecting.last[component] = None;
    }
}
