//! Confirm: before a rollback by statistics the old colour is asked whether it does better (decision section 5).
//!
//! ```text
//!  over the threshold -> ask old --better--> failed among successes -----------------------------> roll back
//!                           |                failed all at once -> ask new --fails, hangs--------> roll back
//!                           |                                         \--well--> an outage that is over: judge anew
//!                           \--fails alike--> shared window: nothing moves until old has done well for 1 s
//! ```
//!
//! The candidate is asked after the old colour has answered, not beside it: when an outage ends between the two, both
//! have seen its end, and the one that still fails does so by its own fault.

mod state;

use std::time::Duration;

use super::case::Case;
use super::event::Arm;
use super::scale::{self, DECIDED, Says, Scale};
use super::streak::Origin;
use super::{Action, Machine, News, Probe};
use crate::criteria::MAX_GROUPS;
use crate::time::Time;
pub(crate) use state::Confirm;
use state::State;

/// How long until a confirm that led nowhere is repeated.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// A probe that is not answered by then was lost; it is bounded below this by itself.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// How long the old colour must do well before a shared window closes.
const WELL_FOR: Duration = Duration::from_secs(1);
/// No new round of questions to the old colour begins later than this after the first: bad requests go on meanwhile.
const ASK_FOR: Duration = Duration::from_millis(100);
/// A candidate that fails so many of these is as bad as its streak said.
const ALMOST_ALWAYS: f64 = 0.8;
/// How often at most it is asked, when it was held up and answers some of it.
const ASK_NEW: u8 = 4;
/// How long the candidate may take to answer, where the old colour took less than half of it: one that answered with
/// errors will answer again, and a machine that does much else may take its time.
const NEW_ANSWERS_IN: Duration = Duration::from_millis(500);
/// The same where none of its bad requests was answered at all.
const NEW_HANGS_AFTER: Duration = Duration::from_millis(60);

/// The same where others were answered meanwhile: it is asked more at once.
const NEW_HANGS_NOW_AND_THEN: Duration = Duration::from_millis(250);

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
            State::AskingOld { asked, .. } if now >= asked + LOST_AFTER => {
                // To ask the old colour now says nothing about then: the evidence may be of an outage that is over.
                self.judge_anew(now);
                self.confirm.state = State::Resting { until: now + AGAIN_AFTER };
            }
            State::AskingNew { case, until, .. } if now >= until => self.confirmed(case),
            State::Window { case, opened, weight, asked: Some(asked), .. } if now >= asked + LOST_AFTER => {
                self.confirm.state = State::Window { case, opened, weight, well: None, asked: None, next: now };
                self.judge(now);
            }
            State::Window { case, opened, weight, well, asked: None, next } if now >= next => {
                self.confirm.state = State::Window { case, opened, weight, well, asked: Some(now), next };
                let requests = case.scale.requests(0.0);
                self.ask(case, Arm::Old, requests, requests);
            }
            State::Resting { .. } | State::AskingOld { .. } | State::AskingNew { .. } | State::Window { .. } => {}
        }
    }

    fn judge_quiet(&mut self, now: Time) {
        let bad = self.participants().map(|(id, _)| id).filter(|id| self.evidence.is_bad(*id));
        // What can be taken back comes first, and of that what leaves no doubt.
        let first = |case: &Case| (!self.can_go_back(case.component), case.doubtful);
        let Some(case) = bad.map(|id| self.case(now, id)).min_by_key(first) else {
            return;
        };
        if !self.can_go_back(case.component) {
            self.no_way_back(self.cause(case));
            self.confirm.state = State::Resting { until: now + AGAIN_AFTER };
        } else if self.settings.confirm {
            self.ask_old(now, case, 0.0, now);
        } else {
            self.confirmed(case);
        }
    }

    fn can_go_back(&self, component: usize) -> bool {
        let stable = &self.doc.components[component].stable;
        !self.acts() || stable.version.is_some() && self.facts.is_ready(component, stable.colour)
    }

    fn ask_old(&mut self, now: Time, case: Case, weight: f64, began: Time) {
        let requests = case.scale.requests(weight);
        self.confirm.state = State::AskingOld { case, weight, began, asked: now, requests };
        self.ask(case, Arm::Old, requests, case.scale.enough(weight, requests));
    }

    fn ask(&mut self, case: Case, arm: Arm, requests: u8, enough: u8) {
        self.confirm.round += 1;
        let component = case.component;
        let c = &self.doc.components[component];
        let colour = match arm {
            Arm::Old => c.stable.colour,
            Arm::New => c.candidate.colour,
        };
        // Other paths than the configured routes have no request of their own whose time could be compared.
        let (groups, within) = match case.slow.filter(|slow| slow.group > 0) {
            Some(slow) => (vec![slow.group], Some(slow.within)),
            None => (self.failing_groups(case), None),
        };
        let (round, sampled) = (self.confirm.round, self.evidence.only_probes_failed(component));
        let probe = Probe { round, arm, component, colour, groups, sampled, requests, enough, within };
        self.out.push(Action::Probe(probe));
    }

    /// What to ask for, worst first. Requests that were told in flight are of nobody knows which route: of any.
    fn failing_groups(&self, case: Case) -> Vec<u8> {
        let worst = self.evidence.worst_groups(case.component);
        let silent = case.origin.waited && !case.origin.answered;
        if silent && worst.iter().all(|group| *group == 0) { (1..=MAX_GROUPS).collect() } else { worst }
    }

    pub(super) fn probed(&mut self, now: Time, round: u64, arm: Arm, passed: u8) {
        if round != self.confirm.round || !self.judges() {
            return;
        }
        match self.confirm.state {
            State::AskingOld { case, weight, began, asked, requests } if arm == Arm::Old => {
                let weight = weight + case.scale.weigh(requests, passed);
                let case = Case { old_failed: case.old_failed || passed < requests, ..case };
                let ends = now.since(began) >= ASK_FOR;
                match if ends { case.scale.says_at_last(weight) } else { scale::says(weight) } {
                    Says::Better => self.old_is_better(now, case, now.since(asked)),
                    Says::Alike => self.open_window(now, case),
                    Says::Nothing => self.ask_old(now, case, weight, began),
                }
            }
            State::AskingNew { case, requests, well, .. } if arm == Arm::New => {
                self.new_answered(now, case, requests, passed, well);
            }
            State::Window { case, opened, weight, well, asked: Some(_), .. } if arm == Arm::Old => {
                // What it did long ago does not outweigh what it does now.
                let weight =
                    (weight + case.scale.weigh(case.scale.requests(0.0), passed)).clamp(-2.0 * DECIDED, DECIDED);
                let well = (scale::says(weight) == Says::Better).then(|| well.unwrap_or(now));
                if well.is_some_and(|since| now.since(since) >= WELL_FOR) {
                    self.judge_anew(now);
                    self.confirm.state = State::Quiet;
                    self.announce(News::SharedOutageOver);
                } else {
                    let next = now + AGAIN_AFTER;
                    self.confirm.state = State::Window { case, opened, weight, well, asked: None, next };
                }
            }
            State::Quiet
            | State::Resting { .. }
            | State::AskingOld { .. }
            | State::AskingNew { .. }
            | State::Window { .. } => {}
        }
    }

    fn old_is_better(&mut self, now: Time, case: Case, took: Duration) {
        if !case.doubtful {
            return self.confirmed(case);
        }
        let least = match case.origin {
            Origin { answered: true, .. } => NEW_ANSWERS_IN,
            Origin { dense: true, .. } => NEW_HANGS_AFTER,
            _ => NEW_HANGS_NOW_AND_THEN,
        };
        self.ask_new(case, now + least.max(2 * took));
    }

    fn ask_new(&mut self, case: Case, until: Time) {
        let case = Case { asked_new: case.asked_new + 1, ..case };
        let rate = if case.origin.dense { 1.0 } else { case.origin.rate };
        let (requests, well) = scale::questions(rate, self.evidence.tolerated(case.component));
        self.confirm.state = State::AskingNew { case, until, requests, well };
        self.ask(case, Arm::New, requests, well);
    }

    fn new_answered(&mut self, now: Time, case: Case, requests: u8, passed: u8, well: u8) {
        let rate = f64::from(requests.saturating_sub(passed)) / f64::from(requests);
        if passed >= well {
            self.confirm.doubts.spare(now, case.origin, case.answered);
            self.confirm.state = State::Quiet;
            self.judge_anew(now);
            let component = self.doc.components[case.component].name.clone();
            self.announce(News::OutageSuspected { component });
        } else if case.origin.waited && passed > 0 && case.asked_new < ASK_NEW {
            // It answers, and may still be busy with what came together while it was held up.
            self.ask_new(case, now + NEW_ANSWERS_IN);
        } else if rate >= ALMOST_ALWAYS && !case.old_failed {
            self.confirmed(case);
        } else {
            // It only failed together by chance, or the old colour fails too: then a few questions do not tell them apart.
            let rate = if rate >= ALMOST_ALWAYS { 1.0 } else { rate.min(0.7) };
            let scale = Scale::new(rate, self.evidence.tolerated(case.component));
            self.ask_old(now, Case { scale, doubtful: false, ..case }, 0.0, now);
        }
    }

    /// Sets aside what was seen so far.
    fn judge_anew(&mut self, now: Time) {
        self.evidence.restart(self.exposure);
        self.confirm.anew = Some(now);
    }

    fn confirmed(&mut self, case: Case) {
        self.call_bad(self.cause(case));
    }

    fn open_window(&mut self, now: Time, case: Case) {
        let next = now + AGAIN_AFTER;
        self.confirm.state = State::Window { case, opened: now, weight: DECIDED, well: None, asked: None, next };
        let component = self.doc.components[case.component].name.clone();
        self.announce(News::SharedOutage { component });
    }
}
