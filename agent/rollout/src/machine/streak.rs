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
use std::time::Duration;

use super::event::Observation;
use super::scale::DECIDED;
use crate::time::Time;

/// Below this log M nothing speaks against a candidate yet: a good one gets there once in twenty releases.
pub(crate) const SUSPICIOUS: f64 = 3.0;

/// A streak in which so many of the requests are bad is dense. An edge may mix in a request or two that were answered
/// before the outage and told after it.
pub(crate) const DENSE: f64 = 0.75;

/// A gap between two bad requests is not longer than this when a streak is looked for.
const LONGEST: u64 = 3;

/// Nor is the time, whatever each observer has seen of it: what is held up in one outage is told of within a second.
const NEAR: Duration = Duration::from_secs(1);

/// So many bad requests make a streak; fewer do where log M was below [`LOW`] before them. A candidate that fails one
/// request in five comes to its verdict with a streak like that once in ten times, one that fails one in twenty hardly
/// ever.
const STREAK: u32 = 3;
const LOW: f64 = 5.0;

/// So many bad requests would have been among the good ones before a burst if the candidate failed like that all the time: none of
/// them was, which happens once in a hundred times.
const QUIET: f64 = DECIDED;

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
    /// Whether the last of them waited together, a burst after so many good ones that the candidate does not fail like this all
    /// the time. Then `since` is when the burst began.
    pub(crate) together: bool,
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
        // Where the bad requests that are near each other began; a stray failure long before belongs to no streak.
        let (mut began, mut ended): (Option<Time>, bool) = (None, false);
        let (mut low, mut answered) = (false, true);
        let (mut waited, mut of) = (0, 0);
        let mut burst = None;
        for back in 1..=self.count.min(REMEMBERED) {
            let bad = &self.bad[(self.count - back) % REMEMBERED];
            let near = spans.add(bad) && began.is_none_or(|began| began.since(bad.at) <= NEAR);
            ended |= !near && streak.is_some();
            began = began.filter(|_| !near).or(Some(bad.at));
            if burst.is_none() && self.is_burst(&spans, back) {
                burst = Some(bad.at);
            }
            let all = self.resumed && back == self.count;
            if spans.density() >= DENSE && (spans.bad >= STREAK || bad.log_m < LOW || all) {
                streak = streak.filter(|_| ended).or(began);
            }
            if !low {
                (since, rate) = (Some(bad.at), spans.rate());
                low = bad.log_m < SUSPICIOUS;
                answered &= bad.answered;
                waited += usize::from(bad.waited);
                of += 1;
            }
        }
        let (dense, together) = (streak.is_some(), burst.is_some());
        Some(Origin { since: streak.or(burst).or(since)?, rate, dense, answered, waited: 2 * waited > of, together })
    }

    /// Whether the last `back` bad requests are a burst: most of them waited, and so many good ones came before.
    fn is_burst(&self, spans: &Spans, back: usize) -> bool {
        let quiet = match self.count.checked_sub(back + 1) {
            // What came before is not remembered.
            Some(_) if back == REMEMBERED => return false,
            Some(before) => {
                let Bad { observer, number, .. } = self.bad[before % REMEMBERED];
                let all = || self.requests.get(&observer).map_or(0, |told| told + 1);
                spans.first(observer).unwrap_or_else(all).saturating_sub(number + 1)
            }
            None => spans.spans.values().map(|(first, _)| first - 1).min().unwrap_or(0),
        };
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let expected = quiet as f64 * spans.rate();
        spans.bad > 1 && 2 * spans.waited > spans.bad && expected >= QUIET
    }
}

/// From the first to the last of some bad requests, observer by observer.
#[derive(Default)]
struct Spans {
    bad: u32,
    /// How many of them waited.
    waited: u32,
    spans: BTreeMap<u16, (u64, u64)>,
    /// How long the spans are, each gap between two bad requests at most [`LONGEST`].
    short: u64,
}

impl Spans {
    /// One that came before all those so far; says whether it is near the next.
    fn add(&mut self, bad: &Bad) -> bool {
        self.bad += 1;
        self.waited += u32::from(bad.waited);
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

    /// The number of an observer's first one.
    fn first(&self, observer: u16) -> Option<u64> {
        self.spans.get(&observer).map(|(first, _)| *first)
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

    fn seen(bad: bool) -> Observation {
        Observation::new(0, Colour::Green, 1, bad)
    }

    /// `x` is bad and adds 4 to log M, `w` does and waited, `.` is good and takes 1, as far as 0; one a millisecond.
    fn streak(requests: &str, mut log_m: f64) -> Streak {
        let (mut streak, mut now) = (Streak::new(), Time::ZERO);
        for request in requests.bytes() {
            now = now + Duration::from_millis(1);
            let bad = request != b'.';
            streak.add(now, 0, &Observation { waited: request == b'w', ..seen(bad) }, log_m);
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
    fn waits_are_together_after_so_many_good_ones_that_they_are_no_habit() {
        let check = |requests: &str, burst: Option<u64>| {
            let origin = streak(requests, 99.0).origin().unwrap();
            let since = origin.together.then_some(origin.since);
            assert_eq!(since, burst.map(|at| Time::from_micros(at * 1000)), "{requests}");
        };
        // Two of four: half of ten would have been five bad ones, of nine four and a half.
        check("w..........w..w", Some(12));
        check("w.........w..w", None);
        check("x..........w..w", Some(12));
        check("w..........x..w", None);
        check("w..........w", None);
        check("..........w..w", Some(11));
        check("ww......................w..ww..ww..w", Some(25));
        check(&"w..".repeat(20), None);
    }

    #[test]
    fn a_burst_at_one_edge_counts_what_went_well_there() {
        let mut streak = Streak::new();
        let wait = Observation { waited: true, ..seen(true) };
        let mut tell =
            |observer, seen: &Observation, count| (0..count).for_each(|_| streak.add(Time::ZERO, observer, seen, 9.0));
        tell(0, &wait, 1);
        tell(0, &seen(false), 4);
        tell(1, &seen(false), 30);
        tell(1, &wait, 2);
        assert!(!streak.origin().unwrap().together, "edge 0 saw four go well since");
        streak.add(Time::ZERO, 0, &seen(false), 9.0);
        assert!(streak.origin().unwrap().together);
    }

    #[test]
    fn a_stray_failure_long_before_is_not_the_beginning_of_an_outage() {
        let check = |stray: u16, well: usize, failed: u64| {
            let mut streak = Streak::new();
            let at = |millis| Time::from_micros(millis * 1000);
            streak.add(at(1), stray, &seen(true), 0.0);
            (0..well).for_each(|_| streak.add(at(2), 1, &seen(false), 0.0));
            (0..failed).for_each(|n| streak.add(at(4_000 + n), 1, &seen(true), 6.0));
            let origin = streak.origin().unwrap();
            assert_eq!((origin.since, origin.dense), (at(4_000), true), "{failed} after a stray one at edge {stray}");
        };
        // Of the same edge, where two would not be a streak without it, and of another, which saw nothing in between.
        check(1, 50, 8);
        check(0, 50, 4);
        check(0, 50, 2);
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
