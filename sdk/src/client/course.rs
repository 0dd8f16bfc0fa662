//! Which way the flags come, and when the next attempt is: decided here, done in [`super::live`].
//!
//! ```text
//!            +------ broken: back-off ------+
//!            v                              |
//! start -> stream ---------- open ----------+---- gap: fetch once, then stream again
//!            |  ^
//!   cannot be had  now and then, or when polls fail too
//!            v  |
//!          fetch, fetch, fetch ...            every third failure in a row is answered by a fetch, in case that only the
//!                                             stream is ill
//! ```
//!
//! Knows no clock, no random numbers, no input or output: `now` is the time since the client started.

use std::time::Duration;

use super::backoff::{Backoff, about, share};

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What.
    pub(super) act: Act,
    /// After how long.
    pub(super) after: Duration,
    /// At once when the token file changes.
    pub(super) or_new_token: bool,
}

/// The two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Open the stream and follow it until it ends.
    Stream,
    /// Fetch the whole document, unless it is unchanged.
    Fetch,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The stream did, which was open since then, if it was.
    Stream {
        /// When the first flags or heartbeat came.
        open_since: Option<Duration>,
        /// Why it ended.
        cause: Cause,
    },
    /// The document was fetched, or not.
    Fetch(Result<(), Cause>),
}

/// Why something ended, as far as it matters for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is no stream to be had: not offered, or swallowed by a proxy.
    NoStream,
    /// The token was refused.
    Refused,
    /// Told to come later.
    Busy(Option<Duration>),
    /// What came does not fit what is here: everything is needed.
    Gap,
    /// Anything else: not reachable, too slow, an error, garbage, the end.
    Broken,
}

/// The figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) poll_every: Duration,
    pub(super) base: Duration,
    pub(super) cap: Duration,
    /// Until the stream is tried again while polling; doubles up to 16 times as much.
    pub(super) stream_retry: Duration,
    /// Between attempts with a token that was refused.
    pub(super) refused: Duration,
    /// Longest `Retry-After` that is believed.
    pub(super) busy_cap: Duration,
}

/// Where things stand.
#[derive(Debug)]
pub(super) struct Course {
    pace: Pace,
    backoff: Backoff,
    /// While polling: when the stream is tried again.
    polling_until: Option<Duration>,
    /// How often in a row no stream was to be had.
    no_stream: u32,
}

impl Course {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, backoff: Backoff::new(pace.base, pace.cap), polling_until: None, no_stream: 0 }
    }

    /// The first step.
    pub(super) const fn first(&self) -> Step {
        Step { act: Act::Stream, after: Duration::ZERO, or_new_token: false }
    }

    /// The step after something ended. `random` is evenly distributed over all of `u64`.
    pub(super) fn next(&mut self, ended: Ended, now: Duration, random: u64) -> Step {
        let (act, cause) = match ended {
            Ended::Fetch(Ok(())) => return self.fetched(now, random),
            Ended::Fetch(Err(Cause::NoStream)) => (Act::Fetch, Cause::Broken),
            Ended::Fetch(Err(cause)) => (Act::Fetch, cause),
            Ended::Stream { open_since, cause } => {
                if let Some(since) = open_since {
                    (self.polling_until, self.no_stream) = (None, 0);
                    self.backoff.succeeded(since);
                }
                (Act::Stream, cause)
            }
        };
        match cause {
            Cause::NoStream => self.poll(now, random),
            Cause::Refused => {
                let after = self.pace.refused / 2 + share(self.pace.refused / 2, random);
                Step { act, after, or_new_token: true }
            }
            Cause::Busy(retry_after) => {
                let asked = retry_after.unwrap_or_default().min(self.pace.busy_cap);
                let after = asked + self.backoff.failed(now, random);
                Step { act, after, or_new_token: false }
            }
            Cause::Gap => Step { act: Act::Fetch, after: self.backoff.failed(now, random), or_new_token: false },
            Cause::Broken => {
                self.polling_until = None;
                let after = self.backoff.failed(now, random);
                let act = if self.backoff.failures().is_multiple_of(3) { Act::Fetch } else { Act::Stream };
                Step { act, after, or_new_token: false }
            }
        }
    }

    /// No stream is to be had: poll for a while.
    fn poll(&mut self, now: Duration, random: u64) -> Step {
        let patience = self.pace.stream_retry.saturating_mul(1 << self.no_stream.min(4));
        self.no_stream = self.no_stream.saturating_add(1);
        self.polling_until = Some(now + about(patience, random));
        Step { act: Act::Fetch, after: Duration::ZERO, or_new_token: false }
    }

    fn fetched(&mut self, now: Duration, random: u64) -> Step {
        self.backoff.succeeded(now);
        let pause = about(self.pace.poll_every, random);
        let (act, after) = match self.polling_until {
            None => (Act::Stream, Duration::ZERO),
            Some(until) if until <= now + pause => (Act::Stream, until.saturating_sub(now)),
            Some(_) => (Act::Fetch, pause),
        };
        Step { act, after, or_new_token: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace {
        poll_every: Duration::from_secs(15),
        base: Duration::from_millis(250),
        cap: Duration::from_secs(30),
        stream_retry: Duration::from_secs(60),
        refused: Duration::from_secs(30),
        busy_cap: Duration::from_secs(300),
    };

    const BROKEN: Ended = Ended::Stream { open_since: None, cause: Cause::Broken };
    const NO_STREAM: Ended = Ended::Stream { open_since: None, cause: Cause::NoStream };
    const FETCHED: Ended = Ended::Fetch(Ok(()));

    /// Plays what happens, at these seconds, with jitter in the middle; compares each step in words.
    fn check(story: &[(u64, Ended, &str)]) {
        let mut course = Course::new(PACE);
        for (second, ended, expected) in story {
            let step = course.next(*ended, Duration::from_secs(*second), 1 << 63);
            let token = if step.or_new_token { " or new token" } else { "" };
            let said = format!("{:?} after {} ms{token}", step.act, step.after.as_millis());
            assert_eq!(said, *expected, "after {ended:?} at {second} s");
        }
    }

    fn open(since: u64, cause: Cause) -> Ended {
        Ended::Stream { open_since: Some(Duration::from_secs(since)), cause }
    }

    #[test]
    fn a_dead_service_is_tried_more_and_more_slowly_and_by_both_ways() {
        check(&[
            (0, BROKEN, "Stream after 125 ms"),
            (1, BROKEN, "Stream after 250 ms"),
            (2, BROKEN, "Fetch after 500 ms"),
            (3, Ended::Fetch(Err(Cause::Broken)), "Stream after 1000 ms"),
            (4, BROKEN, "Stream after 2000 ms"),
            (5, BROKEN, "Fetch after 4000 ms"),
        ]);
    }

    #[test]
    fn a_stream_that_was_open_for_a_minute_starts_anew() {
        check(&[
            (0, BROKEN, "Stream after 125 ms"),
            (0, BROKEN, "Stream after 250 ms"),
            (100, open(1, Cause::Broken), "Stream after 125 ms"),
            (102, open(101, Cause::Broken), "Stream after 250 ms"),
        ]);
    }

    #[test]
    fn without_a_stream_it_polls_and_tries_the_stream_ever_more_rarely() {
        check(&[
            (0, NO_STREAM, "Fetch after 0 ms"),
            (0, FETCHED, "Fetch after 15000 ms"),
            (15, FETCHED, "Fetch after 15000 ms"),
            (30, FETCHED, "Fetch after 15000 ms"),
            (45, FETCHED, "Stream after 15000 ms"),
            (60, NO_STREAM, "Fetch after 0 ms"),
            (60, FETCHED, "Fetch after 15000 ms"),
            (170, FETCHED, "Stream after 10000 ms"),
            (300, open(180, Cause::Broken), "Stream after 125 ms"),
            (301, NO_STREAM, "Fetch after 0 ms"),
            (350, FETCHED, "Stream after 11000 ms"),
        ]);
    }

    #[test]
    fn a_poll_that_fails_lets_the_stream_be_tried_at_the_next_attempt() {
        check(&[
            (0, NO_STREAM, "Fetch after 0 ms"),
            (10, Ended::Fetch(Err(Cause::Broken)), "Stream after 125 ms"),
            (11, open(11, Cause::Broken), "Stream after 250 ms"),
        ]);
    }

    #[test]
    fn a_gap_is_closed_by_fetching_everything() {
        check(&[
            (5, open(1, Cause::Gap), "Fetch after 125 ms"),
            (6, FETCHED, "Stream after 0 ms"),
            (7, open(6, Cause::Gap), "Fetch after 250 ms"),
        ]);
    }

    #[test]
    fn a_refused_token_is_tried_slowly_and_a_busy_service_as_it_says() {
        let busy = |seconds| Cause::Busy(Some(Duration::from_secs(seconds)));
        check(&[
            (0, Ended::Stream { open_since: None, cause: Cause::Refused }, "Stream after 22500 ms or new token"),
            (30, Ended::Fetch(Err(Cause::Refused)), "Fetch after 22500 ms or new token"),
            (60, Ended::Stream { open_since: None, cause: busy(7) }, "Stream after 7125 ms"),
            (70, Ended::Fetch(Err(busy(1_000_000))), "Fetch after 300250 ms"),
            (80, Ended::Fetch(Err(Cause::Busy(None))), "Fetch after 500 ms"),
        ]);
    }

    /// Why an act fails; `None`: a fetch succeeds, and a stream just ends.
    fn failure() -> impl Strategy<Value = Option<Cause>> {
        let busy = proptest::option::of((0..10_000_u64).prop_map(Duration::from_secs)).prop_map(Cause::Busy);
        let plain = prop::sample::select(vec![Cause::NoStream, Cause::Refused, Cause::Broken, Cause::Gap]);
        proptest::option::of(prop_oneof![busy, plain])
    }

    proptest! {
        #[test]
        fn whatever_happens_the_service_is_neither_forgotten_nor_flooded(
            story in prop::collection::vec((failure(), any::<bool>(), any::<u64>()), 1..80),
        ) {
            let (mut course, mut now, mut at_once) = (Course::new(PACE), Duration::ZERO, 0);
            let mut step = course.first();
            for (failure, opened, random) in story {
                let ended = match step.act {
                    Act::Fetch => Ended::Fetch(failure.map_or(Ok(()), Err)),
                    Act::Stream => {
                        let open_since = opened.then_some(now);
                        Ended::Stream { open_since, cause: failure.unwrap_or(Cause::Broken) }
                    }
                };
                step = course.next(ended, now, random | 1 << 62);
                prop_assert!(step.after <= PACE.busy_cap + PACE.cap);
                // At most these follow each other without a pause: the stream, the fetch that takes its place, the stream again.
                at_once = if step.after.is_zero() { at_once + 1 } else { 0 };
                prop_assert!(at_once <= 3);
                now += step.after;
            }
        }
    }
}
