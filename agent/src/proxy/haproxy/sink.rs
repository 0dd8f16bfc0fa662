//! Hands evidence to the controller without ever waiting for it, and counts no request twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Block, Event, Observation};
use tokio::sync::mpsc;

use super::evidence::{Judgement, Line, Reader, Request};
use super::status::Counters;

/// Shared by everything that has evidence to give.
#[derive(Debug)]
pub(super) struct Sink {
    events: mpsc::Sender<Event>,
    observer: u16,
    /// Rises with each block, from the wall clock's microseconds, so that a new agent's blocks are newer than an old one's.
    sequence: AtomicU64,
    reader: Reader,
    /// For each component and colour: requests told as overdue whose log line has not come yet.
    told: Mutex<Vec<[u64; 2]>>,
    counters: Arc<Counters>,
}

impl Sink {
    pub(super) fn new(events: mpsc::Sender<Event>, reader: Reader, components: usize, counters: Arc<Counters>) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let sequence = AtomicU64::new(u64::try_from(now.as_micros()).unwrap_or_default());
        Self { events, observer: 0, sequence, reader, told: Mutex::new(vec![[0; 2]; components]), counters }
    }

    /// As the observer of this edge.
    pub(super) fn of_edge(self, edge: usize) -> Self {
        Self { observer: u16::try_from(edge).unwrap_or(u16::MAX), ..self }
    }

    /// Takes the lines of one read.
    pub(super) fn lines<'a>(&self, lines: impl Iterator<Item = &'a [u8]>) {
        let mut batch = Vec::new();
        let (mut read, mut garbled) = (0, 0);
        for line in lines {
            read += 1;
            match self.reader.read(line) {
                Line::Request(request) => batch.extend(self.observation(&request)),
                Line::Foreign => {}
                Line::Garbled => garbled += 1,
            }
        }
        self.counters.lines.add(read);
        self.counters.garbled.add(garbled);
        self.send(batch);
    }

    fn observation(&self, request: &Request) -> Option<Observation> {
        if request.overdue && self.take_back(request.component, request.colour) {
            return None;
        }
        let bad = match request.judgement {
            Judgement::Good => false,
            Judgement::Bad => true,
            Judgement::NotCounted => return None,
        };
        let Request { component, colour, release, group, .. } = *request;
        Some(Observation { group, ..Observation::new(component, colour, release, bad) })
    }

    /// Whether one request like this was counted already, which then is used up.
    fn take_back(&self, component: u8, colour: Colour) -> bool {
        let mut told = self.overdue_told();
        let told = &mut told[usize::from(component)][colour as usize];
        let counted = *told > 0;
        *told = told.saturating_sub(1);
        counted
    }

    /// How many requests were told as overdue and have not come up in the log.
    pub(super) fn told(&self, component: usize, colour: Colour) -> u64 {
        self.overdue_told()[component][colour as usize]
    }

    /// Tells of `n` more requests that are overdue and still in flight.
    pub(super) fn overdue(&self, component: usize, colour: Colour, release: u64, n: u64) {
        let (Ok(id), Ok(count)) = (u8::try_from(component), usize::try_from(n)) else { return };
        if self.send(vec![Observation::new(id, colour, release, true); count]) {
            self.overdue_told()[component][colour as usize] += n;
            self.counters.overdue.add(count);
        }
    }

    /// Nothing is in flight any more: lines that have not come by now were lost.
    pub(super) fn forgive(&self, component: usize, colour: Colour) {
        self.overdue_told()[component][colour as usize] = 0;
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

    fn overdue_told(&self) -> std::sync::MutexGuard<'_, Vec<[u64; 2]>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    #[test]
    fn an_overdue_request_is_not_counted_again_when_it_ends() {
        let (sink, mut received, _) = sink(10);
        sink.overdue(0, Colour::Green, 43, 2);
        sink.lines([TIMED_OUT, GOOD, TIMED_OUT, TIMED_OUT].into_iter());
        assert_eq!(requests(&mut received), [true, true, false, true]);
        assert_eq!(sink.told(0, Colour::Green), 0);
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
