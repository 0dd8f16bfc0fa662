//! Hands evidence to the controller without ever waiting for it, and counts no request twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Block, Event, Observation};
use tokio::sync::mpsc;

use super::evidence::{Judgement, Line, Reader, Request, Span};
use super::overdue::End;
use super::status::Counters;

/// Shared by everything that has evidence to give.
#[derive(Debug)]
pub(super) struct Sink {
    events: mpsc::Sender<Event>,
    observer: u16,
    /// Rises with each block, from the wall clock's microseconds, so that a new agent's blocks are newer than an old one's.
    sequence: AtomicU64,
    reader: Reader,
    /// For each component and colour.
    told: Mutex<Vec<[Told; 2]>>,
    /// The lines since the last look.
    ends: Mutex<Vec<Ended>>,
    counters: Arc<Counters>,
}

/// A finished request, for the count of those in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) component: u8,
    pub(super) colour: Colour,
    /// The process that served it.
    pub(super) pid: u32,
    pub(super) end: End,
}

/// Requests told as overdue while they were in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// Those whose line has not come yet.
    open: u64,
    /// All of them began before this, by HAProxy's wall clock in microseconds.
    before: u64,
    /// Lines of overdue requests that had not been told, ever.
    passed: u64,
}

/// A line is not on its way for longer than this, in microseconds: the clock was set.
const LONGEST_WAY: u64 = 10_000_000;

/// While nobody looks, no more lines are kept; each one left out makes the count of what is overdue smaller.
const MOST_ENDS: usize = 100_000;

impl Sink {
    pub(super) fn new(events: mpsc::Sender<Event>, reader: Reader, components: usize, counters: Arc<Counters>) -> Self {
        let sequence = AtomicU64::new(wall());
        Self {
            events,
            observer: 0,
            sequence,
            reader,
            told: Mutex::new(vec![[Told::default(); 2]; components]),
            ends: Mutex::default(),
            counters,
        }
    }

    /// As the observer of this edge.
    pub(super) fn of_edge(self, edge: usize) -> Self {
        Self { observer: u16::try_from(edge).unwrap_or(u16::MAX), ..self }
    }

    /// Takes the lines of one read.
    pub(super) fn lines<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) {
        let (mut batch, mut ends) = (Vec::new(), Vec::new());
        let wall = wall();
        let (mut read, mut garbled) = (0, 0);
        for line in lines {
            read += 1;
            match self.reader.read(line) {
                Line::Request(request) => {
                    if request.waited && request.judgement == Judgement::Bad {
                        tracing::trace!(line = %String::from_utf8_lossy(line), "a request waited too long");
                    }
                    batch.extend(self.observation(&request, wall));
                    ends.extend(ended(&request));
                }
                Line::Foreign => {}
                Line::Garbled => garbled += 1,
            }
        }
        self.counters.lines.add(read);
        self.counters.garbled.add(garbled);
        {
            let mut kept = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MOST_ENDS.saturating_sub(kept.len());
            kept.extend(ends.into_iter().take(room));
        }
        self.send(batch);
    }

    fn observation(&self, request: &Request, wall: u64) -> Option<Observation> {
        if request.overdue && self.was_told(request) {
            return None;
        }
        let bad = match request.judgement {
            Judgement::Good => false,
            Judgement::Bad => true,
            Judgement::NotCounted => return None,
        };
        let Request { component, colour, release, group, wait_ms, waited, access, server, .. } = *request;
        let age_ms = age_ms(request, wall);
        Some(Observation {
            component,
            colour,
            release,
            group,
            bad,
            wait_ms,
            waited: bad && waited,
            age_ms,
            access,
            server,
        })
    }

    /// Whether one request like this was told already, which then is used up.
    fn was_told(&self, request: &Request) -> bool {
        let mut told = self.overdue_told();
        let told = &mut told[usize::from(request.component)][request.colour as usize];
        let among_them = told.open > 0 && request.span.is_none_or(|span| span.started < told.before);
        if among_them {
            told.open -= 1;
        } else {
            told.passed += 1;
        }
        among_them
    }

    /// What was told and passed up to now, to be taken before a look.
    pub(super) fn told(&self) -> Vec<[Told; 2]> {
        self.overdue_told().clone()
    }

    /// Gives the lines since the last time.
    pub(super) fn take_ends(&self) -> Vec<Ended> {
        std::mem::take(&mut self.ends.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A look found that `n` requests, all begun `before`, are overdue; tells of those that neither were told before it
    /// nor have come up in the log since. `then` is [`Self::told`] from before that look.
    pub(super) fn overdue(&self, component: usize, colour: Colour, release: u64, n: u64, before: u64, then: &Told) {
        let mut told = self.overdue_told();
        let told = &mut told[component][colour as usize];
        let new = n.saturating_sub(then.open).saturating_sub(told.passed - then.passed);
        let (Ok(id), Ok(count)) = (u8::try_from(component), usize::try_from(new)) else { return };
        // Each of them has waited for the limit, and the youngest for not much longer.
        let age_ms = self.reader.limit_ms(component);
        let seen = Observation { waited: true, age_ms, ..Observation::new(id, colour, release, true) };
        if count > 0 && self.send(vec![seen; count]) {
            tracing::debug!(component, %colour, release, overdue = n, told_before = then.open, new, "requests are overdue");
            told.open += new;
            told.before = told.before.max(before);
            self.counters.overdue.add(count);
        }
    }

    /// Nothing is in flight any more: lines that have not come by now were lost.
    pub(super) fn forgive(&self, component: usize, colour: Colour) {
        self.overdue_told()[component][colour as usize].open = 0;
    }

    /// Lines that were lost on their way here.
    pub(super) fn missing(&self, lines: u64) {
        self.counters.missing.add(usize::try_from(lines).unwrap_or(usize::MAX));
    }

    /// Whether the controller has it.
    fn send(&self, requests: Vec<Observation>) -> bool {
        let size = requests.len();
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let block = Block { observer: self.observer, sequence, requests };
        // Fewer requests seen make a verdict later, never wrong; waiting here would make all of them late.
        let sent = size == 0 || self.events.try_send(Event::Requests(block)).is_ok();
        if !sent {
            self.counters.lost.add(size);
        }
        sent
    }

    fn overdue_told(&self) -> MutexGuard<'_, Vec<[Told; 2]>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Microseconds since 1970.
fn wall() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}

/// How long ago a request began, at `wall`: for as long as it took, and since it ended its line has been on its way.
fn age_ms(request: &Request, wall: u64) -> u32 {
    let Some(Span { started, ended, .. }) = request.span else { return request.total_ms };
    let micros = ended.saturating_sub(started) + wall.saturating_sub(ended).min(LONGEST_WAY);
    u32::try_from(micros.div_ceil(1000)).unwrap_or(u32::MAX)
}

fn ended(request: &Request) -> Option<Ended> {
    let Span { pid, started, ended, answered } = request.span?;
    let end = End { started, ended, answered };
    Some(Ended { component: request.component, colour: request.colour, pid, end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::haproxy::settings::{BadWhen, EdgeComponent, LatencyLimits};

    fn sink(room: usize) -> (Sink, mpsc::Receiver<Event>, Arc<Counters>) {
        let (events, received) = mpsc::channel(room);
        let counters = Arc::new(Counters::default());
        let reader = Reader::new(&[EdgeComponent {
            name: "api".into(),
            limits: LatencyLimits::default(),
            bad: BadWhen::default(),
        }]);
        (Sink::new(events, reader, 1, Arc::clone(&counters)), received, counters)
    }

    fn requests(received: &mut mpsc::Receiver<Event>) -> Vec<bool> {
        let mut bad = Vec::new();
        while let Ok(Event::Requests(block)) = received.try_recv() {
            bad.extend(block.requests.iter().map(|o| o.bad));
        }
        bad
    }

    const TIMED_OUT: &[u8] = b"teal1 43.1.open api green 2 504 5001 -1 sH 0 GET s1";
    const GOOD: &[u8] = b"teal1 43.1.open api green 2 200 12 11 -- 0 GET s1";

    /// A request that HAProxy's time-out ended after 5 s.
    fn timed_out(started: u64) -> String {
        let ended = started + 5_000_000;
        format!("teal2 7 43.1.open api green 2 504 5001 0 0 -1 sH 0 s1 {started} {ended} GET")
    }

    #[test]
    fn an_overdue_request_is_not_counted_again_when_it_ends() {
        let (sink, mut received, _) = sink(10);
        let then = sink.told()[0][1];
        sink.overdue(0, Colour::Green, 43, 2, 1_000, &then);
        sink.lines([TIMED_OUT, GOOD, TIMED_OUT, TIMED_OUT].into_iter());
        assert_eq!(requests(&mut received), [true, true, false, true]);
        assert_eq!(sink.told()[0][1].open, 0);
    }

    #[test]
    fn one_that_began_later_than_those_that_were_told_is_another() {
        let (sink, mut received, _) = sink(10);
        let then = sink.told()[0][1];
        sink.overdue(0, Colour::Green, 43, 1, 1_000, &then);
        sink.lines([timed_out(1_000), timed_out(999), timed_out(998)].iter().map(String::as_bytes));
        assert_eq!(requests(&mut received), [true, true, true]);
    }

    #[test]
    fn one_that_ends_while_the_look_is_on_its_way_is_counted_once() {
        let (sink, mut received, _) = sink(10);
        let then = sink.told()[0][1];
        sink.lines([timed_out(1)].iter().map(String::as_bytes));
        sink.overdue(0, Colour::Green, 43, 3, 1_000, &then);
        sink.lines([timed_out(2), timed_out(3)].iter().map(String::as_bytes));
        assert_eq!(requests(&mut received), [true, true, true]);
    }

    #[test]
    fn how_long_ago_a_request_began_is_told_with_it() {
        let (sink, mut received, _) = sink(10);
        let now = wall();
        let line = |ended: u64, took: u64| {
            format!("teal2 7 43.1.open api green 2 200 502 499 0 3 -- +1 s1 {} {ended} GET", ended - took)
        };
        let lines = [line(now - 300_000, 502_000), line(now - 3_600_000_000, 502_000)];
        sink.lines(lines.iter().map(String::as_bytes));
        let then = sink.told()[0][1];
        sink.overdue(0, Colour::Green, 43, 1, 1_000, &then);
        let mut seen = Vec::new();
        while let Ok(Event::Requests(block)) = received.try_recv() {
            seen.extend(block.requests);
        }
        let [late, set, in_flight] = seen[..] else { panic!("{seen:?}") };
        assert!((802..1_802).contains(&late.age_ms), "{late:?}");
        assert_eq!((set.age_ms, in_flight.age_ms), (10_502, 1_000), "the clock was set; the limit");
        assert!(seen.iter().all(|seen| seen.bad && seen.waited));
    }

    #[test]
    fn every_line_says_that_a_request_has_ended() {
        let (sink, _received, _) = sink(10);
        let ignored = timed_out(1).replace("green 2", "green -");
        sink.lines([timed_out(1).as_bytes(), ignored.as_bytes(), GOOD, b"other"].into_iter());
        let ends = sink.take_ends();
        assert_eq!(ends.len(), 2);
        assert!(ends.iter().all(|e| e.pid == 7 && e.end == End { started: 1, ended: 5_000_001, answered: false }));
        assert!(sink.take_ends().is_empty());
    }

    #[test]
    fn a_full_controller_costs_evidence_and_no_time() {
        let (sink, mut received, counters) = sink(1);
        sink.lines([GOOD].into_iter());
        sink.lines([GOOD, GOOD].into_iter());
        sink.lines([&b"teal1 x"[..], b"other"].into_iter());
        assert_eq!(requests(&mut received), [false]);
        assert_eq!((counters.lines.get(), counters.lost.get(), counters.garbled.get()), (5, 2, 1));
    }
}
