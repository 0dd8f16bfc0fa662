//! The request log, read from HAProxy's own memory: `show events RING -w` on the Runtime API's socket.
//!
//! ```text
//! process A  ====reader====[reload]====drains, at most a minute====x
//! process B                    ====reader, from B's first line on==========
//! ```

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use teal_rollout::machine::event::Feed;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer;
use super::keeper::Running;
use super::lines::Lines;
use super::runtime::Process;
use super::sink::Sink;

/// Whether evidence flows, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedState {
    pub(super) feed: Feed,
    pub(super) error: Option<String>,
}

impl FeedState {
    pub(super) fn lost(error: Option<String>) -> Self {
        Self { feed: Feed::Lost, error }
    }

    pub(super) const LIVE: Self = Self { feed: Feed::Live, error: None };
}

/// The waits between two tries to connect.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// How long a refusal may take to arrive after `show info` did.
const REFUSAL: Duration = Duration::from_millis(5);

/// Processes whose lines were read are remembered, this many.
const KNOWN: usize = 16;

/// What a reader needs.
#[derive(Clone)]
pub(super) struct Ring {
    pub(super) socket: PathBuf,
    /// `teal_ENV_log`.
    pub(super) name: String,
    pub(super) timeout: Duration,
    pub(super) sink: Arc<Sink>,
}

/// Why a reader did not start.
#[derive(Debug, thiserror::Error)]
enum RingError {
    #[error("the log cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the log cannot be read: HAProxy did not answer in time")]
    TimedOut,
    #[error("the process that answered is being replaced")]
    OtherProcess,
    #[error("the log cannot be read: HAProxy says `{0}` (the socket needs `level operator`, the ring its name)")]
    Refused(String),
}

impl Ring {
    /// Follows the process that the keeper sees, until the keeper is gone. `nudge` wakes the keeper when a
    /// reader ends: that is the first sign of a restart.
    pub(super) async fn run(
        self,
        mut running: watch::Receiver<Running>,
        state: watch::Sender<FeedState>,
        nudge: Arc<Notify>,
    ) {
        // Old readers end with this task.
        let mut draining = JoinSet::new();
        let mut read_before: Vec<Process> = Vec::new();
        let mut wait = FIRST_WAIT;
        loop {
            let Some(process) = running.borrow_and_update().process.clone() else {
                if running.changed().await.is_err() {
                    return;
                }
                continue;
            };
            // The ring of a process that started under our eyes is read from its first line. Any other may hold
            // lines that were counted already.
            let from_start = !read_before.is_empty() && !read_before.iter().any(|known| known.is(&process));
            let opened = timeout(self.timeout, self.open(&process, from_start)).await;
            let mut lines = match opened.unwrap_or(Err(RingError::TimedOut)) {
                Ok(lines) => lines,
                Err(error) => {
                    report(&state, &error);
                    tokio::select! {
                        () = sleep(wait) => {}
                        known = another(&mut running, &process) => if !known { return },
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                    continue;
                }
            };
            wait = FIRST_WAIT;
            read_before.retain(|known| !known.is(&process));
            read_before.push(process.clone());
            if read_before.len() > KNOWN {
                read_before.remove(0);
            }
            state.send_if_modified(|state| std::mem::replace(state, FeedState::LIVE) != FeedState::LIVE);
            tokio::select! {
                // An idle connection that was cut is opened again before anybody calls the feed lost.
                () = lines.forward(&self.sink) => nudge.notify_one(),
                known = another(&mut running, &process) => {
                    if !known {
                        return;
                    }
                    let sink = Arc::clone(&self.sink);
                    draining.spawn(async move { lines.drain(&sink).await });
                }
            }
            while draining.try_join_next().is_some() {}
        }
    }

    /// Connects and makes sure that it is `process` that answers.
    async fn open(&self, process: &Process, from_start: bool) -> Result<Lines, RingError> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let only_new = if from_start { "" } else { " -n" };
        let line = format!("show info;show events {} -w{only_new}\n", self.name);
        stream.write_all(line.as_bytes()).await?;
        let mut lines = Lines::new(stream);
        let info = loop {
            if let Some(info) = lines.take_block() {
                break info;
            }
            if !lines.more().await? {
                return Err(RingError::Refused(lines.said()));
            }
        };
        match answer::process(&info) {
            Ok(answered) if answered.is(process) && !answered.stopping => {}
            Ok(_) => return Err(RingError::OtherProcess),
            Err(error) => return Err(RingError::Refused(error.to_string())),
        }
        // A refusal comes at once, and then the end; a reader that is taken stays open.
        for _ in 0..2 {
            match timeout(REFUSAL, lines.more()).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return Err(RingError::Refused(lines.said())),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(lines)
    }
}

/// Tells a new error once.
fn report(state: &watch::Sender<FeedState>, error: &RingError) {
    let text = match error {
        RingError::OtherProcess => None,
        error => Some(error.to_string()),
    };
    state.send_if_modified(|state| {
        let now = FeedState::lost(text);
        let changed = *state != now;
        if let (true, Some(error)) = (changed, &now.error) {
            tracing::warn!(%error);
        }
        *state = now;
        changed
    });
}

/// Waits until another process serves; `false` when nobody is left to say so.
async fn another(running: &mut watch::Receiver<Running>, process: &Process) -> bool {
    running.wait_for(|now| now.process.as_ref().is_some_and(|now| !now.is(process))).await.is_ok()
}
