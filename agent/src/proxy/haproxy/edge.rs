//! The adapter that owns one HAProxy for one environment: takes orders, reports what is true.
//!
//! ```text
//! forward   file --written--> runtime        stops at the first failure, which is tried again
//! back      file, runtime                    at once and each by itself
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::machine::action::Direction;
use teal_rollout::machine::event::{Backend, EdgeReport, Event};
use teal_rollout::policy::{Epoch, Policy, Verdict};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::datagram::{self, DatagramError};
use super::evidence::Reader;
use super::keeper::{Keeper, Memory, Running};
use super::names::Names;
use super::old_workers;
use super::owner::{Owner, OwnerError};
use super::ring::{FeedState, Ring};
use super::runtime::Runtime;
use super::saver::{self, Saved, Target};
use super::settings::{EdgeSettings, LogSource};
use super::sink::Sink;
use super::stall::Stall;
use super::status::{Counters, EdgeStatus};

/// Route by this policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOrder {
    /// The policy, absolute.
    pub policy: Policy,
    /// In which order to write it.
    pub direction: Direction,
}

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

/// How long the first report waits to have seen both file and proxy.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// Reports are sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A running adapter. Ends when its token is cancelled or its orders end; HAProxy goes on as it was.
#[derive(Debug)]
pub struct EdgeHandle {
    counters: Arc<Counters>,
    view: View,
    task: tokio::task::JoinHandle<()>,
}

/// What the parts of the adapter show.
#[derive(Clone, Debug)]
struct View {
    running: watch::Receiver<Running>,
    saved: watch::Receiver<Saved>,
    feed: watch::Receiver<FeedState>,
    workers: old_workers::Shared,
}

impl EdgeHandle {
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
        EdgeStatus {
            pid: running.process.as_ref().filter(|_| running.policy.is_some()).map(|process| process.pid),
            version: running.process.map(|process| process.version),
            reload_safe: running.policy.is_some() && running.policy == saved.policy,
            running: running.policy,
            saved: saved.policy,
            manual: running.manual,
            feed,
            backends: running.backends,
            old_workers: self.view.workers.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            runtime_error: running.error.map(|error| error.to_string()),
            file_error: saved.error.map(|error| error.to_string()),
            feed_error,
        }
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
    settings: EdgeSettings,
    edge: usize,
    orders: mpsc::Receiver<EdgeOrder>,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
) -> Result<EdgeHandle, EdgeError> {
    let owner = Owner::take(&settings.map)?;
    let counters = Arc::new(Counters::default());
    let components = settings.components.len();
    let sink = Sink::new(events.clone(), Reader::new(&settings.components), components, Arc::clone(&counters));
    let sink = Arc::new(sink);
    let nudge = Arc::new(Notify::new());
    let mut tasks = JoinSet::new();

    let (file_target, file_targets) = watch::channel(None);
    let (saved_now, saved) = watch::channel(Saved::default());
    tasks.spawn(saver::run(settings.map.clone(), file_targets, saved_now));

    let (runtime_target, runtime_targets) = watch::channel(None);
    let (running_now, running) = watch::channel(Running::default());
    let (replaced, left_behind) = mpsc::unbounded_channel();
    let stalls = settings.components.iter().map(|component| {
        let limit = Duration::from_millis(u64::from(component.limits.largest()));
        Colour::BOTH.map(|_| Stall::new(limit))
    });
    let keeper = Keeper {
        runtime: Runtime::new(&settings),
        components,
        running: running_now,
        replaced,
        sink: Arc::clone(&sink),
        counters: Arc::clone(&counters),
        stalls: stalls.collect(),
        origin: Instant::now(),
        memory: Memory::default(),
    };
    tasks.spawn(keeper.run(runtime_targets.clone(), Arc::clone(&nudge)));

    let workers = Arc::new(Mutex::new(Vec::new()));
    tasks.spawn(old_workers::run(settings.clone(), Arc::clone(&workers), left_behind, runtime_targets));

    let (feed_now, feed) = watch::channel(FeedState::lost(None));
    match &settings.log {
        LogSource::Ring => {
            let name = Names::of(&settings).ring;
            let ring = Ring { socket: settings.socket.clone(), name, timeout: settings.timeout, sink };
            tasks.spawn(ring.run(running.clone(), feed_now, nudge));
        }
        LogSource::Datagram(path) => {
            tasks.spawn(datagram::run(datagram::bind(path)?, sink, feed_now));
        }
    }

    let view = View { running, saved, feed, workers };
    let desk = Desk {
        edge,
        components,
        events,
        view: view.clone(),
        file_target,
        runtime_target,
        highest: Epoch::default(),
        generation: 0,
        ordered: None,
        forward: None,
        file_differs: false,
        shown: None,
        counters: Arc::clone(&counters),
    };
    let task = tokio::spawn(async move {
        stop.run_until_cancelled(desk.run(orders)).await;
        tasks.shutdown().await;
        drop(owner);
    });
    Ok(EdgeHandle { counters, view, task })
}

/// Where orders come in and reports go out.
struct Desk {
    edge: usize,
    components: usize,
    events: mpsc::Sender<Event>,
    view: View,
    file_target: watch::Sender<Option<Target>>,
    runtime_target: watch::Sender<Option<Target>>,
    /// The greatest epoch ever seen; orders below it are refused.
    highest: Epoch,
    generation: u64,
    /// The last order taken.
    ordered: Option<Target>,
    /// A forward order whose file is not written yet.
    forward: Option<Target>,
    /// The file was not as ordered at the last tick.
    file_differs: bool,
    /// The last report sent and when.
    shown: Option<(EdgeReport, Instant)>,
    counters: Arc<Counters>,
}

impl Desk {
    async fn run(mut self, mut orders: mpsc::Receiver<EdgeOrder>) {
        let View { mut running, mut saved, mut feed, .. } = self.view.clone();
        let both = async {
            let _ = running.wait_for(|running| running.known).await;
            let _ = saved.wait_for(|saved| saved.known).await;
        };
        // The first report carries what was found before anything is written.
        let _ = tokio::time::timeout(FIRST_LOOK, both).await;
        let mut tick = tokio::time::interval(HEARTBEAT);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answer = true;
        loop {
            self.learn();
            self.report(answer);
            answer = false;
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => {
                        self.take(order);
                        answer = true;
                    }
                    None => return,
                },
                changed = saved.changed() => match changed {
                    Ok(()) => self.go_on(),
                    Err(_) => return,
                },
                changed = running.changed() => if changed.is_err() { return },
                // A log that ended is a lost feed and no reason to stop.
                Ok(()) = feed.changed() => {}
                _ = tick.tick() => {
                    self.check_file();
                    answer = true;
                }
            }
        }
    }

    fn take(&mut self, order: EdgeOrder) {
        let EdgeOrder { policy, direction } = order;
        if policy.epoch < self.highest {
            tracing::error!(order = %policy.epoch, highest = %self.highest, "refused an order below what was seen");
            self.counters.refused.add(1);
            return;
        }
        self.highest = policy.epoch;
        self.generation += 1;
        let target = Target { policy, generation: self.generation };
        self.ordered = Some(target.clone());
        self.file_differs = false;
        self.forward = None;
        match direction {
            Direction::Forward => self.forward = Some(target.clone()),
            Direction::Back => {
                self.runtime_target.send_replace(Some(target.clone()));
            }
        }
        self.file_target.send_replace(Some(target));
    }

    /// Lets a forward order through to the running proxy once its file is written.
    fn go_on(&mut self) {
        let written = self.view.saved.borrow().written;
        if let Some(target) = self.forward.take_if(|target| written == Some(target.generation)) {
            self.runtime_target.send_replace(Some(target));
        }
    }

    /// Keeps the greatest epoch. Before the first order everything found counts. After it, only that a known
    /// release is BAD does: that is somebody's verdict, where a made-up release would lock everybody out.
    fn learn(&mut self) {
        let found = [self.view.running.borrow().policy.clone(), self.view.saved.borrow().policy.clone()];
        for Policy { epoch, .. } in found.into_iter().flatten() {
            let verdict = epoch.verdict == Verdict::Bad && epoch.release <= self.highest.release;
            if self.ordered.is_none() || verdict {
                self.highest = self.highest.max(epoch);
            }
        }
    }

    /// Puts back a file that somebody else changed, seen twice a second apart, so that the keeper has had time
    /// to see whether it belongs to a move by hand.
    fn check_file(&mut self) {
        let Some(ordered) = &mut self.ordered else { return };
        let saved = self.view.saved.borrow().clone();
        let manual = self.view.running.borrow().manual;
        let differs = saved.written == Some(ordered.generation) && saved.policy.as_ref() != Some(&ordered.policy);
        if manual || !std::mem::replace(&mut self.file_differs, differs) || !differs {
            return;
        }
        tracing::warn!("the map file was changed or cannot be read, writing it again");
        self.counters.drift.add(1);
        self.generation += 1;
        // The running proxy keeps its own generation: nothing is wrong with it.
        ordered.generation = self.generation;
        self.file_target.send_replace(Some(ordered.clone()));
        self.file_differs = false;
    }

    fn report(&mut self, answer: bool) {
        let report = self.now();
        let due = self.shown.as_ref().is_none_or(|(shown, at)| differs(shown, &report) || at.elapsed() >= HEARTBEAT);
        if (answer || due) && self.events.try_send(Event::Edge(report.clone())).is_ok() {
            self.shown = Some((report, Instant::now()));
        }
    }

    fn now(&self) -> EdgeReport {
        let (running, saved) = (self.view.running.borrow(), self.view.saved.borrow());
        EdgeReport {
            edge: self.edge,
            running: running.policy.clone(),
            saved: saved.policy.clone().filter(|policy| policy.routes.len() == self.components),
            manual: running.manual,
            feed: self.view.feed.borrow().feed,
            backends: running.backends.clone(),
        }
    }
}

/// Whether a report says something new. How many requests are in flight does so only when it comes to none at
/// a colour that gets no more: somebody waits for that before stopping it.
fn differs(before: &EdgeReport, now: &EdgeReport) -> bool {
    let drained = |report: &EdgeReport| {
        let idle = |b: &&Backend| {
            let route = report.running.as_ref().and_then(|policy| policy.routes.get(b.component));
            b.in_flight == 0 && route.is_some_and(|route| !route.serves(b.colour))
        };
        report.backends.iter().filter(idle).map(|b| (b.component, b.colour)).collect::<Vec<_>>()
    };
    let up = |report: &EdgeReport| report.backends.iter().map(|b| b.up).collect::<Vec<_>>();
    let rest = |report: &EdgeReport| (report.running.clone(), report.saved.clone(), report.manual, report.feed);
    rest(before) != rest(now) || up(before) != up(now) || drained(before) != drained(now)
}
