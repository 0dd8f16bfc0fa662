//! The candidate's requests, component by component, and what they say so far.

use std::time::Duration;

use super::event::{Block, Observation};
use super::sampling::Sampling;
use super::streak::{Origin, SUSPICIOUS, Streak};
use super::{Machine, Now};
use crate::colour::Share;
use crate::criteria::Criteria;
use crate::document::Phase;
use crate::settings::{Mode, Settings};
use crate::statistics::{Evidence, Samples, Slowness};
use crate::time::Time;

/// One component's evidence; empty while no release is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    evidence: Evidence,
    requests_in_step: u64,
    streak: Streak,
    last_seen: Option<Time>,
    sampling: Option<Sampling>,
}

impl Part {
    const fn new(evidence: Evidence) -> Self {
        Self { evidence, requests_in_step: 0, streak: Streak::new(), last_seen: None, sampling: None }
    }

    fn fails_probes(&self) -> bool {
        self.sampling.as_ref().is_some_and(|s| s.samples.is_bad())
    }
}

impl Watch {
    /// The requests counted towards the current step start anew: better to watch too long than too short. So does
    /// evidence that was over the threshold, because whether it was of a shared outage is not known any more.
    pub(crate) fn resume(mut saved: Vec<Evidence>, exposure: Duration) -> Self {
        for evidence in saved.iter_mut().filter(|e| e.is_bad()) {
            evidence.restart(exposure);
        }
        let resumed = |evidence| Part { streak: Streak::resumed(), ..Part::new(evidence) };
        Self { parts: saved.into_iter().map(resumed).collect() }
    }

    /// The probes go on with what `saved` has of them.
    pub(crate) fn with_samples(
        mut self,
        saved: Vec<Option<Samples>>,
        settings: &Settings,
        edges: usize,
        exposure: Duration,
        now: Time,
    ) -> Self {
        let mut saved = saved.into_iter();
        for (part, component) in self.parts.iter_mut().zip(&settings.components) {
            let mut kept = saved.next().flatten();
            if let Some(samples) = kept.as_mut().filter(|samples| samples.is_bad()) {
                samples.restart(exposure);
            }
            let criteria = settings.criteria_of(component, edges);
            part.sampling = sampling(&criteria, kept, nominal_watch(settings), now);
        }
        self
    }

    pub(crate) fn save_samples(&self) -> Vec<Option<Samples>> {
        self.parts.iter().map(|p| p.sampling.as_ref().map(|s| s.samples.clone())).collect()
    }

    pub(crate) fn samples_of(&self, component: usize) -> Option<&Samples> {
        self.sampling_of(component).map(|s| &s.samples)
    }

    pub(crate) fn sampling(&mut self, component: usize) -> Option<&mut Sampling> {
        self.parts.get_mut(component)?.sampling.as_mut()
    }

    pub(crate) fn sampling_of(&self, component: usize) -> Option<&Sampling> {
        self.parts.get(component)?.sampling.as_ref()
    }

    pub(crate) fn save(&self) -> Vec<Evidence> {
        self.parts.iter().map(|p| p.evidence.clone()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn of(&self, component: usize) -> Option<&Evidence> {
        self.parts.get(component).map(|p| &p.evidence)
    }

    pub(crate) fn is_bad(&self, component: usize) -> bool {
        self.parts.get(component).is_some_and(|p| p.evidence.is_bad() || p.fails_probes())
    }

    /// Whether it is bad and users' requests do not show it.
    pub(crate) fn only_probes_failed(&self, component: usize) -> bool {
        self.parts.get(component).is_some_and(|p| p.fails_probes() && !p.evidence.is_bad())
    }

    /// What lifted the evidence to where it is.
    pub(crate) fn origin(&self, component: usize) -> Option<Origin> {
        self.parts.get(component)?.streak.origin()
    }

    /// What speaks against the candidate when that is slowness rather than errors.
    pub(crate) fn slowness(&self, component: usize) -> Option<Slowness> {
        self.parts.get(component)?.evidence.slowness()
    }

    /// The error rate the candidate is allowed.
    pub(crate) fn tolerated(&self, component: usize) -> f64 {
        self.parts.get(component).map_or(0.5, |p| p.evidence.tolerated().p0)
    }

    /// Requests that went well since the evidence last started.
    pub(crate) fn answered(&self, component: usize) -> u64 {
        self.parts.get(component).map_or(0, |p| p.evidence.requests() - p.evidence.bad())
    }

    /// Whether a bad candidate would have shown, and this one does not look like one. With errors that came in a cluster
    /// before the release, each one counts for little, and hundreds may not be enough for a verdict yet.
    pub(crate) fn is_convincing(&self, component: usize) -> bool {
        let doubtful = |part: &Part| part.sampling.as_ref().is_some_and(|s| s.samples.log_m() >= SUSPICIOUS);
        let convincing = |part: &Part| {
            let Part { evidence, .. } = part;
            evidence.log_m() < SUSPICIOUS
                && evidence.excludable().is_some()
                && !evidence.exceeds_tolerated()
                && !doubtful(part)
        };
        self.parts.get(component).is_some_and(convincing)
    }

    pub(crate) fn requests_in_step(&self, component: usize) -> u64 {
        self.parts.get(component).map_or(0, |p| p.requests_in_step)
    }

    pub(crate) fn last_seen(&self, component: usize) -> Option<Time> {
        self.parts.get(component)?.last_seen
    }

    /// Groups with bad requests, worst first.
    pub(crate) fn worst_groups(&self, component: usize) -> Vec<u8> {
        self.parts.get(component).map_or_else(Vec::new, |part| part.evidence.tally().worst_groups())
    }

    /// New shares begin, one a component; what is known of the release stays.
    pub(crate) fn new_step(&mut self, shares: impl Iterator<Item = Share>) {
        for (part, share) in self.parts.iter_mut().zip(shares) {
            part.requests_in_step = 0;
            part.evidence.step(share.fraction());
        }
    }

    /// After a shared outage: what was seen in it is set aside.
    pub(crate) fn restart(&mut self, exposure: Duration) {
        for part in &mut self.parts {
            part.evidence.restart(exposure);
            part.streak = Streak::new();
            if let Some(sampling) = &mut part.sampling {
                sampling.restart(exposure);
            }
            part.requests_in_step = 0;
        }
    }

    /// Seen in a shared outage: counted, not judged.
    fn set_aside(&mut self, seen: &Observation) {
        if let Some(part) = self.parts.get_mut(usize::from(seen.component)) {
            part.evidence.set_aside(seen.bad);
        }
    }

    fn observe(&mut self, now: Time, exposure: Duration, observer: u16, seen: &Observation) {
        let Some(part) = self.parts.get_mut(usize::from(seen.component)) else {
            return;
        };
        if !part.evidence.is_bad() {
            // Only a bad request can begin a streak, and only that one has to pay for the logarithm.
            let log_m = if seen.bad { part.evidence.log_m() } else { 0.0 };
            part.evidence.observe(exposure, seen);
            part.streak.add(now, observer, seen, log_m);
        }
        part.requests_in_step += 1;
        part.last_seen = Some(now);
        if let Some(sampling) = &mut part.sampling {
            sampling.saw_request(now);
        }
    }

    /// The old colour's side of a partial share.
    fn observe_old(&mut self, exposure: Duration, seen: &Observation) {
        if let Some(part) = self.parts.get_mut(usize::from(seen.component)) {
            part.evidence.observe_old(exposure, seen.bad);
        }
    }
}

impl Machine {
    /// Freezes the old colour's history as what the candidate is judged against.
    pub(super) fn start_evidence(&mut self) {
        let nominal = nominal_watch(&self.settings);
        let Now { unix_millis, time } = self.last;
        let mut parts = Vec::new();
        let components = self.settings.components.iter().zip(&self.doc.components);
        for ((settings, component), history) in components.zip(&mut self.baselines) {
            history.expire(unix_millis);
            let partial = component.share > Share::NONE && component.share < Share::ALL;
            let steps = partial || !self.settings.steps.is_empty() && self.settings.mode == Mode::Act;
            let criteria = self.settings.criteria_of(settings, self.doc.edges.len());
            let evidence = Evidence::new(history, &criteria, steps, nominal);
            parts.push(Part { sampling: sampling(&criteria, None, nominal, time), ..Part::new(evidence) });
        }
        self.evidence = Watch { parts };
        self.evidence.new_step(self.doc.components.iter().map(|c| c.share));
    }

    /// Sorts finished requests: the candidate's are evidence, the proven colour's are history.
    pub(super) fn observe(&mut self, now: Now, block: &Block) {
        let judges = self.judges();
        let window = self.confirm.window_is_open();
        for seen in &block.requests {
            let age = Duration::from_millis(u64::from(seen.age_ms));
            let aside = window || self.confirm.is_of_before(now.time, age);
            let Some(component) = self.doc.components.get(usize::from(seen.component)) else {
                continue;
            };
            // A late line of an earlier release of the same colour says nothing about this one.
            let ours = seen.release == self.doc.epoch.release || self.settings.mode != Mode::Act;
            let is_candidate = component.takes_part() && seen.colour == component.candidate.colour;
            if judges && is_candidate {
                if ours && aside {
                    self.evidence.set_aside(seen);
                } else if ours {
                    self.evidence.observe(now.time, self.exposure, block.observer, seen);
                }
            } else {
                if judges && component.takes_part() && !aside {
                    self.evidence.observe_old(self.exposure, seen);
                }
                if !aside && self.is_history(usize::from(seen.component), seen.colour) {
                    self.baselines[usize::from(seen.component)].observe(now.unix_millis, seen);
                }
            }
        }
    }

    /// Requests of the proven colour, while it runs at all: what a colour answers that is gone, or that nothing was
    /// ever deployed to, would teach the next release that anything goes.
    fn is_history(&self, component: usize, colour: crate::colour::Colour) -> bool {
        let runs = !self.acts() || self.doc.components[component].version_on(colour).is_some();
        colour == self.proven_colour(component) && runs && !self.facts.is_gone(component, colour)
    }

    fn proven_colour(&self, component: usize) -> crate::colour::Colour {
        let c = &self.doc.components[component];
        match self.doc.phase {
            // In `observe` a release that would have been taken back goes on serving, and is no example.
            Phase::Idle | Phase::Retaining if self.doc.cause.is_none() => c.active().colour,
            Phase::Idle
            | Phase::Retaining
            | Phase::Deploying
            | Phase::Smoke
            | Phase::Switching
            | Phase::Watching
            | Phase::Held
            | Phase::RollingBack => c.stable.colour,
        }
    }
}

/// What the start mass is spread over.
fn nominal_watch(settings: &Settings) -> Duration {
    settings.steps.iter().map(|s| s.hold).sum::<Duration>() + settings.watch_min
}

fn sampling(criteria: &Criteria, saved: Option<Samples>, nominal: Duration, now: Time) -> Option<Sampling> {
    let samples = || saved.unwrap_or_else(|| Samples::new(criteria, nominal));
    criteria.probes.map(|probes| Sampling::new(probes, samples(), now))
}
