//! A verdict by statistics as it stands before it is confirmed: what it rests on, and what the answers are weighed by.

use super::Machine;
use super::scale::Scale;
use super::streak::Origin;
use crate::document::Cause;
use crate::statistics::{Counts, Slowness};
use crate::time::Time;

/// A verdict to be confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) component: usize,
    pub(crate) scale: Scale,
    pub(crate) origin: Origin,
    /// The candidate's requests that went well before.
    pub(crate) answered: u64,
    /// Whether any of the old colour's answers was bad.
    pub(crate) old_failed: bool,
    /// How often the candidate was asked.
    pub(crate) asked_new: u8,
    /// Whether it may be of an outage that is over.
    pub(crate) doubtful: bool,
    /// Set where it is slow rather than failing: then the old colour fails a probe by being slow too.
    pub(crate) slow: Option<Slowness>,
}

impl Machine {
    /// What the evidence on a component says now that it is over the threshold.
    pub(super) fn case(&self, now: Time, component: usize) -> Case {
        if let Some(slow) = self.evidence.slowness(component) {
            // Hundreds of requests speak for it, and what they had in common lasted: no moment's outage makes that.
            let rate = share(slow.seen);
            let scale = Scale::new(rate, slow.tolerated);
            let origin = Origin { since: now, rate, dense: false, answered: true, waited: false, together: false };
            let slow = Some(slow);
            return Case {
                component,
                scale,
                origin,
                answered: 0,
                old_failed: false,
                asked_new: 0,
                doubtful: false,
                slow,
            };
        }
        let origin = self.evidence.origin(component).unwrap_or_else(|| {
            // Only Teal's own probes failed, the last of them just now: that is nothing that could be over.
            let rate = self.evidence.samples_of(component).map_or(0.5, |samples| share(samples.counts()));
            Origin { since: now, rate, dense: false, answered: false, waited: false, together: false }
        });
        let answered = self.evidence.answered(component);
        let rate = if origin.dense { 1.0 } else { origin.rate };
        let scale = Scale::new(rate, self.evidence.tolerated(component));
        let doubtful = self.confirm.doubts(now, origin, answered);
        Case { component, scale, origin, answered, old_failed: false, asked_new: 0, doubtful, slow: None }
    }

    pub(super) fn cause(&self, case: Case) -> Cause {
        let component = self.doc.components[case.component].name.clone();
        if case.slow.is_some() { Cause::Latency { component } } else { Cause::Errors { component } }
    }
}

fn share(counts: Counts) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let share = counts.k0 as f64 / counts.n0.max(1) as f64;
    share
}
