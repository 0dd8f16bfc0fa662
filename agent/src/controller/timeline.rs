//! The evidence of the current release over time: taken down as it comes, kept with the release, read back by `explain`.
//!
//! ```text
//! machine --look, per block--> Track (one a component) --+
//! the confirm asks, and is answered ----------------------+--> Timeline --> store (each 10 s, and with a verdict)
//!                                                                     `--> admin API
//! ```
//! The axis is the controller's monotonic clock from the moment the candidate is judged; over a restart of the agent the
//! wall clock bridges the gap.

mod track;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use teal_rollout::document::Phase;
use teal_rollout::machine::event::Arm;
use teal_rollout::machine::{Machine, Now, Probe};
use teal_rollout::time::Time;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::track::Track;
use super::snapshot::{Names, parts};
use crate::api::{self, Asked, Mark, Moment, Timeline};
use crate::store::{TimelineRow, Write, Writer};

/// Entries of what was asked; beyond them those in the middle go.
const MOST_ASKED: usize = 100;
/// Records of the journal whose time is known to the microsecond; the same.
const MOST_MOMENTS: usize = 200;
/// Routes that an entry names.
const MOST_ROUTES: usize = 3;
/// The timeline is written every so many turns of a second while it grows.
const SELDOM: u32 = 10;

/// The timeline of the newest release, for the controller that writes it and everybody who reads it.
#[derive(Debug)]
pub struct Timelines {
    current: Mutex<Option<Current>>,
    writer: Writer,
}

#[derive(Debug)]
struct Current {
    release: u64,
    /// When the candidate began to be judged, RFC 3339.
    since: String,
    /// A moment of the machine's clock and how long after `since` that was; `None` until this process has looked.
    clock: Option<(Time, Duration)>,
    tracks: Vec<Track>,
    /// With the round they were asked in.
    asked: Vec<(u64, Asked)>,
    moments: Vec<Moment>,
    unsaved: bool,
    /// Whether a verdict fell that is not written yet.
    urgent: bool,
    turns: u32,
}

impl Timelines {
    /// Goes on with what was kept of the newest release.
    #[must_use]
    pub fn new(kept: Option<TimelineRow>, writer: Writer) -> Self {
        // It is for people: what another version wrote and this one cannot read is begun anew.
        let kept = kept.and_then(|row| Some(Current::resume(row.release, serde_json::from_str(&row.json).ok()?)));
        Self { current: Mutex::new(kept), writer }
    }

    /// The timeline of a release, if it is the newest that was judged.
    #[must_use]
    pub fn of(&self, release: u64) -> Option<Timeline> {
        self.lock().as_ref().filter(|current| current.release == release).map(Current::timeline)
    }

    /// Looks at the evidence, with each event: takes a point where one is due.
    pub(super) fn look(&self, now: Now, machine: &Machine, names: &Names) {
        let doc = machine.document();
        let judging = matches!(doc.phase, Phase::Switching | Phase::Watching | Phase::Held) && !doc.is_bad();
        if !judging {
            return;
        }
        let mut current = self.lock();
        let release = doc.epoch.release;
        match current.as_mut().filter(|current| current.release == release) {
            Some(current) => current.look(now, machine, names, None),
            None => {
                // What became of the release before is told to its end.
                self.write(current.as_mut());
                let begun = current.insert(Current::begin(release, now));
                begun.look(now, machine, names, None);
            }
        }
    }

    /// A verdict fell: this moment is kept whatever else is not.
    pub(super) fn verdict(&self, now: Now, machine: &Machine, names: &Names) {
        let mut current = self.lock();
        let release = machine.document().epoch.release;
        if let Some(current) = current.as_mut().filter(|current| current.release == release) {
            current.look(now, machine, names, Some(Mark::Verdict));
            current.urgent = true;
        }
    }

    /// The confirm asks.
    pub(super) fn asks(&self, now: Now, machine: &Machine, names: &Names, question: &Probe) {
        let doc = machine.document();
        let mut current = self.lock();
        let current = current.as_mut().filter(|current| current.release == doc.epoch.release);
        if let (Some(current), Some(component)) = (current, doc.components.get(question.component)) {
            current.asks(now, question, component.name.clone(), names);
        }
    }

    /// A record of the journal was written.
    pub(super) fn noted(&self, now: Now, release: u64, seq: u64) {
        if let Some(current) = self.lock().as_mut().filter(|current| current.release == release) {
            let t = current.rounded(now);
            if current.moments.len() == MOST_MOMENTS {
                current.moments.remove(MOST_MOMENTS / 2);
            }
            current.moments.push(Moment { seq, t });
            current.unsaved = true;
        }
    }

    /// The confirm is answered.
    pub(super) fn answered(&self, now: Now, round: u64, arm: Arm, passed: u8) {
        if let Some(current) = self.lock().as_mut() {
            current.answered(now, round, arm, passed);
        }
    }

    /// Once a second: writes what is new, now and then.
    pub(super) fn turn(&self) {
        let due = self.lock().as_mut().is_some_and(|current| {
            current.turns = current.turns.wrapping_add(1);
            current.turns.is_multiple_of(SELDOM)
        });
        if due {
            self.keep();
        }
    }

    /// Writes a verdict's timeline; to be called once the verdict is acted on.
    pub(super) fn keep_verdict(&self) {
        let urgent = self.lock().as_mut().is_some_and(|current| std::mem::take(&mut current.urgent));
        if urgent {
            self.keep();
        }
    }

    /// Writes what is new.
    pub(super) fn keep(&self) {
        self.write(self.lock().as_mut());
    }

    fn write(&self, current: Option<&mut Current>) {
        if let Some(current) = current.filter(|current| current.unsaved) {
            current.unsaved = false;
            // Texts, numbers and lists of them: this cannot fail.
            let json = serde_json::to_string(&current.timeline()).unwrap_or_default();
            self.writer.keep(Write::Timeline(TimelineRow { release: current.release, json }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        // Every change is complete before the guard falls, so a poisoned lock still holds a whole state.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn begin(release: u64, now: Now) -> Self {
        let millis = i128::from(now.unix_millis);
        let at = OffsetDateTime::from_unix_timestamp_nanos(millis * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let timeline = Timeline { since: api::timestamp(at), ..Timeline::default() };
        Self { clock: Some((now.time, Duration::ZERO)), ..Self::resume(release, timeline) }
    }

    fn resume(release: u64, timeline: Timeline) -> Self {
        Self {
            release,
            since: timeline.since,
            clock: None,
            tracks: timeline.lines.into_iter().map(Track::resume).collect(),
            // No answer can come to a question of an agent that is gone.
            asked: timeline.asked.into_iter().map(|asked| (0, asked)).collect(),
            moments: timeline.moments,
            unsaved: false,
            urgent: false,
            turns: 0,
        }
    }

    fn timeline(&self) -> Timeline {
        Timeline {
            since: self.since.clone(),
            lines: self.tracks.iter().map(Track::line).collect(),
            asked: self.asked.iter().map(|(_, asked)| asked.clone()).collect(),
            moments: self.moments.clone(),
        }
    }

    /// Seconds since the candidate began to be judged; where an agent before this one saw that, by the wall clock.
    fn seconds(&mut self, now: Now) -> f64 {
        let (base, offset) = *self.clock.get_or_insert_with(|| {
            let since =
                OffsetDateTime::parse(&self.since, &Rfc3339).map_or(0, |at| at.unix_timestamp_nanos() / 1_000_000);
            let passed = i128::from(now.unix_millis) - since;
            (now.time, Duration::from_millis(u64::try_from(passed).unwrap_or(0)))
        });
        (offset + now.time.since(base)).as_secs_f64()
    }

    fn look(&mut self, now: Now, machine: &Machine, names: &Names, special: Option<Mark>) {
        let special = special.or_else(|| self.clock.is_none().then_some(Mark::Resumed));
        let t = self.seconds(now);
        for (id, component) in machine.document().components.iter().enumerate() {
            let Some(evidence) = machine.evidence(id) else { continue };
            let at = self.tracks.iter().position(|track| track.component() == component.name);
            let at = at.unwrap_or_else(|| {
                self.tracks.push(Track::new(component.name.clone()));
                self.tracks.len() - 1
            });
            let samples = machine.samples(id);
            let parts = || parts(evidence, samples, id, names);
            self.unsaved |= self.tracks[at].look(t, evidence, samples, component.share, special, parts);
        }
    }

    fn asks(&mut self, now: Now, question: &Probe, component: String, names: &Names) {
        let groups = question.groups.iter().filter(|_| !question.sampled);
        let asked = Asked {
            t: self.rounded(now),
            component,
            arm: arm(question.arm).into(),
            colour: question.colour.into(),
            // After failed probes their own check is asked for, and no route.
            routes: groups.take(MOST_ROUTES).map(|g| names.group(question.component, *g)).collect(),
            requests: question.requests,
            enough: question.enough,
            ..Asked::default()
        };
        if self.asked.len() == MOST_ASKED {
            self.asked.remove(MOST_ASKED / 2);
        }
        self.asked.push((question.round, asked));
        self.unsaved = true;
    }

    fn answered(&mut self, now: Now, round: u64, from: Arm, passed: u8) {
        let until = self.rounded(now);
        let asked = |(of, asked): &(u64, Asked)| *of == round && asked.until.is_none() && asked.arm.is(&arm(from));
        let Some(at) = self.asked.iter().rposition(asked) else { return };
        self.unsaved = true;
        let (_, mut answered) = self.asked.remove(at);
        (answered.until, answered.passed) = (Some(until), Some(passed));
        let same = |before: &Asked| {
            before.until.is_some()
                && (&before.component, &before.arm, before.requests, before.passed)
                    == (&answered.component, &answered.arm, answered.requests, answered.passed)
        };
        match at.checked_sub(1).and_then(|before| self.asked.get_mut(before)) {
            // An outage is asked about twenty times a second.
            Some((_, before)) if same(before) => {
                before.rounds += 1;
                before.until = answered.until;
            }
            _ => self.asked.insert(at, (round, answered)),
        }
    }

    fn rounded(&mut self, now: Now) -> f64 {
        (self.seconds(now) * 1e4).round() / 1e4
    }
}

const fn arm(arm: Arm) -> api::Arm {
    match arm {
        Arm::Old => api::Arm::Old,
        Arm::New => api::Arm::New,
    }
}

#[cfg(test)]
mod tests;
