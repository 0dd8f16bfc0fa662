//! The agent's log: a rollback waits for nobody who reads it.
//!
//! ```text
//! tracing --Line--> queue, 1,024 lines --> a thread of its own --> standard error
//! ```
//! A reader that stalls (a full pipe, a hung journal) costs lines, which are counted, and one that is gone costs them
//! all; neither stops or panics the task that had something to say.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for a slow reader.
const WAITING: usize = 1_024;
/// How long the last lines may take at the agent's end.
const LAST_LINES: Duration = Duration::from_secs(1);

enum Entry {
    Line(Vec<u8>),
    /// Answered when every line before it is out.
    Flush(SyncSender<()>),
}

/// Where lines are put; cheap to clone, never blocks, never fails.
#[derive(Clone)]
pub(super) struct Log {
    entries: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// A log that ends in `out`.
    pub(super) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (entries, waiting) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let log = Self { entries, lost: Arc::clone(&lost) };
        std::thread::Builder::new().name("teal-log".to_owned()).spawn(move || write(out, &waiting, &lost))?;
        Ok(log)
    }

    /// Waits a moment for the lines that are still on their way.
    pub(super) fn flush(&self) {
        let (done, written) = sync_channel(1);
        let end = Instant::now() + LAST_LINES;
        let mut entry = Entry::Flush(done);
        while let Err(std::sync::mpsc::TrySendError::Full(back)) = self.entries.try_send(entry) {
            if Instant::now() >= end {
                return;
            }
            entry = back;
            std::thread::yield_now();
        }
        // A reader that stalls does not hold up the end.
        let _ = written.recv_timeout(end.saturating_duration_since(Instant::now()));
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Log {
    /// The subscriber writes a line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.entries.try_send(Entry::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(mut out: impl Write, waiting: &Receiver<Entry>, lost: &AtomicU64) {
    while let Ok(entry) = waiting.recv() {
        // Where nobody reads any more there is nobody to tell.
        let _ = match entry {
            Entry::Line(line) => out.write_all(&line),
            Entry::Flush(done) => out.flush().and_then(|()| done.send(()).map_err(io::Error::other)),
        };
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            let _ =
                writeln!(out, r#"{{"level":"WARN","message":"the log was read too slowly","lines_lost":{missing}}}"#);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A reader that stalls until it is let go.
    struct Slow(Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_costs_lines_and_no_time_and_the_loss_is_told() {
        let read = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to(Slow(Arc::clone(&read))).unwrap();
        let stalled = read.lock().unwrap();
        for _ in 0..WAITING + 10 {
            (&log).write_all(b"line\n").unwrap();
        }
        let lost = log.lost.load(Ordering::Relaxed);
        assert!((9..=10).contains(&lost), "one may be in the writer's hands: {lost}");
        drop(stalled);
        log.flush();
        let text = String::from_utf8(read.lock().unwrap().clone()).unwrap();
        assert!(text.contains(&format!(r#""lines_lost":{lost}"#)), "{text}");
        assert_eq!(text.matches("line\n").count(), WAITING + 10 - usize::try_from(lost).unwrap());
    }

    #[test]
    fn a_reader_that_is_gone_is_no_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let log = Log::to(writer).unwrap();
        (&log).write_all(b"to nobody\n").unwrap();
        log.flush();
    }
}
