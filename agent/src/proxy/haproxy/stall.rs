//! Finds a colour that hangs while its requests are still in flight and in no log. Pure.
//!
//! ```text
//! arrived  |=================|====|      requests are answered roughly in order, so of those that had arrived
//!          0              t - L   t      by t - L at least arrived(t - L) - answered(t) still wait at t,
//! answered |========|                    each for longer than the limit L
//!                   <--------> overdue
//! ```
//!
//! Two bounds are taken and the smaller one is believed. By *answers* (headers sent, or failed): a web socket or
//! an event stream that was answered long ago does not look like a hang. By *ends*: a request that HAProxy
//! answered by itself, from a cache say, does not either.

use std::collections::VecDeque;
use std::time::Duration;

use teal_rollout::time::Time;

/// What HAProxy counts for one colour of one component, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests ever assigned.
    pub started: u64,
    /// Of them, those still in flight.
    pub in_flight: u64,
    /// Response headers ever received.
    pub answered: u64,
    /// Requests that ended without them, at most.
    pub failed: u64,
}

impl Counts {
    fn ended(self) -> u64 {
        self.started.saturating_sub(self.in_flight)
    }

    fn answered_or_failed(self) -> u64 {
        self.answered.saturating_add(self.failed)
    }

    pub(super) fn fell_below(self, before: Self) -> bool {
        self.started < before.started || self.answered < before.answered || self.failed < before.failed
    }
}

/// A count of what is done that can only be too high, never too low.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    base: u64,
    /// How far it was seen to be too high: nothing can be done that has not started.
    excess: u64,
}

impl Done {
    fn at_most(&mut self, now: u64, started: u64) -> u64 {
        let done = now.saturating_sub(self.base);
        self.excess = self.excess.max(done.saturating_sub(started));
        done - self.excess
    }
}

/// One colour of one component, watched.
#[derive(Clone, Debug)]
pub struct Stall {
    limit: Duration,
    watch: Option<Watch>,
}

#[derive(Clone, Debug)]
struct Watch {
    base: u64,
    last: Counts,
    answers: Done,
    ends: Done,
    /// When how many had arrived; the first entry is the newest that is not younger than the limit, if any is.
    arrivals: VecDeque<(Time, u64)>,
}

impl Stall {
    /// With the component's largest latency limit.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit, watch: None }
    }

    /// Forgets everything: the counters are another process's now.
    pub fn reset(&mut self) {
        self.watch = None;
    }

    /// Takes in the counters read between `asked` and `seen` and gives how many requests are overdue, at least.
    ///
    /// What was in flight at the first look is left out: nobody knows how old it is.
    pub fn overdue(&mut self, asked: Time, seen: Time, counts: Counts) -> u64 {
        if self.watch.as_ref().is_some_and(|watch| counts.fell_below(watch.last)) {
            self.reset();
        }
        let watch = self.watch.get_or_insert_with(|| Watch {
            base: counts.started,
            last: counts,
            answers: Done { base: counts.answered_or_failed(), excess: 0 },
            ends: Done { base: counts.ended(), excess: 0 },
            arrivals: VecDeque::new(),
        });
        watch.last = counts;
        let started = counts.started - watch.base;
        let answered = watch.answers.at_most(counts.answered_or_failed(), started);
        let ended = watch.ends.at_most(counts.ended(), started);
        while watch.arrivals.get(1).is_some_and(|&(at, _)| asked.since(at) >= self.limit) {
            watch.arrivals.pop_front();
        }
        let old = match watch.arrivals.front() {
            Some(&(at, arrived)) if asked.since(at) >= self.limit => arrived,
            _ => 0,
        };
        watch.arrivals.push_back((seen, started));
        old.saturating_sub(answered.max(ended)).min(counts.in_flight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    /// A colour under one request a millisecond, looked at each 25 ms.
    struct Colour {
        stall: Stall,
        now: u64,
        counts: Counts,
    }

    impl Colour {
        fn new() -> Self {
            let mut colour = Self { stall: Stall::new(LIMIT), now: 0, counts: Counts::default() };
            assert_eq!(colour.look(), 0);
            colour
        }

        fn look(&mut self) -> u64 {
            let now = Time::from_micros(self.now * 1000);
            self.stall.overdue(now, now, self.counts)
        }

        /// The greatest number overdue in `millis` in which one request a millisecond comes; `answer` acts on each.
        fn run(&mut self, millis: u64, mut answer: impl FnMut(u64, &mut Counts)) -> u64 {
            let mut greatest = 0;
            for _ in 0..millis {
                self.now += 1;
                self.counts.started += 1;
                self.counts.in_flight += 1;
                answer(self.now, &mut self.counts);
                if self.now.is_multiple_of(25) {
                    greatest = greatest.max(self.look());
                }
            }
            greatest
        }
    }

    fn at_once(_: u64, counts: &mut Counts) {
        counts.answered += 1;
        counts.in_flight -= 1;
    }

    fn never(_: u64, _: &mut Counts) {}

    #[test]
    fn a_hang_shows_one_look_after_the_limit() {
        let mut colour = Colour::new();
        assert_eq!(colour.run(2_000, at_once), 0);
        assert_eq!(colour.run(1_000, never), 0);
        assert_eq!(colour.run(25, never), 25);
        assert_eq!(colour.run(75, never), 100);
    }

    #[test]
    fn most_requests_hanging_shows_although_some_are_answered() {
        let mut colour = Colour::new();
        let mostly = |now: u64, counts: &mut Counts| {
            if now.is_multiple_of(20) {
                at_once(now, counts);
            }
        };
        assert!(colour.run(1_200, mostly) >= 100);
    }

    #[test]
    fn answered_requests_that_stay_open_are_no_hang() {
        let mut colour = Colour::new();
        let streams = |_: u64, counts: &mut Counts| counts.answered += 1;
        assert_eq!(colour.run(5_000, streams), 0);
    }

    #[test]
    fn requests_ended_without_a_server_are_no_hang() {
        let mut colour = Colour::new();
        let from_cache = |_: u64, counts: &mut Counts| counts.in_flight -= 1;
        assert_eq!(colour.run(5_000, from_cache), 0);
    }

    #[test]
    fn failures_counted_twice_do_not_hide_a_later_hang() {
        let mut colour = Colour::new();
        let retried = |now: u64, counts: &mut Counts| {
            at_once(now, counts);
            counts.failed += 2;
        };
        assert_eq!(colour.run(1_000, retried), 0);
        assert_eq!(colour.run(1_100, never), 100);
    }

    #[test]
    fn a_slow_colour_within_its_limit_is_no_hang() {
        let mut colour = Colour::new();
        let slow = |now: u64, counts: &mut Counts| {
            if now > 900 {
                at_once(now, counts);
            }
        };
        assert_eq!(colour.run(5_000, slow), 0);
    }

    #[test]
    fn counters_that_start_anew_start_the_watch_anew() {
        let mut colour = Colour::new();
        colour.run(2_000, never);
        assert!(colour.look() > 0);
        colour.counts = Counts { in_flight: 3, started: 3, ..Counts::default() };
        assert_eq!(colour.look(), 0);
        assert_eq!(colour.run(1_000, at_once), 0);
    }

    #[test]
    fn what_was_in_flight_at_the_first_look_is_left_out() {
        let mut stall = Stall::new(LIMIT);
        let counts = Counts { started: 50, in_flight: 10, answered: 40, failed: 0 };
        for millis in [0, 1_000, 60_000] {
            let now = Time::from_micros(millis * 1000);
            assert_eq!(stall.overdue(now, now, counts), 0);
        }
    }
}
