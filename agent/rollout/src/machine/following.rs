//! What other agents store: taken over, overtaken, or ignored because it is old.
//!
//! ```text
//!   theirs is greater ------------------------------> adopt it: route own edges by it
//!   same release, ours is BAD, theirs open ---------> BAD wins, on top of theirs
//!   ours is not stored and theirs is news ----------> a step whose write failed has not happened: adopt, decide anew
//!   theirs is old ----------------------------------> ignore it
//! ```
//! A write is one compare-and-swap, and the loser hears the winner's document as this event.

use std::time::Duration;

use super::leading::Claim;
use super::{Machine, News, start};
use crate::colour::Share;
use crate::document::{Component, Document, Outcome, Phase};

impl Machine {
    pub(super) fn meet(&mut self, mut theirs: Document) {
        self.heard += 1;
        let names: Vec<String> = self.settings.components.iter().map(|c| c.name.clone()).collect();
        start::fit_to_settings(&mut theirs, &names);
        if theirs == self.doc {
            // The answer to our own write was lost, or comes twice.
            return self.on_stored(theirs.revision);
        }
        if self.is_what_was_claimed(&theirs) {
            self.claim = None;
        }
        let (ours, is_news) = (self.doc.epoch, theirs.revision > self.stored);
        if theirs.epoch > ours || is_news && theirs.epoch == ours {
            self.adopt_stored(theirs);
        } else if !is_news {
            // A word that came late, or a store that was set back. What waits to be written is void by it: once more.
            if !self.is_durable() {
                self.persist_keeping();
            }
        } else if self.claim.is_some() {
            if self.can_go_on_top(&theirs) { self.go_on_top(&theirs) } else { self.give_up_claim(theirs) }
        } else if ours.release > theirs.epoch.release || self.doc.is_bad() && !self.says_as_much(&theirs) {
            self.number_above(&theirs);
            self.put_on_top(theirs.revision);
        } else {
            self.merge(theirs);
        }
        self.pause_again();
        self.come_back_again();
    }

    /// The write that claimed our release's number went through, and its answer was lost.
    fn is_what_was_claimed(&self, theirs: &Document) -> bool {
        let same = |(c, t): (&Component, &Component)| (&c.stable, &c.candidate) == (&t.stable, &t.candidate);
        theirs.epoch.release == self.doc.epoch.release
            && theirs.by == self.doc.by
            && self.doc.components.iter().zip(&theirs.components).all(same)
    }

    /// Whether nothing of a rollback of ours is missing in theirs: the verdict, and who has taken refuge.
    fn says_as_much(&self, theirs: &Document) -> bool {
        theirs.is_bad() && (self.doc.emergency.is_empty() || !theirs.emergency.is_empty())
    }

    /// Two orders to scale that were given at the same moment have one number: ours, which stands, is to be the newer.
    fn number_above(&mut self, theirs: &Document) {
        let is_same = self.doc.epoch.release == theirs.epoch.release && self.doc.kept != theirs.kept;
        let (Some(ours), Some(theirs)) = (&mut self.doc.kept, &theirs.kept) else { return };
        if is_same && ours.order <= theirs.order {
            ours.order = theirs.order.saturating_add(1);
        }
    }

    /// Ours stands; it only has to be written once more.
    fn put_on_top(&mut self, revision: u64) {
        self.stored = revision;
        self.doc.revision = self.doc.revision.max(revision);
        self.persist_keeping();
    }

    /// Both added a step to the same release: theirs is stored, so it is what counts, under a number above both.
    fn merge(&mut self, theirs: Document) {
        let ours = self.doc.epoch;
        let same = theirs.policy().routes == self.doc.policy().routes;
        self.adopt_stored(theirs);
        if same {
            self.doc.epoch = ours;
        } else {
            self.outrank(ours);
        }
        self.route_now();
    }

    /// Whether a release that was begun without knowing of `theirs` would have been begun all the same.
    fn can_go_on_top(&self, theirs: &Document) -> bool {
        let same_base = self.doc.components.iter().zip(&theirs.components).all(|(c, t)| c.stable == *t.active());
        self.leads()
            && self.doc.phase == Phase::Deploying
            && !self.doc.is_bad()
            && !theirs.phase.is_busy()
            && theirs.paused.is_none()
            && same_base
    }

    fn go_on_top(&mut self, theirs: &Document) {
        let before = self.claim.map_or(theirs.epoch, |claim| claim.before.max(theirs.epoch));
        self.put_on_top(theirs.revision);
        self.claim = Some(Claim { revision: self.doc.revision, before });
    }

    /// The release never was: nobody was told its number.
    fn give_up_claim(&mut self, theirs: Document) {
        self.announce(News::Ended(Outcome::Aborted, None));
        self.adopt_stored(theirs);
    }

    /// A pause that was taken, and not yet stored, is not lost to another's write.
    fn pause_again(&mut self) {
        let Some(paused) = self.pausing.clone().filter(|_| self.leads()) else { return };
        if self.is_durable() && self.doc.paused != paused {
            self.doc.paused = paused;
            self.persist_keeping();
        }
    }

    /// Takes over what the store holds, whole. What is known of the release stays known.
    fn adopt_stored(&mut self, theirs: Document) {
        let before = std::mem::replace(&mut self.doc, theirs);
        let same_release = before.epoch.release == self.doc.epoch.release;
        let same_phase = same_release && before.phase == self.doc.phase;
        self.stored = self.doc.revision;
        self.stored_at = self.last.time;
        self.stored_shares = self.doc.components.iter().map(|c| c.share).collect();
        self.store_failing = false;
        self.claim = None;
        self.held_back.clear();
        if !same_phase || before.share != self.doc.share {
            self.elapsed = Duration::ZERO;
            self.extended = false;
        }
        if !same_phase {
            self.smoke_passed = false;
        }
        if !same_release {
            self.begin_to_follow();
        }
        self.go_on_judging(&before, same_release);
        if self.started.is_done() && self.acts() {
            self.obey_stored(&before, same_phase);
        }
    }

    fn begin_to_follow(&mut self) {
        self.facts.resize_edges(self.doc.edges.len());
        let release = self.doc.epoch.release;
        let candidates: Vec<_> = self.participants().map(|(id, c)| (id, c.candidate.colour)).collect();
        for (id, colour) in candidates {
            if self.facts.of(id, colour).is_none_or(|capacity| capacity.release < release) {
                self.facts.expect(id, colour, release);
            }
        }
        self.no_way_back_told = false;
        self.evidence = super::evidence::Watch::default();
    }

    fn go_on_judging(&mut self, before: &Document, same_release: bool) {
        let shares = |document: &Document| -> Vec<Share> { document.components.iter().map(|c| c.share).collect() };
        if !self.judges() {
            self.confirm.reset();
        } else if !same_release || self.evidence.is_empty() {
            self.confirm.reset();
            self.exposure = Duration::ZERO;
            self.start_evidence();
        } else if before.share != self.doc.share || shares(before) != shares(&self.doc) {
            self.evidence.new_step(shares(&self.doc).into_iter());
        }
    }

    /// Own edges follow; the agent that leads gives the orders of the phase, too.
    fn obey_stored(&mut self, before: &Document, same_phase: bool) {
        if !same_phase && self.leads() {
            self.announce(News::Entered(self.doc.phase));
        }
        let entered: Vec<String> =
            self.doc.emergency.iter().filter(|name| !before.emergency.contains(name)).cloned().collect();
        for component in entered {
            self.announce(News::Emergency { component });
        }
        if self.doc.policy() != before.policy() {
            // Also where nothing changes by it: it overtakes an urgent order that may not have been carried out yet.
            let is_urgent = self.doc.is_bad() || !self.doc.emergency.is_empty() || !before.emergency.is_empty();
            let orders = self.route(Self::direction(is_urgent));
            self.out.extend(orders);
        }
        if self.leads() {
            self.order_again();
        }
    }
}
