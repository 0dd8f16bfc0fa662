//! Sends the schedule: one task a request, over connections that are kept, and more of them when those are busy.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::{Answer, Connection};
use super::ledger::{Ending, Ledger};
use super::schedule::Schedule;
use super::{LoadSettings, lock};

/// A connection idle for longer is closed by us, well before the edge would do it at the moment of its reuse.
const IDLE: Duration = Duration::from_secs(2);

/// What the generator's thread and its handle share.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) settings: LoadSettings,
    /// Notified at the end of each request.
    pub(super) ended: Notify,
    origin: Instant,
    ledger: Mutex<Ledger>,
    /// Last used last, so that what is not needed stays idle and is closed.
    idle: Mutex<Vec<(Connection, Instant)>>,
    /// One request a path: on a kept connection, and on one of its own.
    requests: Vec<[Vec<u8>; 2]>,
}

/// Sends `schedule` until `stop`.
pub(super) async fn run(engine: Arc<Engine>, schedule: Schedule, stop: CancellationToken) {
    let pace = async {
        for (number, intended) in schedule.enumerate() {
            let due = engine.origin + intended;
            if due > Instant::now() {
                sleep_until(due).await;
                engine.close_idle();
            } else if number % 32 == 0 {
                // Behind schedule: those already spawned must get to the wire as well.
                tokio::task::yield_now().await;
            }
            tokio::spawn(Arc::clone(&engine).send(number, intended));
        }
    };
    let _ = stop.run_until_cancelled(pace).await;
}

impl Engine {
    pub(super) fn new(settings: LoadSettings) -> Self {
        let request = |path: &String, end| {
            let (method, path) = path.split_once(' ').unwrap_or(("GET", path));
            // A POST without a body says so: otherwise it would have none to end.
            let body = if method == "GET" { "" } else { "content-length: 0\r\n" };
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: teal-demo\r\n{body}{end}\r\n", settings.target)
                .into_bytes()
        };
        let requests = settings.paths.iter().map(|path| [request(path, ""), request(path, "connection: close\r\n")]);
        Self {
            requests: requests.collect(),
            settings,
            ended: Notify::new(),
            origin: Instant::now(),
            ledger: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Since the start of the load.
    pub(super) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    async fn send(self: Arc<Self>, number: usize, intended: Duration) {
        let id = {
            // The clock is read under the lock: the ledger is in the order of sending.
            let mut ledger = self.ledger();
            ledger.begin(self.elapsed(), intended)
        };
        let one_shot = (number as u64).checked_rem(u64::from(self.settings.one_shot_every)) == Some(0);
        let request = &self.requests[number % self.requests.len()][usize::from(one_shot)];
        let (ending, version) = match timeout(self.settings.give_up, self.ask(request, one_shot)).await {
            Ok(Ok(answer)) => (Ending::Answered(answer.status), answer.version),
            Ok(Err(ending)) => (ending, None),
            Err(_) => (Ending::GaveUp, None),
        };
        self.ledger().end(id, self.elapsed(), ending, version.as_deref());
        self.ended.notify_waiters();
    }

    async fn ask(&self, request: &[u8], one_shot: bool) -> Result<Answer, Ending> {
        let kept = if one_shot { None } else { self.take_idle() };
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(self.settings.target).await.map_err(|error| not_connected(&error))?,
        };
        let answer = connection.ask(request).await.map_err(|_| Ending::Broken)?;
        if answer.keep && !one_shot {
            lock(&self.idle).push((connection, Instant::now()));
        }
        Ok(answer)
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        std::iter::from_fn(|| idle.pop()).map(|(connection, _)| connection).find(Connection::is_open)
    }

    fn close_idle(&self) {
        let mut idle = lock(&self.idle);
        let stale = idle.partition_point(|(_, since)| since.elapsed() > IDLE);
        idle.drain(..stale);
    }
}

/// Whose fault it is that there is no connection: out of descriptors (EMFILE, ENFILE) or ports (EADDRNOTAVAIL) is ours.
fn not_connected(error: &io::Error) -> Ending {
    let ours = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE, rustix::io::Errno::ADDRNOTAVAIL];
    let is_ours = error.raw_os_error().is_some_and(|code| ours.iter().any(|errno| errno.raw_os_error() == code));
    if is_ours { Ending::Unsent } else { Ending::Refused }
}
