//! The figures of a stretch of the load, computed from its ledger.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::ledger::{Ending, Ledger, Record};

/// A run is invalid when its 99th percentile of lateness is above this: the generator then measured itself. The
/// timer's own grain is 1 ms; at 1,000 requests a second 10 ms are ten requests sent in one heap.
pub const LATENESS_BOUND: Duration = Duration::from_millis(10);

/// Counts of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that ended.
    pub requests: u64,
    /// Of these, failed for the user: lost, or answered with 500 or above.
    pub bad: u64,
    /// Of the bad, without a complete response.
    pub lost: u64,
}

impl Tally {
    fn add(&mut self, ending: Ending) {
        self.requests += 1;
        self.bad += u64::from(ending.is_bad());
        self.lost += u64::from(ending.is_lost());
    }
}

/// Why figures are not to be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The generator could not keep its own schedule.
    #[error("the load generator was itself late (p99 {} ms, bound {} ms): this machine was too busy", .0.as_millis(), LATENESS_BOUND.as_millis())]
    Late(Duration),
    /// Requests that this machine could not send.
    #[error("the load generator could not send {0} requests: no descriptor or port was left (see ulimit -n)")]
    Unsent(u64),
}

/// The figures of the requests sent in a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Those that ended.
    pub all: Tally,
    /// By the version that answered, in the order in which the load first met them.
    pub versions: Vec<(String, Tally)>,
    /// Those that ended without any version's word: lost, or answered by the edge alone.
    pub nobody: Tally,
    /// Those still under way.
    pub in_flight: u64,
    /// When the first and the last bad request were sent, since the start of the load.
    pub bad_sent: Option<(Duration, Duration)>,
    /// Latency from the intended start, of answered requests: median, 99th percentile, greatest.
    pub latency: [Duration; 3],
    /// Lateness of the generator itself, 99th percentile.
    pub lateness: Duration,
    /// Requests that this machine could not send.
    pub unsent: u64,
}

impl Cut {
    /// Whether the figures can be relied on.
    ///
    /// # Errors
    /// When the generator did not do what it was told to.
    pub fn valid(&self) -> Result<(), Invalid> {
        if self.unsent > 0 {
            Err(Invalid::Unsent(self.unsent))
        } else if self.lateness > LATENESS_BOUND {
            Err(Invalid::Late(self.lateness))
        } else {
            Ok(())
        }
    }

    /// What this version did.
    #[must_use]
    pub fn version(&self, name: &str) -> Tally {
        self.versions.iter().find(|(version, _)| version == name).map(|(_, tally)| *tally).unwrap_or_default()
    }
}

/// What a bad version did from its first bad request on.
///
/// A bad answer that names no version (the edge's own 502, 503, 504, or none at all) counts as this version's:
/// while a release is under way nothing else is expected to cause one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// From the moment the first bad request was sent until the last request was sent that reached the version.
    /// Counted from sending, not from the answer, so that a hang is measured like an error.
    pub time_to_off: Duration,
    /// The requests that it had answered well before that.
    pub before: u64,
    /// The requests that reached it in that time, good and bad.
    pub requests: u64,
    /// The bad ones among them.
    pub bad: u64,
}

impl Ledger {
    /// The figures of the requests sent in `from..to`.
    pub(super) fn cut(&self, from: Duration, to: Duration) -> Cut {
        let (mut latency, mut lateness) = (histogram(), histogram());
        let mut cut = Cut {
            all: Tally::default(),
            versions: self.versions().iter().map(|name| (name.clone(), Tally::default())).collect(),
            nobody: Tally::default(),
            in_flight: 0,
            bad_sent: None,
            latency: [Duration::ZERO; 3],
            lateness: Duration::ZERO,
            unsent: 0,
        };
        for record in self.sent(from, to) {
            lateness.saturating_record(micros(record.late));
            match record.ending {
                Ending::InFlight => cut.in_flight += 1,
                Ending::Unsent => cut.unsent += 1,
                ending => {
                    cut.all.add(ending);
                    match record.version.and_then(|version| cut.versions.get_mut(usize::from(version))) {
                        Some((_, tally)) => tally.add(ending),
                        None => cut.nobody.add(ending),
                    }
                    if ending.is_bad() {
                        let first = cut.bad_sent.map_or(record.sent, |(first, _)| first);
                        cut.bad_sent = Some((first, record.sent));
                    }
                    if !ending.is_lost() {
                        latency.saturating_record(micros(record.took));
                    }
                }
            }
        }
        cut.versions.retain(|(_, tally)| tally.requests > 0);
        let at = |histogram: &Histogram<u64>, quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        cut.latency = [0.5, 0.99, 1.0].map(|quantile| at(&latency, quantile));
        cut.lateness = at(&lateness, 0.99);
        cut
    }

    /// What `version` did to the requests sent in `from..to`; `None` when none of them was bad.
    pub(super) fn exposure(&self, from: Duration, to: Duration, version: &str) -> Option<Exposure> {
        let index = self.versions().iter().position(|name| name == version).and_then(|at| u16::try_from(at).ok());
        let reached = |record: &&Record| match record.version {
            None => record.ending.is_bad(),
            answered => answered == index,
        };
        let mut exposure = Exposure { time_to_off: Duration::ZERO, before: 0, requests: 0, bad: 0 };
        let mut first = None;
        for record in self.sent(from, to).filter(reached) {
            if first.is_none() && !record.ending.is_bad() {
                exposure.before += 1;
                continue;
            }
            exposure.time_to_off = record.sent - *first.get_or_insert(record.sent);
            exposure.requests += 1;
            exposure.bad += u64::from(record.ending.is_bad());
        }
        first.map(|_| exposure)
    }
}

/// Microseconds up to an hour, to three digits.
fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the library accepts")]
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("constant bounds")
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A ledger of requests sent each millisecond, each answered 2 ms later.
    fn ledger(requests: &[(Ending, Option<&str>)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (sent, (ending, version)) in (0..).zip(requests) {
            let id = ledger.begin(ms(sent), ms(sent));
            ledger.end(id, ms(sent + 2), *ending, *version);
        }
        ledger
    }

    const OLD: (Ending, Option<&str>) = (Ending::Answered(200), Some("v2"));
    const GOOD: (Ending, Option<&str>) = (Ending::Answered(200), Some("v3"));
    const BAD: (Ending, Option<&str>) = (Ending::Answered(500), Some("v3"));
    const GATEWAY: (Ending, Option<&str>) = (Ending::Answered(503), None);
    const LOST: (Ending, Option<&str>) = (Ending::Broken, None);

    #[test]
    fn each_request_is_counted_once_by_ending_and_version() {
        let mut ledger = ledger(&[OLD, OLD, GOOD, BAD, GATEWAY, LOST, (Ending::Answered(404), Some("v2")), OLD]);
        ledger.begin(ms(9), ms(9));
        let cut = ledger.cut(Duration::ZERO, Duration::MAX);
        assert_eq!(cut.all, Tally { requests: 8, bad: 3, lost: 1 });
        assert_eq!(cut.version("v2"), Tally { requests: 4, bad: 0, lost: 0 });
        assert_eq!(cut.version("v3"), Tally { requests: 2, bad: 1, lost: 0 });
        assert_eq!(cut.version("v9"), Tally::default());
        assert_eq!(cut.nobody, Tally { requests: 2, bad: 2, lost: 1 });
        assert_eq!((cut.in_flight, cut.bad_sent), (1, Some((ms(3), ms(5)))));
        assert_eq!(cut.latency[2].as_millis(), 2);
        assert_eq!(cut.valid(), Ok(()));
    }

    #[test]
    fn a_cut_holds_exactly_the_requests_sent_within_it() {
        let ledger = ledger(&[OLD, BAD, OLD, OLD, LOST]);
        assert_eq!(ledger.cut(ms(0), ms(2)).all, Tally { requests: 2, bad: 1, lost: 0 });
        assert_eq!(ledger.cut(ms(2), ms(4)).all, Tally { requests: 2, bad: 0, lost: 0 });
        assert_eq!(ledger.cut(ms(4), Duration::MAX).all, Tally { requests: 1, bad: 1, lost: 1 });
        assert_eq!(ledger.cut(ms(9), ms(1)).all, Tally::default());
    }

    #[test]
    fn exposure_runs_from_the_first_bad_request_sent_to_the_last_that_reached_the_version() {
        let check = |requests: &[_], expected: Option<(u64, u64, u64, u64)>| {
            let exposure = ledger(requests).exposure(Duration::ZERO, Duration::MAX, "v3");
            let expected =
                expected.map(|(before, off, requests, bad)| Exposure { time_to_off: ms(off), before, requests, bad });
            assert_eq!(exposure, expected);
        };
        check(&[OLD, OLD], None);
        check(&[OLD, GOOD, GOOD], None);
        check(&[OLD, BAD, OLD], Some((0, 0, 1, 1)));
        check(&[OLD, GOOD, GOOD, BAD, OLD, GOOD, BAD, GOOD, OLD, OLD], Some((2, 4, 4, 2)));
        check(&[OLD, GATEWAY, LOST, GATEWAY, OLD], Some((0, 2, 3, 3)));
        check(&[(Ending::Answered(500), Some("v2")), OLD], None);
    }

    #[test]
    fn latency_counts_from_the_intended_start_and_a_late_generator_marks_the_run() {
        let mut ledger = Ledger::default();
        for slot in 0..98 {
            let id = ledger.begin(ms(slot), ms(slot));
            ledger.end(id, ms(slot + 1), Ending::Answered(200), None);
        }
        assert_eq!(ledger.cut(ms(0), Duration::MAX).valid(), Ok(()));
        for slot in 98..100 {
            let id = ledger.begin(ms(slot + 40), ms(slot));
            ledger.end(id, ms(slot + 41), Ending::Answered(200), None);
        }
        let cut = ledger.cut(ms(0), Duration::MAX);
        assert_eq!(cut.latency[2].as_millis(), 41);
        let invalid = cut.valid().unwrap_err();
        assert!(invalid.to_string().contains("was itself late (p99 40 ms, bound 10 ms)"), "{invalid}");
    }

    #[test]
    fn a_request_that_could_not_be_sent_counts_nowhere_but_against_the_run() {
        let cut = ledger(&[OLD, (Ending::Unsent, None)]).cut(ms(0), Duration::MAX);
        assert_eq!((cut.all.requests, cut.valid()), (1, Err(Invalid::Unsent(1))));
    }

    #[test]
    fn the_oldest_requests_are_forgotten_and_their_late_ends_ignored() {
        let mut ledger = Ledger::default();
        let first = ledger.begin(ms(0), ms(0));
        for _ in 0..Ledger::ROOM {
            let id = ledger.begin(ms(1), ms(1));
            ledger.end(id, ms(2), Ending::Answered(200), None);
        }
        ledger.end(first, ms(3), Ending::Broken, None);
        let cut = ledger.cut(Duration::ZERO, Duration::MAX);
        assert_eq!((cut.all.requests, cut.all.bad, cut.in_flight), (Ledger::ROOM as u64, 0, 0));
    }
}
