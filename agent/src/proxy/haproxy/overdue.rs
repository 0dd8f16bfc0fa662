//! Counts the requests that have waited for longer than the limit while they are in flight, to the last one. Pure.
//!
//! ```text
//!            look s             look t, the limit or more after s
//! ------------|------------------|-----> time
//!  in flight at t                          scur
//!  - arrived after s              stot(t) - stot(s), of which some have ended:
//!  + these, ended                 lines whose stamp says that they began after s
//!  = in flight at t and older than s
//!  - answered, headers on their way (a download, a web socket): headers ever sent - lines of answered requests
//!  = overdue
//! ```
//!
//! Counters alone ([`super::stall`]) see a colour that stops answering. When only some requests hang, those answered
//! later make up for them in any sum of arrivals and answers; their lines tell how many of those there were.
//!
//! Nothing here may ever count too many. Both kinds of line only make the result smaller when they are lost or late,
//! and a stamp that is too early does too. What was in flight at the first look is taken for downloads. A clock that
//! was set back makes its stamps of the time until it catches up worthless. (One that is set forward and then back by
//! less between two looks, which are 25 ms apart, is not noticed, nor is one that was set back right before the first look: whoever
//! begins in that moment may count one too many.) And a number is only believed when two
//! looks in a row have it, because HAProxy counts a request in flight a moment before it counts it as arrived.
//!
//! So it counts too few by what is in doubt: what arrives or ends in the 2 ms or so around a look, and the downloads
//! that began within the limit, because nothing tells them from old requests that were answered just now.

use std::collections::VecDeque;
use std::time::Duration;

use teal_rollout::time::Time;

use super::clock::GUARD;
use super::stall::Counts;

/// What was read at one look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Before the question was sent: all ages are at least from then.
    pub asked: Time,
    /// After the answer had come.
    pub seen: Time,
    /// The wall clock at `seen`, in microseconds since 1970; `None` where it could not be read at one moment.
    pub wall: Option<u64>,
    /// The counters.
    pub counts: Counts,
}

/// A finished request, by its log line; stamps in microseconds of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Not later than its back end counted it as arrived.
    pub started: u64,
    /// Not later than its back end counted it as ended.
    pub ended: u64,
    /// Its server counted response headers.
    pub answered: bool,
}

/// One colour of one component, watched.
#[derive(Clone, Debug)]
pub struct Overdue {
    limit: Duration,
    /// The first is the newest that is not younger than the limit, if any is.
    looks: VecDeque<Seen>,
    /// Lines of requests that began after the first of them.
    ended: u64,
    downloads: Option<[Downloads; 2]>,
    /// Stamps up to here may be from before the clock was set back.
    unsure: u64,
    /// What the last look had.
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Time,
    wall: u64,
    arrived: u64,
    /// Lines of requests that began after it and before the next.
    ended: u64,
}

/// Requests answered and still in flight, at most. Those that were in flight at the first look and had no answer yet
/// stay in it for good. So there are two: the better one so far, and one from a later look that may turn out better.
#[derive(Clone, Copy, Debug)]
struct Downloads {
    /// So many at `wall`, when `answered` had been.
    first: u64,
    at: Time,
    wall: u64,
    answered: u64,
    /// Answered and ended since.
    ended: u64,
}

impl Downloads {
    /// By then the lines that were on their way at the start have come.
    const TRIAL: Duration = Duration::from_millis(200);

    fn now(&self, answered: u64) -> u64 {
        (self.first + answered.saturating_sub(self.answered)).saturating_sub(self.ended)
    }
}

impl Overdue {
    /// With the component's largest latency limit.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit, looks: VecDeque::new(), ended: 0, downloads: None, unsure: 0, last: 0 }
    }

    /// Forgets everything: the counters or the lines are another process's now.
    pub fn reset(&mut self) {
        *self = Self { unsure: self.unsure, ..Self::new(self.limit) };
    }

    /// The wall clock was set back: stamps up to `until` may be from before.
    pub fn clock_set_back(&mut self, until: u64) {
        self.unsure = self.unsure.max(until);
        self.reset();
    }

    /// Takes in a line of the process whose counters are looked at. All that were read before a look was asked for
    /// are to be taken in before it.
    pub fn ended(&mut self, end: &End) {
        let sure = |stamp: u64, wall: u64| stamp > wall.saturating_add(GUARD) && stamp > self.unsure;
        let after = self.looks.partition_point(|look| sure(end.started, look.wall));
        if let Some(look) = after.checked_sub(1).and_then(|index| self.looks.get_mut(index)) {
            look.ended += 1;
            self.ended += 1;
        }
        for downloads in self.downloads.iter_mut().flatten().filter(|d| end.answered && sure(end.ended, d.wall)) {
            downloads.ended += 1;
        }
    }

    /// How many requests are overdue, at least. Counters must not fall between two looks; else [`Self::reset`] it.
    pub fn look(&mut self, look: &Look) -> u64 {
        let counts = look.counts;
        while self.looks.get(1).is_some_and(|next| look.asked.since(next.at) >= self.limit) {
            self.ended -= self.looks.pop_front().map_or(0, |seen| seen.ended);
        }
        let downloads = self.downloads(look);
        let old = match self.looks.front() {
            Some(first) if look.asked.since(first.at) >= self.limit => {
                let arrived = counts.started.saturating_sub(first.arrived);
                (counts.in_flight + self.ended).saturating_sub(arrived).min(counts.in_flight)
            }
            _ => 0,
        };
        if let Some(wall) = look.wall.filter(|&wall| self.looks.back().is_none_or(|last| last.wall < wall)) {
            self.looks.push_back(Seen { at: look.seen, wall, arrived: counts.started, ended: 0 });
        }
        let now = old.saturating_sub(downloads);
        now.min(std::mem::replace(&mut self.last, now))
    }

    /// Requests answered and in flight, at most: never more than are in flight, and at first that is all that is known.
    fn downloads(&mut self, look: &Look) -> u64 {
        let Counts { in_flight, answered, .. } = look.counts;
        let known = self.downloads.iter().flatten().map(|downloads| downloads.now(answered)).min();
        if let Some(wall) = look.wall {
            let new = Downloads { first: in_flight, at: look.seen, wall, answered, ended: 0 };
            let [best, trial] = self.downloads.get_or_insert([new, new]);
            if in_flight == 0 || look.seen.since(trial.at) >= Downloads::TRIAL {
                if trial.now(answered) < best.now(answered) {
                    *best = *trial;
                }
                *trial = new;
            }
        }
        known.map_or(in_flight, |known| known.min(in_flight))
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
