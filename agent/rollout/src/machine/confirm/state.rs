//! How far asking has come.

use std::time::Duration;

use super::super::case::Case;
use super::super::doubt::Doubts;
use super::super::streak::Origin;
use super::LOST_AFTER;
use crate::time::Time;

#[derive(Clone, Debug, Default)]
pub(crate) struct Confirm {
    pub(super) round: u64,
    pub(super) state: State,
    pub(super) doubts: Doubts,
    /// When the evidence last started anew.
    pub(super) anew: Option<Time>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum State {
    #[default]
    Quiet,
    /// Led nowhere; look again at `until`.
    Resting { until: Time },
    /// The old colour is asked, since `began`; `requests` are out since `asked`. `weight` is what it said before.
    AskingOld { case: Case, weight: f64, began: Time, asked: Time, requests: u8 },
    /// The old colour does well; the candidate has until `until` to do so: `well` of its `requests` must pass.
    AskingNew { case: Case, until: Time, requests: u8, well: u8 },
    /// A shared outage. `well` since the old colour does better again; `asked` while requests are out.
    Window { case: Case, opened: Time, weight: f64, well: Option<Time>, asked: Option<Time>, next: Time },
}

impl Confirm {
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Quiet)
    }

    pub(crate) const fn window_is_open(&self) -> bool {
        matches!(self.state, State::Window { .. })
    }

    /// Whether what was seen before was set aside less than this ago.
    pub(crate) fn judges_anew(&self, now: Time, ago: Duration) -> bool {
        self.anew.is_some_and(|anew| now.since(anew) < ago)
    }

    /// Since when a shared window is open.
    pub(crate) const fn window_opened(&self) -> Option<Time> {
        match self.state {
            State::Window { opened, .. } => Some(opened),
            _ => None,
        }
    }

    /// The component whose errors opened the shared window.
    pub(crate) const fn window(&self) -> Option<usize> {
        match self.state {
            State::Window { case, .. } => Some(case.component),
            _ => None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Quiet => None,
            State::Resting { until } | State::AskingNew { until, .. } => Some(until),
            State::AskingOld { asked, .. } | State::Window { asked: Some(asked), .. } => Some(asked + LOST_AFTER),
            State::Window { next, .. } => Some(next),
        }
    }

    /// Whether what began this long ago began before the evidence last started anew. Requests end late in an outage, and
    /// their lines come after its end: they are of it all the same.
    pub(crate) fn is_of_before(&self, now: Time, age: Duration) -> bool {
        self.anew.is_some_and(|anew| age > now.since(anew))
    }

    /// Whether evidence of this origin may be of an outage that is over.
    pub(crate) fn doubts(&self, now: Time, origin: Origin, answered: u64) -> bool {
        self.doubts.doubts(now, origin, answered)
    }

    /// Nothing is judged any more: the release has ended.
    pub(crate) fn reset(&mut self) {
        self.state = State::Quiet;
        self.doubts = Doubts::default();
        self.anew = None;
    }
}
