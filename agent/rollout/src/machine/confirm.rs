//! Confirm: before a rollback by statistics the old colour is asked whether it does better (decision section 5).
//!
//! ```text
//!  over the threshold -> ask old --2 of 3--> roll back
//!                           \--> ask new --old better--> roll back
//!                                   \--> shared window: nothing moves until old has passed for 1 s
//! ```

use std::time::Duration;

use super::event::Arm;
use super::{Action, Machine, News};
use crate::document::Cause;
use crate::time::Time;

/// How long until a confirm that led nowhere is repeated.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// A probe that is not answered by then was lost; it is bounded below this by itself.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// How long the old colour must pass before a shared window closes.
const PASSING_FOR: Duration = Duration::from_secs(1);
/// Passes of three that count as a pass.
const QUORUM: u8 = 2;

#[derive(Clone, Debug, Default)]
pub(crate) struct Confirm {
    round: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Quiet,
    /// Led nowhere; look again at `until`.
    Resting { until: Time },
    /// Three requests are out to `arm`.
    Asking { component: usize, arm: Arm, old_passed: u8, since: Time },
    /// A shared outage. `passing` since the first pass in a row; `asked` while three requests are out.
    Window { component: usize, opened: Time, passing: Option<Time>, asked: Option<Time>, next: Time },
}

impl Confirm {
    pub(crate) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Quiet)
    }

    pub(crate) const fn window_is_open(&self) -> bool {
        matches!(self.state, State::Window { .. })
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
            State::Window { component, .. } => Some(component),
            _ => None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Quiet => None,
            State::Resting { until } => Some(until),
            State::Asking { since, .. } => Some(since + LOST_AFTER),
            State::Window { asked: Some(asked), .. } => Some(asked + LOST_AFTER),
            State::Window { next, .. } => Some(next),
        }
    }

    pub(crate) fn reset(&mut self) {
        self.state = State::Quiet;
    }
}

impl Machine {
    /// Looks at the evidence and moves the confirming on.
    pub(super) fn judge(&mut self, now: Time) {
        if !self.judges() {
            return self.confirm.reset();
        }
        match self.confirm.state {
            State::Quiet => self.judge_quiet(now),
            State::Resting { until } if now >= until => {
                self.confirm.state = State::Quiet;
                self.judge_quiet(now);
            }
            State::Asking { since, .. } if now >= since + LOST_AFTER => {
                // To ask the old colour now says nothing about then: the evidence may be of an outage that is over.
                self.evidence.restart(self.exposure);
                self.confirm.state = State::Resting { until: now + AGAIN_AFTER };
            }
            State::Window { component, opened, passing, asked: Some(asked), .. } if now >= asked + LOST_AFTER => {
                self.confirm.state = State::Window { component, opened, passing, asked: None, next: now };
                self.judge(now);
            }
            State::Window { component, opened, passing, asked: None, next } if now >= next => {
                self.confirm.state = State::Window { component, opened, passing, asked: Some(now), next };
                self.ask(component, Arm::Old);
            }
            State::Resting { .. } | State::Asking { .. } | State::Window { .. } => {}
        }
    }

    fn judge_quiet(&mut self, now: Time) {
        let Some(component) = self.participants().map(|(id, _)| id).find(|id| self.evidence.is_bad(*id)) else {
            return;
        };
        let stable = &self.doc.components[component].stable;
        let cause = Cause::Errors { component: self.doc.components[component].name.clone() };
        let has_way_back = self.facts.is_ready(component, stable.colour) || !self.acts();
        if stable.version.is_none() && self.acts() || !has_way_back {
            self.no_way_back(cause);
            self.confirm.state = State::Resting { until: now + AGAIN_AFTER };
        } else if self.settings.confirm {
            self.confirm.state = State::Asking { component, arm: Arm::Old, old_passed: 0, since: now };
            self.ask(component, Arm::Old);
        } else {
            self.call_bad(cause);
        }
    }

    fn ask(&mut self, component: usize, arm: Arm) {
        self.confirm.round += 1;
        let c = &self.doc.components[component];
        let colour = match arm {
            Arm::Old => c.stable.colour,
            Arm::New => c.candidate.colour,
        };
        let groups = self.evidence.worst_groups(component);
        self.out.push(Action::Probe { round: self.confirm.round, arm, component, colour, groups });
    }

    pub(super) fn probed(&mut self, now: Time, round: u64, arm: Arm, passed: u8) {
        if round != self.confirm.round || !self.judges() {
            return;
        }
        match self.confirm.state {
            State::Asking { component, arm: asked, old_passed, .. } if asked == arm => {
                self.answered(now, component, arm, old_passed, passed);
            }
            State::Window { component, opened, passing, asked: Some(_), .. } if arm == Arm::Old => {
                let passing = (passed >= QUORUM).then(|| passing.unwrap_or(now));
                if passing.is_some_and(|since| now.since(since) >= PASSING_FOR) {
                    self.evidence.restart(self.exposure);
                    self.confirm.state = State::Quiet;
                    self.announce(News::SharedOutageOver);
                } else {
                    let next = now + AGAIN_AFTER;
                    self.confirm.state = State::Window { component, opened, passing, asked: None, next };
                }
            }
            State::Quiet | State::Resting { .. } | State::Asking { .. } | State::Window { .. } => {}
        }
    }

    fn answered(&mut self, now: Time, component: usize, arm: Arm, old_passed: u8, passed: u8) {
        let name = self.doc.components[component].name.clone();
        match arm {
            Arm::Old if passed >= QUORUM => self.call_bad(Cause::Errors { component: name }),
            Arm::Old => {
                self.confirm.state = State::Asking { component, arm: Arm::New, old_passed: passed, since: now };
                self.ask(component, Arm::New);
            }
            Arm::New if old_passed > passed => self.call_bad(Cause::Errors { component: name }),
            Arm::New => {
                self.confirm.state =
                    State::Window { component, opened: now, passing: None, asked: None, next: now + AGAIN_AFTER };
                self.announce(News::SharedOutage { component: name });
            }
        }
    }
}
