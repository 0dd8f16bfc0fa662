//! Where the evidence against a candidate comes from: one dense streak of failures, or failures among successes.
//!
//! ```text
//!  requests   . . x . . . . . . . x x x x          x bad, . good
//!  log M      0   2             1 . . . 15         the last x before which log M was still low begins the streak:
//!                                 |<----->|        4 bad of 4 requests, a dense one
//! ```
//!
//! An outage that both colours share and that is over makes a dense streak. Failures among successes are nothing
//! that could have ended in the meantime.

use crate::time::Time;

/// Below this log M nothing speaks against a candidate yet: a good one gets there once in twenty releases.
pub(crate) const SUSPICIOUS: f64 = 3.0;

/// A streak in which so many of the requests are bad is dense. An edge may mix in a request or two that were answered
/// before the outage and told after it.
const DENSE: f64 = 0.75;

/// How many of the last bad requests are remembered; a dense streak of so many is dense enough.
const REMEMBERED: usize = 16;

/// The last bad requests of a component's candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streak {
    requests: u64,
    bad: [Bad; REMEMBERED],
    /// How many of `bad` are filled, and then how many there ever were.
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Bad {
    at: Time,
    /// How many requests there were before it.
    after: u64,
    /// The component's log M before it.
    log_m: f64,
}

/// What lifted log M from low to where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Origin {
    /// When its first bad request was seen.
    pub(crate) since: Time,
    /// The share of bad ones among its requests, more than 0.0, at most 1.0.
    pub(crate) rate: f64,
}

impl Origin {
    pub(crate) fn is_dense(&self) -> bool {
        self.rate >= DENSE
    }
}

impl Streak {
    pub(crate) const fn new() -> Self {
        Self { requests: 0, bad: [Bad { at: Time::ZERO, after: 0, log_m: 0.0 }; REMEMBERED], count: 0 }
    }

    /// Counts a finished request, in the order in which they are judged.
    pub(crate) fn add(&mut self, at: Time, bad: bool, log_m_before: f64) {
        if bad {
            self.bad[self.count % REMEMBERED] = Bad { at, after: self.requests, log_m: log_m_before };
            self.count += 1;
        }
        self.requests += 1;
    }

    /// From the last bad request before which nothing spoke against the candidate, or the oldest that is remembered.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let newest_first =
            (1..=self.count.min(REMEMBERED)).map(|back| (back, self.bad[(self.count - back) % REMEMBERED]));
        let mut first = None;
        for (bad, began) in newest_first {
            first = Some((bad, began));
            if began.log_m < SUSPICIOUS {
                break;
            }
        }
        let (bad, began) = first?;
        let requests = self.requests - began.after;
        #[expect(clippy::cast_precision_loss, reason = "a rate of counts far below 2^52")]
        Some(Origin { since: began.at, rate: bad as f64 / requests as f64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// `x` is bad and adds 4 to log M, `.` is good and takes 1, as far as 0; one a millisecond.
    fn streak(requests: &str) -> Streak {
        let (mut streak, mut log_m, mut now) = (Streak::new(), 0.0_f64, Time::ZERO);
        for request in requests.bytes() {
            now = now + Duration::from_millis(1);
            let bad = request == b'x';
            streak.add(now, bad, log_m);
            log_m = if bad { log_m + 4.0 } else { (log_m - 1.0).max(0.0) };
        }
        streak
    }

    #[test]
    fn the_evidence_begins_where_nothing_spoke_against_the_candidate_yet() {
        let check = |requests: &str, since: u64, rate: f64, dense: bool| {
            let origin = streak(requests).origin().unwrap();
            assert_eq!(origin.since, Time::from_micros(since * 1000), "{requests}");
            assert!((origin.rate - rate).abs() < 1e-12 && origin.is_dense() == dense, "{requests}: {origin:?}");
        };
        check("xxxx", 1, 1.0, true);
        check("....xxxx", 5, 1.0, true);
        check("x......xxxx", 8, 1.0, true);
        check("xxx.x", 1, 0.8, true);
        check("x.x.x.x", 1, 4.0 / 7.0, false);
        check("xx..x..x", 1, 0.5, false);
        check(&"x".repeat(100), 85, 1.0, true);
        assert_eq!(streak("").origin(), None);
        assert_eq!(streak("....").origin(), None);
    }
}
