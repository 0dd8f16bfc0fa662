//! Counts the requests that ended without a line: lost by HAProxy's ring, or by a reader that was away. Pure.
//!
//! ```text
//! ended since the base, by show stat:   ########################
//! lines of those that were read:        ##################          the gap is what is on its way, and what is lost
//! ```
//!
//! What is on its way arrives: the least gap of two seconds is lost, or later than that. Evidence that is lost makes a
//! verdict later and never wrong; here it is only counted, for people.

use std::time::Duration;

use super::overdue::{End, Look};
use super::stall::Counts;
use teal_rollout::time::Time;

/// A line that has not come for so long does not count as on its way.
const LATE: Duration = Duration::from_secs(2);

/// One colour of one component.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing {
    base: Option<Base>,
}

#[derive(Clone, Copy, Debug)]
struct Base {
    /// By the wall clock, in microseconds.
    wall: u64,
    ended: u64,
    lines: u64,
    /// When the present two seconds began, and the least gap in them.
    since: Time,
    least: u64,
    /// The least gap of the two seconds before: what was always there, or is counted.
    counted: Option<u64>,
}

impl Missing {
    /// Takes in a line of the process whose counters are looked at.
    pub const fn ended(&mut self, end: &End) {
        if let Some(base) = &mut self.base
            && end.ended > base.wall
        {
            base.lines += 1;
        }
    }

    /// Forgets everything: the counters or the clock are others now.
    pub const fn reset(&mut self) {
        self.base = None;
    }

    /// How many more lines are missing than at the last look.
    pub fn look(&mut self, look: &Look) -> u64 {
        let Counts { started, in_flight, .. } = look.counts;
        let ended = started.saturating_sub(in_flight);
        let Some(base) = &mut self.base else {
            let new = |wall| Base { wall, ended, lines: 0, since: look.seen, least: u64::MAX, counted: None };
            self.base = look.wall.map(new);
            return 0;
        };
        base.least = base.least.min(ended.saturating_sub(base.ended).saturating_sub(base.lines));
        if look.seen.since(base.since) < LATE {
            return 0;
        }
        let least = std::mem::replace(&mut base.least, u64::MAX);
        base.since = look.seen;
        // The first two seconds show how many stamps were from before the base although their requests ended after it.
        let before = base.counted.unwrap_or(least);
        base.counted = Some(before.max(least));
        least.saturating_sub(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten requests in each 100 ms for eight seconds; `read` says how many of their lines are read at this tenth of a second.
    fn missing(mut read: impl FnMut(u64) -> u64) -> u64 {
        let mut missing = Missing::default();
        let mut found = 0;
        for tenth in 0..80 {
            let now = tenth * 100_000;
            for _ in 0..if tenth == 0 { 0 } else { read(tenth) } {
                missing.ended(&End { started: now, ended: now, answered: true });
            }
            let counts = Counts { started: 1_000 + 10 * tenth, in_flight: 1_000, ..Counts::default() };
            let at = Time::from_micros(now);
            found += missing.look(&Look { asked: at, seen: at, wall: Some(now), counts });
        }
        found
    }

    #[test]
    fn lines_that_come_late_are_not_missing_and_lost_ones_are_counted_once() {
        assert_eq!(missing(|_| 10), 0);
        // The reader is away for a second and catches up.
        assert_eq!(
            missing(|tenth| match tenth {
                30..40 => 0,
                40 => 110,
                _ => 10,
            }),
            0
        );
        // Two seconds in, seven are lost, and three more later.
        assert_eq!(
            missing(|tenth| match tenth {
                25 => 3,
                35 => 7,
                _ => 10,
            }),
            10
        );
        assert!(missing(|tenth| if tenth < 22 { 10 } else { 9 }) >= 15);
    }

    #[test]
    fn counters_of_another_process_are_a_new_base() {
        let mut missing = Missing::default();
        for (at, started) in [(0, 0), (1, 100), (3, 100), (4, 5), (6, 5), (9, 5)] {
            if at == 4 {
                missing.reset();
            }
            let seen = Time::from_micros(at * 1_000_000);
            let counts = Counts { started, ..Counts::default() };
            let found = missing.look(&Look { asked: seen, seen, wall: Some(at), counts });
            assert_eq!(found, 0, "{at}");
        }
    }
}
