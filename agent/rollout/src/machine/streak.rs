//! Where the evidence against a candidate comes from: failures among successes, or one dense streak of them.
//!
//! ```text
//!  requests   . . x . . . . . . . x x x .  x          x bad, . good
//!  log M      0   2             1 . . .   15          a dense streak: 4 of the last 5 are bad, and with fewer
//!                                 |<------->|         than three of them there would be no verdict
//! ```
//!
//! An outage that both colours share and that is over makes a dense streak. Failures among successes are nothing
//! that could have ended in the meantime. What several observers saw comes in their blocks, one after the other, so that
//! each observer's requests are looked at by themselves.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::event::Observation;
use crate::time::Time;

/// Below this log M nothing speaks against a candidate yet: a good one gets there once in twenty releases.
pub(crate) const SUSPICIOUS: f64 = 3.0;

/// A streak in which so many of the requests are bad is dense. An edge may mix in a request or two that were answered
/// before the outage and told after it.
pub(crate) const DENSE: f64 = 0.75;

/// A gap between two bad requests is not longer than this when a streak is looked for.
const LONGEST: u64 = 3;

/// So many bad requests make a streak; fewer do where log M was below [`LOW`] before them. A candidate that fails one
/// request in five comes to its verdict with a streak like that once in ten times, one that fails one in twenty hardly
/// ever.
const STREAK: u32 = 3;
const LOW: f64 = 5.0;

/// How many of the last bad requests are remembered; a dense streak of so many is dense enough.
const REMEMBERED: usize = 16;

/// The last bad requests of a component's candidate.
#[derive(Clone, Debug)]
pub(crate) struct Streak {
    /// How many each observer told of.
    requests: BTreeMap<u16, u64>,
    bad: [Bad; REMEMBERED],
    /// How many of `bad` are filled, and then how many there ever were.
    count: usize,
    /// The evidence is older than this: another agent's, whose last requests are not known.
    resumed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Bad {
    at: Time,
    observer: u16,
    /// Whether the application answered, with an error.
    answered: bool,
    /// Whether it is bad for how long it took.
    waited: bool,
    /// Which of its observer's requests it is.
    number: u64,
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
    /// Whether it ends in a dense streak without which there would be no verdict.
    pub(crate) dense: bool,
    /// Whether its bad requests were answered, if only with an error.
    pub(crate) answered: bool,
    /// Whether most of them are bad for how long they took: what held them up may be over since.
    pub(crate) waited: bool,
}

impl Streak {
    pub(crate) const fn new() -> Self {
        let none = Bad { at: Time::ZERO, observer: 0, answered: false, waited: false, number: 0, log_m: 0.0 };
        Self { requests: BTreeMap::new(), bad: [none; REMEMBERED], count: 0, resumed: false }
    }

    /// Goes on with evidence of which the last requests are not known.
    pub(crate) fn resumed() -> Self {
        Self { resumed: true, ..Self::new() }
    }

    /// Counts a finished request, in the order in which they are judged.
    pub(crate) fn add(&mut self, at: Time, observer: u16, seen: &Observation, log_m_before: f64) {
        let number = self.requests.entry(observer).or_default();
        *number += 1;
        if seen.bad {
            let (answered, waited, number) = (seen.wait_ms.is_some(), seen.waited, *number);
            self.bad[self.count % REMEMBERED] = Bad { at, observer, answered, waited, number, log_m: log_m_before };
            self.count += 1;
        }
    }

    /// What lifted log M to where it is now, as far as it is remembered.
    pub(crate) fn origin(&self) -> Option<Origin> {
        let mut spans = Spans::default();
        let (mut since, mut rate, mut streak) = (None, 0.0, None);
        let (mut low, mut answered) = (false, true);
        let (mut waited, mut of) = (0, 0);
        for back in 1..=self.count.min(REMEMBERED) {
            let bad = &self.bad[(self.count - back) % REMEMBERED];
            let near = spans.add(bad);
            let all = self.resumed && back == self.count;
            if spans.density() >= DENSE && (spans.bad >= STREAK || bad.log_m < LOW || all) {
                // A stray failure long before belongs to no streak.
                streak = streak.filter(|_| !near).or(Some(bad.at));
            }
            if !low {
                (since, rate) = (Some(bad.at), spans.rate());
                low = bad.log_m < SUSPICIOUS;
                answered &= bad.answered;
                waited += usize::from(bad.waited);
                of += 1;
            }
        }
        Some(Origin { since: streak.or(since)?, rate, dense: streak.is_some(), answered, waited: 2 * waited > of })
    }
}

/// From the first to the last of some bad requests, observer by observer.
#[derive(Default)]
struct Spans {
    bad: u32,
    spans: BTreeMap<u16, (u64, u64)>,
    /// How long the spans are, each gap between two bad requests at most [`LONGEST`].
    short: u64,
}

impl Spans {
    /// One that came before all those so far; says whether it is near the next.
    fn add(&mut self, bad: &Bad) -> bool {
        self.bad += 1;
        let gap = match self.spans.entry(bad.observer) {
            Entry::Vacant(span) => {
                span.insert((bad.number, bad.number));
                1
            }
            Entry::Occupied(mut span) => std::mem::replace(&mut span.get_mut().0, bad.number) - bad.number,
        };
        self.short += gap.min(LONGEST);
        gap <= LONGEST
    }

    /// As the rate, with less weight on a stray failure beside a streak.
    fn density(&self) -> f64 {
        share(self.bad, self.short)
    }

    /// The share of bad ones among the requests.
    fn rate(&self) -> f64 {
        share(self.bad, self.spans.values().map(|(first, last)| last - first + 1).sum())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn share(bad: u32, requests: u64) -> f64 {
    f64::from(bad) / requests as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Colour;
    use std::time::Duration;

    fn seen(bad: bool) -> Observation {
        Observation::new(0, Colour::Green, 1, bad)
    }

    /// `x` is bad and adds 4 to log M, `.` is good and takes 1, as far as 0; one a millisecond.
    fn streak(requests: &str, mut log_m: f64) -> Streak {
        let (mut streak, mut now) = (Streak::new(), Time::ZERO);
        for request in requests.bytes() {
            now = now + Duration::from_millis(1);
            let bad = request == b'x';
            streak.add(now, 0, &seen(bad), log_m);
            log_m = if bad { log_m + 4.0 } else { (log_m - 1.0).max(0.0) };
        }
        streak
    }

    #[test]
    fn a_streak_is_told_from_failures_among_successes_and_from_those_before_it() {
        let check = |log_m: f64, requests: &str, since: u64, rate: f64, dense: bool| {
            let origin = streak(requests, log_m).origin().unwrap();
            assert_eq!((origin.since, origin.dense), (Time::from_micros(since * 1000), dense), "{requests}");
            assert!((origin.rate - rate).abs() < 1e-12, "{requests}: {origin:?}");
        };
        check(0.0, "xxxx", 1, 1.0, true);
        check(0.0, "....xxxx", 5, 1.0, true);
        check(0.0, "x......xxxx", 8, 1.0, true);
        check(0.0, "xxx.x", 1, 0.8, true);
        check(0.0, "x.x.x.x", 1, 4.0 / 7.0, false);
        check(0.0, "xx..x..x", 1, 0.5, false);
        check(0.0, &"x".repeat(100), 85, 1.0, true);
        check(9.0, "x....xxx", 6, 0.5, true);
        check(9.0, "x.....xx", 1, 3.0 / 8.0, false);
        check(9.0, "x.........xx", 11, 0.25, true);
        check(9.0, "xxxxxx........x", 1, 7.0 / 15.0, true);
        check(9.0, "x........xxxxxx", 10, 7.0 / 15.0, true);
        assert_eq!(streak("", 0.0).origin(), None);
        assert_eq!(streak("....", 0.0).origin(), None);
    }

    #[test]
    fn after_a_restart_one_failure_may_be_the_last_of_a_streak() {
        for (mut streak, dense) in [(Streak::new(), false), (Streak::resumed(), true)] {
            streak.add(Time::ZERO, 0, &seen(false), 12.0);
            streak.add(Time::ZERO, 0, &seen(true), 12.0);
            assert_eq!(streak.origin().unwrap().dense, dense);
        }
    }

    #[test]
    fn an_error_that_was_answered_is_told_from_silence() {
        let mut streak = Streak::new();
        let answered = Observation { wait_ms: Some(3), ..seen(true) };
        streak.add(Time::ZERO, 0, &answered, 0.0);
        assert!(streak.origin().unwrap().answered);
        streak.add(Time::ZERO, 0, &seen(true), 6.0);
        assert!(!streak.origin().unwrap().answered);
    }

    #[test]
    fn what_one_observer_saw_well_is_not_put_among_what_another_saw_fail() {
        let mut streak = Streak::new();
        let requests = [(0, true), (0, true), (0, false), (0, false), (1, true), (1, true)];
        for (number, (observer, bad)) in requests.into_iter().enumerate() {
            streak.add(Time::ZERO, observer, &seen(bad), if number == 0 { 0.0 } else { 6.0 });
        }
        let origin = streak.origin().unwrap();
        assert_eq!((origin.rate, origin.dense), (1.0, true));
        streak.add(Time::ZERO, 0, &seen(false), 6.0);
        streak.add(Time::ZERO, 0, &seen(true), 6.0);
        assert!(streak.origin().unwrap().rate < DENSE);
    }
}
