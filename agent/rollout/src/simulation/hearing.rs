//! What agents hear of each other: documents by way of the store, reports of edges, blocks of evidence.

use std::time::Duration;

use super::scenario::Sabotage;
use super::store::RETRY as STORE_RETRY;
use super::store::Written;
use super::world::{What, World};
use crate::document::Document;
use crate::machine::Event;
use crate::machine::event::EdgeReport;
use crate::policy::Verdict;

/// How often an agent asks whether it missed something.
pub(super) const RELIST: Duration = Duration::from_secs(3);

impl World {
    pub(super) fn write_store(&mut self, who: usize) {
        let seat = &mut self.seats[who];
        let (life, cut) = (seat.life, seat.cut);
        match self.store.write(&mut seat.desk, cut, &mut self.random, self.scenario.sabotage) {
            Some(Written::Done(document)) => {
                self.spread(who, &document);
                self.release_withheld(who);
                self.deliver(who, Event::Stored { revision: document.revision });
                self.write_on(who);
            }
            Some(Written::Lost(document)) => {
                self.tally.lost_answers += 1;
                self.spread(who, &document);
                self.after(STORE_RETRY, What::Store { life });
                self.deliver(who, Event::StoreFailed { revision: document.revision });
            }
            Some(Written::Failed(revision)) => {
                self.after(STORE_RETRY, What::Store { life });
                self.deliver(who, Event::StoreFailed { revision });
            }
            Some(Written::Conflict) => {
                self.tally.conflicts += 1;
                let busy = self.seats[who].desk.is_busy();
                if let Some(document) = self.store.document.clone() {
                    self.hear(who, document, self.store.version);
                }
                if busy {
                    self.write_on(who);
                }
            }
            None => {}
        }
    }

    fn write_on(&mut self, who: usize) {
        let seat = &self.seats[who];
        if seat.agent.is_some() && seat.desk.is_busy() {
            let life = seat.life;
            let latency = self.store.latency(&mut self.random);
            self.after(latency, What::Store { life });
        }
    }

    /// What one wrote comes to the others, each in its own time.
    pub(super) fn spread(&mut self, writer: usize, document: &Document) {
        self.bad_is_known(document.epoch);
        for who in (0..self.seats.len()).filter(|who| *who != writer) {
            let late = self.lossy && self.random.chance(0.4);
            let delay = if late { self.random.millis(50, 2500) } else { self.random.millis(1, 50) };
            let (life, version) = (self.seats[who].life, self.store.version);
            self.after(delay, What::Hear { life, version, document: Box::new(document.clone()) });
        }
    }

    pub(super) fn heard(&mut self, who: usize, document: Document, version: u64) {
        if !self.seats[who].cut {
            self.hear(who, document, version);
        }
    }

    fn hear(&mut self, who: usize, document: Document, version: u64) {
        let deaf = self.scenario.sabotage == Some(Sabotage::DeafToBad) && document.is_bad();
        if deaf {
            return;
        }
        self.seats[who].desk.hears(&document, version);
        if self.recording() {
            self.note(format!("agent {who} hears {} {} {:?}", document.revision, document.epoch, document.phase));
        }
        self.forget_for(who, &document);
        self.deliver(who, Event::Document(Box::new(document)));
    }

    pub(super) fn relist(&mut self, who: usize) {
        let life = self.seats[who].life;
        self.after(RELIST, What::Relist { life });
        let missed = self.seats[who].desk.known != self.store.version;
        if let Some(document) = self.store.document.clone().filter(|_| missed && !self.store.down) {
            self.heard(who, document, self.store.version);
        }
    }

    /// An edge's word: at once to the agent that routes it, by way of the store to the others.
    pub(super) fn tell_report(&mut self, report: &EdgeReport) {
        let owner = self.owner(report.edge);
        let life = self.seats[owner].life;
        let soon = self.random.millis(0, 2);
        self.after(soon, What::Event { life, event: Event::Edge(report.clone()) });
        let shut = self.seats[owner].cut || self.store.down;
        let says_bad = report.running.iter().any(|p| p.epoch.verdict == Verdict::Bad);
        if shut || says_bad && self.scenario.sabotage == Some(Sabotage::DeafToBad) {
            return;
        }
        for who in (0..self.seats.len()).filter(|who| *who != owner) {
            if !self.seats[who].cut {
                let life = self.seats[who].life;
                let later = self.random.millis(5, 200);
                self.after(later, What::Event { life, event: Event::Edge(report.clone()) });
            }
        }
    }
}
