//! Probes where there is little traffic: when the next one is due, and what has become of it.
//!
//! ```text
//!   candidate's requests --> Traffic, the last 10 s --below the limit--> Action::Sample --> Event::Sampled --> Samples
//! ```
//!
//! One at a time for each component, whenever the candidate's requests are evidence, in a pause and in a hold too: the
//! judgement goes on there. Not in a shared window: what fails then is set aside anyway, and the old colour is being asked.

use std::time::Duration;

use super::{Action, Machine};
use crate::criteria::Probes;
use crate::statistics::Samples;
use crate::time::Time;

/// What traffic is measured over, in seconds.
const WINDOW: u64 = SECONDS as u64;
const SECONDS: usize = 10;
/// A probe that is not answered by then was lost, and says nothing; it is bounded below this by itself.
const LOST_AFTER: Duration = Duration::from_secs(15);

/// The probes of one component's candidate.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    probes: Probes,
    pub(crate) samples: Samples,
    traffic: Traffic,
    /// The last probe asked for, from 1 on within a release.
    round: u64,
    /// Since when it is out.
    asked: Option<Time>,
    /// When the next one is due.
    next: Time,
}

impl Sampling {
    /// Nothing is asked before `probes.every` has passed: the first requests may come by themselves.
    pub(crate) fn new(probes: Probes, samples: Samples, now: Time) -> Self {
        Self { probes, samples, traffic: Traffic::new(now), round: 0, asked: None, next: now + probes.every }
    }

    /// One request of the candidate.
    pub(crate) fn saw_request(&mut self, now: Time) {
        self.traffic.add(now);
    }

    /// After a shared outage: what was seen in it, or is still out from it, says nothing.
    pub(crate) fn restart(&mut self, exposure: Duration) {
        self.samples.restart(exposure);
        self.asked = None;
    }

    /// The round to ask for now, if one is due and nobody else asks often enough.
    fn take_due(&mut self, now: Time) -> Option<u64> {
        if self.deadline() > now {
            return None;
        }
        self.next = now + self.probes.every;
        self.asked = None;
        if self.traffic.rate(now) >= self.probes.below {
            return None;
        }
        self.round += 1;
        self.asked = Some(now);
        Some(self.round)
    }

    /// Whether this is the answer that is waited for.
    fn answered(&mut self, round: u64) -> bool {
        round == self.round && self.asked.take().is_some()
    }

    fn deadline(&self) -> Time {
        self.asked.map_or(self.next, |asked| asked + LOST_AFTER)
    }
}

impl Machine {
    /// Asks candidates that nobody else asks.
    pub(super) fn sample(&mut self, now: Time) {
        if !self.samples_now() {
            return;
        }
        let release = self.doc.epoch.release;
        for (component, c) in self.doc.components.iter().enumerate().filter(|(_, c)| c.takes_part()) {
            if let Some(round) = self.evidence.sampling(component).and_then(|sampling| sampling.take_due(now)) {
                self.out.push(Action::Sample { round, component, colour: c.candidate.colour, release });
            }
        }
    }

    pub(super) fn sampled(&mut self, release: u64, component: usize, round: u64, passed: bool, wait: Duration) {
        let (counts, exposure) = (self.samples_now(), self.exposure);
        let ours = release == self.doc.epoch.release;
        let Some(sampling) = self.evidence.sampling(component).filter(|_| ours) else { return };
        if sampling.answered(round) && counts {
            sampling.samples.observe(exposure, !passed, wait);
        }
    }

    pub(super) fn sampling_deadline(&self) -> Option<Time> {
        let parts = self.doc.components.iter().enumerate().filter(|(_, c)| c.takes_part() && self.samples_now());
        parts.filter_map(|(id, _)| self.evidence.sampling_of(id)).map(Sampling::deadline).min()
    }

    fn samples_now(&self) -> bool {
        self.started.is_done() && self.leads() && self.judges() && !self.confirm.window_is_open()
    }
}

/// Requests a second over the last [`WINDOW`] seconds, or since the start where that is less.
#[derive(Clone, Copy, Debug)]
struct Traffic {
    started: Time,
    /// The second of the newest count.
    second: u64,
    /// By second, modulo the window.
    counts: [u32; SECONDS],
}

impl Traffic {
    fn new(now: Time) -> Self {
        Self { started: now, second: second(now), counts: [0; SECONDS] }
    }

    fn add(&mut self, now: Time) {
        self.turn_to(now);
        if let Some(count) = self.counts.get_mut(slot(self.second)) {
            *count = count.saturating_add(1);
        }
    }

    fn rate(&mut self, now: Time) -> f64 {
        self.turn_to(now);
        let oldest = Time::from_micros((self.second + 1).saturating_sub(WINDOW) * 1_000_000);
        let covered = now.since(oldest.max(self.started)).as_secs_f64();
        let count: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        #[expect(clippy::cast_precision_loss, reason = "ten counts of 32 bits")]
        let count = count as f64;
        count / covered.max(1e-3)
    }

    /// Forgets the seconds that have left the window. A time before the newest counts as the newest.
    fn turn_to(&mut self, now: Time) {
        let now = second(now);
        for second in (self.second + 1..=now).take(self.counts.len()) {
            self.counts[slot(second)] = 0;
        }
        self.second = self.second.max(now);
    }
}

const fn second(time: Time) -> u64 {
    time.as_micros() / 1_000_000
}

const fn slot(second: u64) -> usize {
    (second % WINDOW) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn traffic_is_measured_over_the_last_ten_seconds() {
        let mut traffic = Traffic::new(at(500));
        let mut check = |millis, requests: u32, rate: f64| {
            (0..requests).for_each(|_| traffic.add(at(millis)));
            let found = traffic.rate(at(millis));
            assert!((found - rate).abs() < 0.01, "at {millis} ms: {found} instead of {rate}");
        };
        check(1_500, 2, 2.0);
        check(2_500, 2, 2.0);
        check(9_500, 5, 1.0);
        // The seconds 2 to 11.99: the first two requests are out.
        check(11_990, 0, 0.7);
        check(12_100, 0, 5.0 / 9.1);
        check(60_000, 0, 0.0);
        check(60_000, 9, 1.0);
        // A time before the newest counts as the newest.
        check(59_900, 0, 9.0 / 8.9);
    }

    #[test]
    fn a_probe_is_due_when_few_others_ask_and_none_is_out() {
        let probes = Probes { below: 1.0, every: Duration::from_secs(1) };
        let samples = Samples::new(&crate::criteria::Criteria::default(), Duration::from_secs(300));
        let mut sampling = Sampling::new(probes, samples, at(0));
        assert_eq!(sampling.take_due(at(900)), None, "too early");
        assert_eq!(sampling.take_due(at(1_000)), Some(1));
        assert_eq!(sampling.take_due(at(9_000)), None, "one is out");
        assert!(!sampling.answered(2) && sampling.answered(1) && !sampling.answered(1));
        assert_eq!(sampling.take_due(at(9_000)), Some(2));
        assert_eq!(sampling.take_due(at(24_000)), Some(3), "the second was lost");
        assert!(sampling.answered(3));
        (0..20).for_each(|_| sampling.saw_request(at(24_500)));
        assert_eq!(sampling.take_due(at(25_000)), None, "others ask");
        assert_eq!(sampling.deadline(), at(26_000), "and it is looked at again");
        assert_eq!(sampling.take_due(at(36_000)), Some(4));
    }
}
