//! The watch: judge the candidate by its requests, go on when enough is known, ask when it is not.

use std::time::Duration;

use super::{Machine, News};
use crate::colour::Share;
use crate::document::{Cause, Outcome, Phase};
use crate::settings::OnUnknown;
use crate::time::Time;

/// A candidate without a request for this long is silent, and silence proves nothing.
pub(super) const SILENT_AFTER: Duration = Duration::from_secs(30);

/// An outage takes what was known of a candidate with it; it is watched for so much longer, or as long as its share is
/// held, before it counts as proven.
const AFTER_AN_OUTAGE: Duration = Duration::from_secs(60);

impl Machine {
    /// How long the current share is watched before the next one, or the end.
    pub(super) fn hold(&self) -> Duration {
        let step = self.settings.steps.iter().find(|s| s.share == self.doc.share);
        step.map_or(self.settings.watch_min, |s| s.hold)
    }

    pub(super) fn watching(&mut self, now: Time) {
        self.judge(now);
        // An outage that does not end is a human's: perhaps both colours are bad.
        let lasting = self.confirm.window_opened().is_some_and(|opened| now.since(opened) >= self.settings.watch_max);
        if self.doc.phase == Phase::Watching && lasting {
            self.enter(Phase::Held);
            return self.persist();
        }
        if self.doc.phase != Phase::Watching || self.doc.paused.is_some() || self.elapsed < self.hold() {
            return;
        }
        if self.is_known(now) {
            self.go_on(Outcome::Completed);
        } else if self.elapsed >= self.settings.watch_max.max(self.hold()) {
            self.give_up_waiting();
        } else if !self.extended {
            self.extended = true;
            self.announce(News::Extended);
        }
    }

    /// Enough requests, freshly seen, and nothing open against the candidate.
    pub(super) fn is_known(&self, now: Time) -> bool {
        self.facts.feeds_live(now)
            && self.confirm.is_quiet()
            && !self.confirm.judges_anew(now, AFTER_AN_OUTAGE.min(self.hold()))
            && self.participants().all(|(id, _)| {
                self.evidence.requests_in_step(id) >= self.settings.components[id].criteria.min_requests
                    && self.evidence.last_seen(id).is_some_and(|seen| now.since(seen) < SILENT_AFTER)
                    && !self.evidence.is_bad(id)
                    && self.evidence.is_convincing(id)
            })
    }

    /// The next share, or the end of the watch.
    pub(super) fn go_on(&mut self, outcome: Outcome) {
        if self.acts() && self.doc.share < Share::ALL {
            return self.next_step();
        }
        self.doc.outcome = Some(outcome);
        self.announce(News::Ended(outcome, None));
        if self.acts() {
            self.enter(Phase::Retaining);
        } else {
            self.enter(Phase::Idle);
        }
        self.persist();
    }

    fn give_up_waiting(&mut self) {
        match self.settings.on_unknown {
            OnUnknown::Rollback if self.has_way_back() => self.call_bad(Cause::Unproven),
            // A share below everything is never raised without proof, so `keep` has to ask there.
            OnUnknown::Keep if self.doc.share == Share::ALL || !self.acts() => self.go_on(Outcome::Kept),
            OnUnknown::Rollback | OnUnknown::Keep | OnUnknown::Ask => {
                self.enter(Phase::Held);
                self.persist();
            }
        }
    }
}
