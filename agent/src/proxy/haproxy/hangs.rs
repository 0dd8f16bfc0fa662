//! Feeds what HAProxy counts and logs to the detection of hangs, and what that finds to the controller.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use teal_rollout::colour::Colour;
use teal_rollout::time::Time;
use tokio::time::Instant;

use super::clock::Clock;
use super::missing::Missing;
use super::overdue::{Look, Overdue};
use super::runtime::BackendRow;
use super::settings::EdgeComponent;
use super::sink::{Sink, Told};
use super::stall::{Counts, Stall};

/// Both clocks must be read within this, or the time is not known: a thread may be held up between the two.
const AT_ONCE: Duration = Duration::from_micros(200);
/// Tries to do so.
const TRIES: usize = 5;

/// Each colour of each component, watched.
pub(super) struct Hangs {
    sink: Arc<Sink>,
    watched: Vec<[Watched; 2]>,
    clock: Clock,
    /// The process whose counters and lines belong together.
    pid: Option<u32>,
    origin: Instant,
}

struct Watched {
    limit: Duration,
    stall: Stall,
    overdue: Overdue,
    missing: Missing,
    last: Counts,
    /// Nothing was in flight at the last look.
    idle: bool,
}

/// What is to be known from before a look.
pub(super) struct Before {
    asked: Time,
    told: Vec<[Told; 2]>,
}

impl Watched {
    fn new(limit: Duration) -> Self {
        let (stall, overdue) = (Stall::new(limit), Overdue::new(limit));
        Self { limit, stall, overdue, missing: Missing::default(), last: Counts::default(), idle: false }
    }

    fn reset(&mut self) {
        self.stall.reset();
        self.overdue.reset();
        self.missing.reset();
        self.last = Counts::default();
        self.idle = false;
    }

    /// How many are overdue, by whichever bound is better. Both are safe; that of the counters alone needs no log.
    fn look(&mut self, look: &Look) -> u64 {
        if look.counts.fell_below(self.last) {
            self.reset();
        }
        self.last = look.counts;
        self.overdue.look(look).max(self.stall.overdue(look.asked, look.seen, look.counts))
    }
}

impl Hangs {
    pub(super) fn new(components: &[EdgeComponent], sink: Arc<Sink>) -> Self {
        let watched = components.iter().map(|component| {
            let limit = Duration::from_millis(u64::from(component.limits.largest()));
            Colour::BOTH.map(|_| Watched::new(limit))
        });
        Self { sink, watched: watched.collect(), clock: Clock::default(), pid: None, origin: Instant::now() }
    }

    /// Starts anew: another process counts and logs now.
    pub(super) fn reset(&mut self, pid: u32) {
        self.pid = Some(pid);
        for (component, colours) in self.watched.iter_mut().enumerate() {
            for (watched, colour) in colours.iter_mut().zip(Colour::BOTH) {
                watched.reset();
                self.sink.forgive(component, colour);
            }
        }
    }

    /// To be called before a look: takes in the lines that were read by now, which belong to requests that have ended
    /// by now.
    pub(super) fn before(&mut self) -> Before {
        for ended in self.sink.take_ends() {
            // A process that was replaced still logs its last requests; this one never counted them.
            if self.pid == Some(ended.pid)
                && let Some(colours) = self.watched.get_mut(usize::from(ended.component))
            {
                let watched = &mut colours[ended.colour as usize];
                watched.overdue.ended(&ended.end);
                watched.missing.ended(&ended.end);
            }
        }
        Before { told: self.sink.told(), asked: self.now() }
    }

    /// Takes in a look; `release` routes now.
    pub(super) fn count(&mut self, rows: &[BackendRow], release: u64, before: &Before) {
        let (seen, wall) = self.both_clocks();
        if let Some(until) = wall.and_then(|wall| self.clock.set_back(seen, wall)) {
            tracing::info!("the clock was set back; hangs are dated anew");
            for watched in self.watched.iter_mut().flatten() {
                watched.overdue.clock_set_back(until);
                watched.missing.reset();
            }
        }
        for row in rows {
            let (component, colour) = (row.component, row.colour as usize);
            let watched = &mut self.watched[component][colour];
            let counts = Counts {
                started: row.started,
                in_flight: u64::from(row.in_flight),
                answered: row.answered,
                failed: row.failed,
            };
            let look = Look { asked: before.asked, seen, wall, counts };
            let overdue = watched.look(&look);
            self.sink.missing(watched.missing.look(&look));
            // They are older than the limit by now; without a wall clock that says nothing.
            let limit = u64::try_from(watched.limit.as_micros()).unwrap_or(u64::MAX);
            let began = wall.map_or(u64::MAX, |wall| wall.saturating_sub(limit));
            self.sink.overdue(component, row.colour, release, overdue, began, &before.told[component][colour]);
            // Twice in a row, so that the last lines have had time to arrive.
            let was_idle = std::mem::replace(&mut watched.idle, row.in_flight == 0);
            if was_idle && row.in_flight == 0 {
                self.sink.forgive(component, row.colour);
            }
        }
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The time by the monotonic clock, and by the wall clock in microseconds since 1970.
    fn both_clocks(&self) -> (Time, Option<u64>) {
        for _ in 0..TRIES {
            let before = self.now();
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let after = self.now();
            if after.since(before) <= AT_ONCE {
                return (after, u64::try_from(wall.as_micros()).ok());
            }
        }
        (self.now(), None)
    }
}
