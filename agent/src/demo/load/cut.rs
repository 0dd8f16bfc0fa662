//! The figures of a stretch of the load, computed from its ledger.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::Mark;
use super::counts::Counts;
use super::ledger::{Ending, Record};

/// A run is invalid when its 99th percentile of lateness is above this: the generator then measured itself. The
/// timer's own grain is 1 ms; at 1,000 requests a second 10 ms are ten requests sent in one heap.
pub const LATENESS_BOUND: Duration = Duration::from_millis(10);

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

/// The requests sent in a stretch of time, in the order in which they were sent.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub(super) records: Vec<Record>,
    /// No counts, only the versions.
    pub(super) versions: Counts,
}

/// The figures of a stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// How many, by ending and by version.
    pub counts: Counts,
    /// Latency from the intended start, of answered requests: median, 99th percentile, greatest.
    pub latency: [Duration; 3],
    /// Lateness of the generator itself, 99th percentile.
    pub lateness: Duration,
}

impl Cut {
    /// Whether the figures can be relied on.
    ///
    /// # Errors
    /// When the generator did not do what it was told to.
    pub fn valid(&self) -> Result<(), Invalid> {
        if self.counts.unsent > 0 {
            Err(Invalid::Unsent(self.counts.unsent))
        } else if self.lateness > LATENESS_BOUND {
            Err(Invalid::Late(self.lateness))
        } else {
            Ok(())
        }
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

/// One request of a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sent<'a> {
    /// When it was sent.
    pub at: Mark,
    /// From the intended start to the end; zero while it is in flight.
    pub took: Duration,
    /// How it ended.
    pub ending: Ending,
    /// The version that answered, if one did.
    pub version: Option<&'a str>,
}

impl Stretch {
    /// Its requests, in the order in which they were sent.
    pub fn requests(&self) -> impl Iterator<Item = Sent<'_>> {
        self.records.iter().map(|record| Sent {
            at: Mark(record.sent),
            took: record.took,
            ending: record.ending,
            version: record.version.and_then(|version| self.versions.name(version)),
        })
    }

    /// Its figures.
    #[must_use]
    pub fn cut(&self) -> Cut {
        let (mut latency, mut lateness) = (histogram(), histogram());
        let mut counts = self.versions.clone();
        for record in &self.records {
            counts.add(record.ending, record.version);
            lateness.saturating_record(micros(record.late));
            if matches!(record.ending, Ending::Answered(_)) {
                latency.saturating_record(micros(record.took));
            }
        }
        let at = |histogram: &Histogram<u64>, quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        let latency = [0.5, 0.99, 1.0].map(|quantile| at(&latency, quantile));
        Cut { counts, latency, lateness: at(&lateness, 0.99) }
    }

    /// What `version` did from its first bad request on; `None` when it had none.
    #[must_use]
    pub fn exposure(&self, version: &str) -> Option<Exposure> {
        let index = self.versions.index(version);
        let reached = |record: &&Record| match record.version {
            None => record.ending.is_bad(),
            answered => answered == index,
        };
        let mut exposure = Exposure { time_to_off: Duration::ZERO, before: 0, requests: 0, bad: 0 };
        let mut first = None;
        for record in self.records.iter().filter(reached) {
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
    use super::super::counts::Tally;
    use super::super::ledger::Ledger;
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

    fn all(ledger: &mut Ledger) -> Stretch {
        ledger.stretch(Duration::ZERO, Duration::MAX)
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
        let cut = all(&mut ledger).cut();
        let counts = &cut.counts;
        assert_eq!(counts.all, Tally { requests: 8, bad: 3, lost: 1 });
        assert_eq!(counts.version("v2"), Tally { requests: 4, bad: 0, lost: 0 });
        assert_eq!(counts.version("v3"), Tally { requests: 2, bad: 1, lost: 0 });
        assert_eq!(counts.version("v9"), Tally::default());
        assert_eq!(counts.nobody, Tally { requests: 2, bad: 2, lost: 1 });
        assert_eq!(counts.in_flight, 1);
        assert_eq!(counts, ledger.counts(), "counted as they end or afterwards");
        assert_eq!(cut.latency[2].as_millis(), 2);
        assert_eq!(cut.valid(), Ok(()));
    }

    #[test]
    fn a_stretch_tells_its_requests_one_by_one() {
        let stretch = all(&mut ledger(&[OLD, BAD, LOST]));
        let told: Vec<_> = stretch.requests().map(|sent| (sent.at.0, sent.took, sent.ending, sent.version)).collect();
        let [old, bad, lost] =
            [(OLD, 0), (BAD, 1), (LOST, 2)].map(|((ending, version), at)| (ms(at), ms(2), ending, version));
        assert_eq!(told, [old, bad, lost]);
        assert_eq!((Mark(ms(5)).since(Mark(ms(2))), Mark(ms(2)).since(Mark(ms(5)))), (ms(3), ms(0)));
    }

    #[test]
    fn a_cut_holds_exactly_the_requests_sent_within_it() {
        let mut ledger = ledger(&[OLD, BAD, OLD, OLD, LOST]);
        let mut tally = |from, to| ledger.stretch(from, to).cut().counts.all;
        assert_eq!(tally(ms(0), ms(2)), Tally { requests: 2, bad: 1, lost: 0 });
        assert_eq!(tally(ms(2), ms(4)), Tally { requests: 2, bad: 0, lost: 0 });
        assert_eq!(tally(ms(4), Duration::MAX), Tally { requests: 1, bad: 1, lost: 1 });
        assert_eq!(tally(ms(9), ms(1)), Tally::default());
    }

    #[test]
    fn exposure_runs_from_the_first_bad_request_sent_to_the_last_that_reached_the_version() {
        let check = |requests: &[_], expected: Option<(u64, u64, u64, u64)>| {
            let exposure = all(&mut ledger(requests)).exposure("v3");
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
        assert_eq!(all(&mut ledger).cut().valid(), Ok(()));
        for slot in 98..100 {
            let id = ledger.begin(ms(slot + 40), ms(slot));
            ledger.end(id, ms(slot + 41), Ending::Answered(200), None);
        }
        let cut = all(&mut ledger).cut();
        assert_eq!(cut.latency[2].as_millis(), 41);
        let invalid = cut.valid().unwrap_err();
        assert!(invalid.to_string().contains("was itself late (p99 40 ms, bound 10 ms)"), "{invalid}");
    }

    #[test]
    fn a_request_that_could_not_be_sent_counts_nowhere_but_against_the_run() {
        let cut = all(&mut ledger(&[OLD, (Ending::Unsent, None)])).cut();
        assert_eq!((cut.counts.all.requests, cut.valid()), (1, Err(Invalid::Unsent(1))));
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
        let kept = all(&mut ledger).cut().counts;
        assert_eq!((kept.all.requests, kept.all.bad, kept.in_flight), (Ledger::ROOM as u64, 0, 0));
        assert_eq!((ledger.counts().all.bad, ledger.counts().in_flight), (1, 0));
    }

    #[test]
    fn a_mark_is_settled_when_every_request_sent_before_it_has_ended() {
        let mut ledger = Ledger::default();
        let ids: Vec<_> = (0..3).map(|sent| ledger.begin(ms(sent), ms(sent))).collect();
        let mut end = |id| ledger.end(id, ms(9), Ending::Answered(200), None);
        end(ids[0]);
        end(ids[2]);
        assert!(!ledger.in_flight_before(ms(1)) && ledger.in_flight_before(ms(2)));
        ledger.end(ids[1], ms(9), Ending::Broken, None);
        assert!(!ledger.in_flight_before(Duration::MAX));
    }
}
