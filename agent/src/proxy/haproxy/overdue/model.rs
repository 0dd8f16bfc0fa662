//! A colour behind HAProxy as its counters and its log show it: the truth beside what is told of it.

use std::time::Duration;

use fastrand::Rng;
use teal_rollout::time::Time;

use super::super::clock::Clock;
use super::super::stall::Counts;
use super::{End, Look, Overdue};

/// A request; times in microseconds since the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) arrived: u64,
    /// When its response headers came, if they did.
    pub(super) answered: Option<u64>,
    pub(super) ended: u64,
}

/// How truthful and how quick the log is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// The share of lines that are lost.
    pub(super) lost: f64,
    /// A line comes at most so much later, in microseconds; lines stay in order.
    pub(super) delay: u64,
    /// A stamp is at most so much too early, in microseconds.
    pub(super) stale: u64,
}

/// A colour with all that will ever happen to it.
pub(super) struct Colour {
    requests: Vec<Request>,
    arrivals: Vec<u64>,
    answers: Vec<u64>,
    ends: Vec<u64>,
    /// Lines with the time of their reading, in its order.
    lines: Vec<(u64, End, Request)>,
    read: usize,
    /// From when on the wall clock is so many microseconds ahead of the monotonic one.
    steps: Vec<(u64, i64)>,
    clock: Clock,
    rng: Rng,
}

/// Where the wall clock begins.
const EPOCH: i64 = 1_795_000_000_000_000;

impl Colour {
    pub(super) fn new(mut requests: Vec<Request>, log: Log, steps: Vec<(u64, i64)>, mut rng: Rng) -> Self {
        let sorted = |times: Vec<u64>| {
            let mut times = times;
            times.sort_unstable();
            times
        };
        let arrivals = sorted(requests.iter().map(|r| r.arrived).collect());
        let answers = sorted(requests.iter().filter_map(|r| r.answered).collect());
        let ends = sorted(requests.iter().map(|r| r.ended).collect());
        requests.sort_by_key(|r| r.ended);
        let mut lines = Vec::new();
        let mut at = 0;
        for request in &requests {
            at = at.max(request.ended + rng.u64(0..=log.delay));
            let mut stamp = |time: u64| wall(&steps, time.saturating_sub(rng.u64(0..=log.stale)));
            let (started, ended) = (stamp(request.arrived), stamp(request.ended));
            if rng.f64() >= log.lost {
                lines.push((at, End { started, ended, answered: request.answered.is_some() }, *request));
            }
        }
        requests.sort_by_key(|r| r.arrived);
        Self { requests, arrivals, answers, ends, lines, read: 0, steps, clock: Clock::default(), rng }
    }

    /// The lines read before this time and not taken yet.
    pub(super) fn lines(&mut self, before: u64) -> Vec<(End, Request)> {
        let first = self.read;
        self.read += self.lines[first..].partition_point(|(at, ..)| *at < before);
        self.lines[first..self.read].iter().map(|&(_, end, request)| (end, request)).collect()
    }

    /// A look asked for at this time, and when exactly HAProxy answered it.
    pub(super) fn look(&mut self, asked: u64) -> (Look, u64) {
        let read = asked + self.rng.u64(50..500);
        let seen = read + self.rng.u64(50..500);
        let until = |times: &[u64]| times.partition_point(|&time| time <= read) as u64;
        let (started, ended) = (until(&self.arrivals), until(&self.ends));
        let counts = Counts { started, in_flight: started - ended, answered: until(&self.answers), failed: 0 };
        let (asked, seen_at) = (Time::from_micros(asked), Time::from_micros(seen));
        (Look { asked, seen: seen_at, wall: Some(wall(&self.steps, seen)), counts }, read)
    }

    /// Takes in lines and a look at this time; what was found and what is true.
    pub(super) fn follow(&mut self, overdue: &mut Overdue, asked: u64, limit: Duration) -> (u64, u64) {
        for (end, _) in self.lines(asked) {
            overdue.ended(&end);
        }
        let (look, read) = self.look(asked);
        if let Some(until) = look.wall.and_then(|wall| self.clock.set_back(look.seen, wall)) {
            overdue.clock_set_back(until);
        }
        (overdue.look(&look), self.truly_overdue(read, limit))
    }

    /// Requests in flight at this time that had no headers within the limit.
    pub(super) fn truly_overdue(&self, at: u64, limit: Duration) -> u64 {
        let Some(before) = at.checked_sub(u64::try_from(limit.as_micros()).unwrap()) else { return 0 };
        let old = self.arrivals.partition_point(|&arrived| arrived <= before);
        let waits = |r: &&Request| r.ended > at && r.answered.is_none_or(|answered| answered > at);
        self.requests[..old].iter().filter(waits).count() as u64
    }
}

fn wall(steps: &[(u64, i64)], time: u64) -> u64 {
    let ahead = steps.iter().take_while(|(from, _)| *from <= time).last().map_or(0, |(_, ahead)| *ahead);
    u64::try_from(EPOCH + i64::try_from(time).unwrap() + ahead).unwrap()
}
