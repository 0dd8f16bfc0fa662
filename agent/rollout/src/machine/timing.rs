//! Which time counts towards what, and when the machine wants to be woken.

use std::time::Duration;

use super::{Machine, Now};
use crate::document::Phase;
use crate::time::Time;

/// Edges speak each second. Where no event comes for longer than this the process stood still, and nobody watched: such time
/// does not count, or a release would be kept on waking, before what was seen meanwhile is looked at.
const NOBODY_WATCHED: Duration = Duration::from_secs(5);

impl Machine {
    /// When [`super::Event::Tick`] should come at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        // A limit that has passed is not asked for again: what is still missing then comes as an event.
        let left = self.phase_limit().filter(|_| self.counts()).and_then(|limit| limit.checked_sub(self.elapsed));
        let phase = left.filter(|left| !left.is_zero()).map(|left| self.last.time + left);
        let stage =
            self.stage_end().filter(|_| self.counts()).map(|end| self.last.time + end.saturating_sub(self.elapsed));
        [
            phase,
            stage,
            self.coming_deadline(),
            self.confirm.deadline(),
            self.sampling_deadline(),
            self.started.deadline(),
            self.facts.deadline(&self.doc, |id, colour| self.is_still_thin(id, colour)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether time counts towards the phase's limit: a pause stops all but a switch that has begun and the way
    /// back, a shared outage stops the watch, and a way back that scales up stops the retention.
    pub(super) fn counts(&self) -> bool {
        match self.doc.phase {
            Phase::Deploying | Phase::Smoke | Phase::Watching | Phase::Retaining => {
                !self.doc.is_coming_back() && self.doc.paused.is_none() && !self.confirm.window_is_open()
            }
            Phase::Held => false,
            Phase::Idle | Phase::Switching | Phase::RollingBack => true,
        }
    }

    pub(super) fn pass_time(&mut self, now: Now) {
        let passed = now.time.since(self.last.time).min(NOBODY_WATCHED);
        if self.started.is_done() && self.counts() {
            self.elapsed += passed;
            if self.judges() {
                self.exposure += passed;
            }
        }
        if self.doc.is_coming_back() {
            self.coming_for += passed;
        } else {
            self.coming_for = Duration::ZERO;
        }
        if now.time > self.last.time {
            self.last = now;
        } else {
            self.last.unix_millis = now.unix_millis;
        }
    }
}
