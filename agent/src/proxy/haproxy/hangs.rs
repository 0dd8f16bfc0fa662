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

    /// Takes in a look that has just come; `release` routes now.
    pub(super) fn count(&mut self, rows: &[BackendRow], release: u64, before: &Before) {
        let (seen, wall) = self.both_clocks();
        self.count_at(seen, wall, rows, release, before);
    }

    fn count_at(&mut self, seen: Time, wall: Option<u64>, rows: &[BackendRow], release: u64, before: &Before) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::haproxy::evidence::Reader;
    use crate::proxy::haproxy::settings::{BadWhen, LatencyLimits};
    use crate::proxy::haproxy::status::Counters;
    use teal_rollout::machine::event::Event;
    use tokio::sync::mpsc;

    /// A colour under ten requests in each 100 ms, looked at as often; the limit is 1 s.
    struct Rig {
        hangs: Hangs,
        sink: Arc<Sink>,
        events: mpsc::Receiver<Event>,
        counters: Arc<Counters>,
        tenth: u64,
        row: BackendRow,
    }

    const PID: u32 = 7;

    impl Rig {
        fn new() -> Self {
            let component =
                EdgeComponent { name: "api".into(), limits: LatencyLimits::default(), bad: BadWhen::default() };
            let (said, events) = mpsc::channel(1024);
            let counters = Arc::new(Counters::default());
            let reader = Reader::new(std::slice::from_ref(&component));
            let sink = Arc::new(Sink::new(said, reader, 1, Arc::clone(&counters)));
            let mut hangs = Hangs::new(&[component], Arc::clone(&sink));
            hangs.reset(PID);
            let colour = Colour::Green;
            let row = BackendRow { component: 0, colour, up: 1, in_flight: 0, started: 0, answered: 0, failed: 0 };
            let mut rig = Self { hangs, sink, events, counters, tenth: 0, row };
            rig.look();
            rig
        }

        fn look(&mut self) {
            let now = Time::from_micros(self.tenth * 100_000);
            let before = Before { asked: now, ..self.hangs.before() };
            self.hangs.count_at(now, Some(wall(self.tenth)), &[self.row], 43, &before);
        }

        /// Ten requests, of which so many never end, and lines of so many of the others by these processes.
        fn tenth(&mut self, hang: u32, lines: &[(u32, u32)]) {
            self.tenth += 1;
            self.row.started += 10;
            self.row.in_flight += hang;
            self.row.answered += u64::from(10 - hang);
            let at = wall(self.tenth) - 50_000;
            for &(pid, count) in lines {
                let line = format!("teal2 {pid} 43.1.open api green 2 200 1 0 0 1 -- 0 s1 {at} {} GET", at + 1_000);
                self.sink.lines((0..count).map(|_| line.as_bytes()));
            }
            self.look();
        }

        /// Good and bad ones told since the last time.
        fn told(&mut self) -> [usize; 2] {
            let mut told = [0; 2];
            while let Ok(Event::Requests(block)) = self.events.try_recv() {
                for request in block.requests {
                    told[usize::from(request.bad)] += 1;
                }
            }
            told
        }
    }

    fn wall(tenth: u64) -> u64 {
        1_795_000_000_000_000 + tenth * 100_000
    }

    #[test]
    fn each_request_that_hangs_is_told_once() {
        let mut rig = Rig::new();
        for _ in 0..30 {
            rig.tenth(1, &[(PID, 9)]);
        }
        // Of the last eleven tenths, ten are within the limit and one waits to be believed.
        assert_eq!(rig.told(), [270, 19]);
        rig.tenth(1, &[(PID, 9)]);
        assert_eq!(rig.told(), [9, 1]);
    }

    #[test]
    fn lines_that_are_lost_lower_the_count_and_are_counted() {
        let mut rig = Rig::new();
        for tenth in 0..100 {
            rig.tenth(0, &[(PID, if tenth % 10 == 5 { 4 } else { 10 })]);
        }
        assert_eq!(rig.told(), [940, 0]);
        let missing = rig.counters.missing.get();
        assert!((40..=60).contains(&missing), "{missing}");
    }

    #[test]
    fn the_last_lines_of_a_replaced_process_are_not_taken_for_this_ones() {
        let mut rig = Rig::new();
        for _ in 0..5 {
            rig.tenth(10, &[]);
        }
        // From now on each takes 500 ms, within the limit, and those of the other process none.
        for _ in 0..30 {
            rig.row.answered += 10;
            rig.row.in_flight -= 10;
            rig.tenth(10, &[(6, 10)]);
        }
        assert_eq!(rig.told(), [300, 0]);
    }
}
