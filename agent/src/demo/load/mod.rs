//! An open-loop load generator: requests leave on schedule whatever becomes of the ones before.
//!
//! ```text
//! schedule -> pace -> one task a request -> connection (kept alive, or used once) -> ledger -> stretch -> cut
//!  (pure)     own thread                                                             (pure)
//! ```
//! A closed loop slows down with the server and so hides the very outage it should measure. Here a hang simply
//! piles up requests in flight, and latency counts from the moment a request was *meant* to leave.

mod connection;
mod counts;
mod cut;
mod engine;
mod ledger;
mod schedule;

pub use counts::{Counts, Tally};
pub use cut::{Cut, Exposure, Invalid, LATENESS_BOUND, Sent, Stretch};
pub use ledger::Ending;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use engine::Engine;
use schedule::Schedule;

/// What to send where, and how fast.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// Where the requests go.
    pub target: SocketAddr,
    /// Requests a second, 1 ..= [`MAX_RPS`].
    pub rps: u32,
    /// Moves each request within its slot at random but repeatably; `None` keeps even gaps.
    pub jitter: Option<u64>,
    /// The paths asked for in turn, at least one: with GET, or with the method before the path, `POST /orders`.
    pub paths: Vec<String>,
    /// Every n-th request opens a connection of its own and closes it after; 0 never.
    pub one_shot_every: u32,
    /// How long a request may take before the client gives up and calls it lost. Longer than the edge's own
    /// time-outs, so that what the edge answers with 504 is not mistaken for an answer that never came.
    pub give_up: Duration,
}

/// The fastest schedule that the timer and two shared cores keep: beyond it the run would only be marked invalid.
pub const MAX_RPS: u32 = 20_000;

/// Why the load cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Outside its range.
    #[error("--rps must be 1 to {MAX_RPS}, not {0}")]
    Rate(u32),
    /// Nothing to ask for.
    #[error("the load needs at least one path")]
    NoPath,
    /// The system refuses a thread or a runtime.
    #[error("cannot start the load generator: {0}")]
    Start(#[from] std::io::Error),
}

/// A running load; dropping it stops it.
#[derive(Debug)]
pub struct Load {
    engine: Arc<Engine>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// A moment of the load's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(Duration);

impl Mark {
    /// From an earlier moment to this one; zero when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Starts sending at once, on a thread of its own.
///
/// # Errors
/// When the settings are out of range or the system refuses a thread.
pub fn start(settings: LoadSettings) -> Result<Load, LoadError> {
    if !(1..=MAX_RPS).contains(&settings.rps) {
        return Err(LoadError::Rate(settings.rps));
    }
    if settings.paths.is_empty() {
        return Err(LoadError::NoPath);
    }
    let schedule = Schedule::new(settings.rps, settings.jitter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (engine, stop) = (Arc::new(Engine::new(settings)), CancellationToken::new());
    let run = {
        let (engine, stop) = (Arc::clone(&engine), stop.clone());
        move || runtime.block_on(engine::run(engine, schedule, stop))
    };
    let thread = std::thread::Builder::new().name("teal-load".to_owned()).spawn(run)?;
    Ok(Load { engine, stop, thread: Some(thread) })
}

/// The status of one GET, outside any load.
///
/// # Errors
/// When no complete response comes.
pub async fn ask_once(target: SocketAddr, path: &str) -> std::io::Result<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\n\r\n");
    Ok(connection::Connection::open(target).await?.ask(request.as_bytes()).await?.status)
}

impl Load {
    /// Now, to cut the figures at.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.engine.elapsed())
    }

    /// The counts of all requests so far; cheap.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.engine.ledger().counts().clone()
    }

    /// The requests sent from `from` until before `to`, those in flight counted as such.
    #[must_use]
    pub fn stretch(&self, from: Mark, to: Mark) -> Stretch {
        self.engine.ledger().stretch(from.0, to.0)
    }

    /// The figures of the requests sent since `mark`.
    #[must_use]
    pub fn report_since(&self, mark: Mark) -> Cut {
        self.stretch(mark, Mark(Duration::MAX)).cut()
    }

    /// Waits until each request sent before `mark` has ended; at most as long as a request may take.
    pub async fn settle(&self, mark: Mark) {
        let deadline = Instant::now() + self.engine.settings.give_up + Duration::from_secs(1);
        while self.engine.ledger().in_flight_before(mark.0) && Instant::now() < deadline {
            // Woken by each request that ends, and by the clock in case none does.
            let _ = tokio::time::timeout(Duration::from_millis(50), self.engine.ended.notified()).await;
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed there.
            let _ = thread.join();
        }
    }
}

/// A mutex that is never held across a panic worth stopping for.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
