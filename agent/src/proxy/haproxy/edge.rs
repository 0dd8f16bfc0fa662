//! The adapter that owns one HAProxy for one environment: its parts, put together.

use std::sync::{Arc, Mutex, PoisonError};

use teal_rollout::machine::event::Event;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::datagram::{self, DatagramError};
use super::desk::{Desk, Targets, View};
use super::evidence::Reader;
use super::hangs::Hangs;
use super::keeper::{Keeper, Running};
use super::memory::Memory;
use super::names::Names;
use super::old_workers;
use super::owner::{Owner, OwnerError};
use super::ring::{FeedState, Ring};
use super::runtime::{Runtime, RuntimeError};
use super::saver::{self, Saved};
use super::settings::{EdgeSettings, LogSource};
use super::sink::Sink;
use super::status::{Counters, EdgeStatus};
use crate::proxy::EdgeOrder;

/// Why an edge cannot be driven.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Another agent drives it, or the lock cannot be made.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// Datagrams were asked for and cannot be received.
    #[error(transparent)]
    Datagram(#[from] DatagramError),
}

/// A running adapter. It ends when its token is cancelled or its orders end, not when this is dropped; HAProxy
/// then goes on as it was.
#[derive(Debug)]
pub struct EdgeHandle {
    monitor: EdgeMonitor,
    task: tokio::task::JoinHandle<()>,
}

/// What an adapter shows of itself; it can be read for longer than the adapter runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EdgeMonitor {
    counters: Arc<Counters>,
    view: View,
    ports: Arc<[u16]>,
}

impl EdgeMonitor {
    /// What was counted since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How the edge stands now.
    #[must_use]
    pub fn status(&self) -> EdgeStatus {
        let (running, saved) = (self.view.running.borrow().clone(), self.view.saved.borrow().clone());
        let FeedState { feed, error: feed_error } = self.view.feed.borrow().clone();
        let reached = !running.error.as_ref().is_some_and(RuntimeError::is_unreachable);
        EdgeStatus {
            pid: running.process.as_ref().filter(|_| reached).map(|process| process.pid),
            version: running.process.map(|process| process.version),
            reload_safe: running.policy.is_some() && running.policy == saved.policy,
            running: running.policy,
            saved: saved.policy,
            manual: running.manual,
            feed,
            backends: running.backends,
            old_workers: self.view.workers.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            runtime_error: running.error.map(|error| error.seen_from_outside(&self.ports).to_string()),
            file_error: saved.error.map(|error| error.to_string()),
            feed_error,
        }
    }
}

impl EdgeHandle {
    /// What it shows of itself.
    #[must_use]
    pub const fn monitor(&self) -> &EdgeMonitor {
        &self.monitor
    }

    /// Waits until the adapter has ended and its lock is free again.
    pub async fn ended(self) {
        // A panic of the task was reported where it happened.
        let _ = self.task.await;
    }
}

/// Starts the adapter. Nothing is written before the first order.
///
/// # Errors
/// Another agent owns this HAProxy, or the log cannot be received.
pub fn spawn(
    settings: &EdgeSettings,
    edge: usize,
    orders: mpsc::Receiver<EdgeOrder>,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> Result<EdgeHandle, EdgeError> {
    let owner = Owner::take(&settings.map)?;
    let counters = Arc::new(Counters::default());
    let components = settings.components.len();
    let sink = Sink::new(events.clone(), Reader::new(&settings.components), components, Arc::clone(&counters));
    let sink = Arc::new(sink.of_edge(edge));
    let nudge = Arc::new(Notify::new());
    let mut tasks = JoinSet::new();

    let (file_target, file_targets) = watch::channel(None);
    let (saved_now, saved) = watch::channel(Saved::default());
    tasks.spawn(saver::run(settings.map.clone(), file_targets, saved_now));

    let (runtime_target, runtime_targets) = watch::channel(None);
    let (running_now, running) = watch::channel(Running::default());
    let (replaced, left_behind) = mpsc::unbounded_channel();
    let ports: Arc<[u16]> = settings.ports.clone().into();
    let keeper = Keeper {
        runtime: Runtime::new(settings),
        components,
        running: running_now,
        ports: Arc::clone(&ports),
        replaced,
        counters: Arc::clone(&counters),
        hangs: Hangs::new(&settings.components, Arc::clone(&sink)),
        memory: Memory::default(),
        backoff: Backoff::new(),
        look_at: Instant::now(),
        ordered_at: Instant::now(),
    };
    tasks.spawn(keeper.run(runtime_targets.clone(), Arc::clone(&nudge)));

    let workers = Arc::new(Mutex::new(Vec::new()));
    tasks.spawn(old_workers::run(settings.clone(), Arc::clone(&workers), left_behind, runtime_targets));

    let (feed_now, feed) = watch::channel(FeedState::lost(None));
    match &settings.log {
        LogSource::Ring => {
            let name = Names::of(settings).ring;
            let ring = Ring { socket: settings.socket.clone(), name, timeout: settings.timeout, sink };
            tasks.spawn(ring.run(running.clone(), feed_now, nudge));
        }
        LogSource::Datagram(path) => {
            tasks.spawn(datagram::run(datagram::bind(path)?, sink, feed_now));
        }
    }

    let view = View { running, saved, feed, workers };
    let targets = Targets { file: file_target, runtime: runtime_target };
    let desk = Desk::new(edge, components, events, view.clone(), targets, Arc::clone(&counters));
    let task = tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = desk.run(orders) => {}
            () = broken(&mut tasks) => {}
        }
        tasks.shutdown().await;
        drop(owner);
    });
    Ok(EdgeHandle { monitor: EdgeMonitor { counters, view, ports }, task })
}

/// Completes when a part has panicked: an edge without it must not look alive.
async fn broken(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if ended.is_err_and(|error| error.is_panic()) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_breaks_the_edge_and_one_that_ends_does_not() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(async { panic!("on purpose") });
        tasks.spawn(std::future::pending());
        broken(&mut tasks).await;
        assert_eq!(tasks.len(), 1, "the others are left to be ended");
    }
}
