//! Where orders come in and reports go out.
//!
//! ```text
//! forward   file --written--> runtime        stops at the first failure, which is tried again
//! back      file, runtime                    at once and each by itself
//! ```

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::machine::action::Direction;
use teal_rollout::machine::event::{Backend, EdgeReport, Event};
use teal_rollout::policy::{Epoch, Policy, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::keeper::Running;
use super::old_workers;
use super::ring::FeedState;
use super::saver::{Saved, Target};
use super::status::Counters;
use crate::proxy::EdgeOrder;

/// How long the first report waits to have seen both file and proxy.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// Reports are sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// What the parts of the adapter show.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) running: watch::Receiver<Running>,
    pub(super) saved: watch::Receiver<Saved>,
    pub(super) feed: watch::Receiver<FeedState>,
    pub(super) workers: old_workers::Shared,
}

/// Where the desk's wishes go.
pub(super) struct Targets {
    /// To the saver.
    pub(super) file: watch::Sender<Option<Target>>,
    /// To the keeper.
    pub(super) runtime: watch::Sender<Option<Target>>,
}

/// See the module.
pub(super) struct Desk {
    edge: usize,
    components: usize,
    events: mpsc::Sender<Event>,
    view: View,
    targets: Targets,
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
    pub(super) fn new(
        edge: usize,
        components: usize,
        events: mpsc::Sender<Event>,
        view: View,
        targets: Targets,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            edge,
            components,
            events,
            view,
            targets,
            highest: Epoch::default(),
            generation: 0,
            ordered: None,
            forward: None,
            file_differs: false,
            shown: None,
            counters,
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<EdgeOrder>) {
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
        if policy.routes.len() != self.components {
            tracing::error!(order = %policy, components = self.components, "refused an order for other components");
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
                self.targets.runtime.send_replace(Some(target.clone()));
            }
        }
        self.targets.file.send_replace(Some(target));
    }

    /// Lets a forward order through to the running proxy once its file is written.
    fn go_on(&mut self) {
        let written = self.view.saved.borrow().written;
        if let Some(target) = self.forward.take_if(|target| written == Some(target.generation)) {
            self.targets.runtime.send_replace(Some(target));
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
        self.targets.file.send_replace(Some(ordered.clone()));
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
