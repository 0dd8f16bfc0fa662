//! The benefit of the doubt: how often a candidate that failed all at once is spared because both colours do well since.

use std::time::Duration;

use super::streak::Origin;
use crate::time::Time;

/// A failure seen this soon after an outage may still be of it: such requests end late.
const LATE: Duration = Duration::from_secs(1);

/// What was held up together is told of within three seconds, and two in a row within this; what goes on for longer is not over.
const HELD_UP: Duration = Duration::from_secs(6);

/// Fewer of the requests than this were not held up together, and questions do not tell them from none.
const TOGETHER: f64 = 0.05;

/// How often in a row. A candidate that only answers probes is taken back with its third streak, after a dozen bad
/// requests; two outages in a row are bad luck.
const IN_A_ROW: u8 = 2;

/// What ends a row: this much time and so many requests answered well.
const APART: Duration = Duration::from_secs(5);
const ANSWERED: u64 = 20;

/// How often in a release, whatever lies between: a candidate that fails now and then, and always altogether, is bad.
const IN_A_RELEASE: u8 = 10;

/// The doubts of one release.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Doubts {
    last: Option<Time>,
    in_a_row: u8,
    in_all: u8,
}

impl Doubts {
    /// Whether evidence may be of a shared outage that is over, and the candidate is to be asked before it is taken
    /// back. `answered` is how many of its requests went well since the evidence last started anew.
    pub(crate) fn doubts(&self, now: Time, origin: Origin, answered: u64) -> bool {
        let together = origin.together || origin.waited && origin.rate >= TOGETHER;
        let held_up = together && now.since(origin.since) <= HELD_UP;
        let late = self.last.is_some_and(|last| origin.since.since(last) < LATE);
        let row = if self.is_apart(origin.since, answered) { 0 } else { self.in_a_row };
        (origin.dense || held_up || late) && row < IN_A_ROW && self.in_all < IN_A_RELEASE
    }

    /// The candidate answered well when it was asked.
    pub(crate) fn spare(&mut self, now: Time, origin: Origin, answered: u64) {
        if self.is_apart(origin.since, answered) {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        self.in_all += 1;
        self.last = Some(now);
    }

    fn is_apart(&self, since: Time, answered: u64) -> bool {
        self.last.is_some_and(|last| since.since(last) >= APART) && answered >= ANSWERED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENSE: f64 = 1.0;
    const MIXED: f64 = 0.3;

    /// Verdicts at these seconds, each on evidence of this rate after so many requests that went well; the candidate
    /// always answers well when asked. Says which of them are doubted.
    fn doubted(verdicts: &[(f64, f64, u64)]) -> Vec<bool> {
        let mut doubts = Doubts::default();
        let judge = |&(second, rate, answered): &(f64, f64, u64)| {
            let since = Time::ZERO + Duration::from_secs_f64(second);
            let origin = Origin { since, rate, dense: rate >= DENSE, answered: true, waited: false, together: false };
            let doubted = doubts.doubts(since + Duration::from_millis(10), origin, answered);
            if doubted {
                doubts.spare(since + Duration::from_millis(10), origin, answered);
            }
            doubted
        };
        verdicts.iter().map(judge).collect()
    }

    #[test]
    fn waits_are_doubted_unless_they_go_on() {
        let check = |millis, rate, waited, together, expected| {
            let origin = Origin { since: Time::ZERO, rate, dense: false, answered: true, waited, together };
            let now = Time::ZERO + Duration::from_millis(millis);
            assert_eq!(Doubts::default().doubts(now, origin, 0), expected, "{millis} ms");
        };
        check(600, MIXED, true, false, true);
        check(600, 0.02, true, false, false);
        check(600, MIXED, false, false, false);
        check(600, 0.02, true, true, true);
        check(6_001, MIXED, true, false, false);
        check(6_001, MIXED, true, true, false);
    }

    #[test]
    fn a_candidate_is_spared_twice_in_a_row_and_ten_times_in_a_release() {
        let check = |verdicts: &[(f64, f64, u64)], expected: &[bool]| assert_eq!(doubted(verdicts), expected);
        check(&[(1.0, MIXED, 0)], &[false]);
        check(&[(1.0, DENSE, 0), (1.5, MIXED, 0), (1.8, MIXED, 0)], &[true, true, false]);
        check(&[(1.0, DENSE, 0), (2.5, MIXED, 0)], &[true, false]);
        check(&[(1.0, DENSE, 500), (4.0, DENSE, 500), (7.0, DENSE, 500)], &[true, true, false]);
        check(&[(1.0, DENSE, 0), (60.0, DENSE, 0), (120.0, DENSE, 0)], &[true, true, false]);
        let apart: Vec<_> = (0..12_u8).map(|n| (f64::from(n) * 6.0, DENSE, 500)).collect();
        check(&apart, &[[true; 10].as_slice(), &[false; 2]].concat());
    }
}
