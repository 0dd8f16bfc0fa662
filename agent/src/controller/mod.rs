//! The one loop of an environment: event -> decide -> persist -> act.
//!
//! ```text
//!  edge, platform, gates, store --Event--+
//!  admin API ---------------------Order--+--> Machine --Action--> edge, platform, gates, store, journal
//!  clock -------------------------Tick---+       |
//!                                                +--> Snapshot (watch channel) --> admin API, metrics
//! ```
//!
//! The loop waits for nothing but its inbox: every port has a task of its own and answers with events.

mod act;
mod announce;
mod clock;
mod gates;
mod journal;
mod kept;
mod promises;
mod sampling;
mod snapshot;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::machine::{Event, Machine, Order, Refusal, Saved};
use teal_rollout::settings::Settings;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

pub use clock::Clock;
pub use gates::{Component as GateComponent, Gates};
pub use journal::{Journal, Judged};
pub use snapshot::Snapshot;
pub use timeline::Timelines;

use self::kept::Kept;
use self::promises::{Kind, Promises};
use self::snapshot::Names;
use crate::notifier;
use crate::platform::PlatformOrder;
use crate::proxy::EdgeOrder;
use crate::store::{Sqlite, Writer};

/// How often what a crash should not lose is looked at.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How often a flood of requests may renew the snapshot.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(50);
/// How long an order waits for an agent that has just started: longer than that asks its edges, shorter than the client waits.
const STARTING: Duration = Duration::from_secs(4);
/// How long a person waits for the store to have an order.
const STORED: Duration = Duration::from_secs(3);

/// The ends of the ports that the controller holds.
#[derive(Debug)]
pub struct Ports {
    /// One for each edge, in the order of the settings; none for those that another agent drives.
    pub edges: Vec<Option<mpsc::Sender<EdgeOrder>>>,
    /// None where no platform is managed (`observe`, `advise`).
    pub platform: Option<mpsc::Sender<PlatformOrder>>,
    /// Smoke suite and probes.
    pub gates: Gates,
    /// The store's writer.
    pub writer: Writer,
    /// Who is told.
    pub notifier: notifier::Outbox,
}

/// What it takes to run an environment.
#[derive(Debug)]
pub struct Environment {
    /// The application's name, for messages.
    pub app: String,
    /// The environment's name.
    pub name: String,
    /// A link for messages.
    pub url: Option<String>,
    /// What releases are judged by.
    pub settings: Settings,
    /// Where it left off.
    pub saved: Saved,
    /// Its history.
    pub journal: Arc<Journal>,
    /// The evidence of its newest release over time.
    pub timelines: Arc<Timelines>,
    /// The reading side of the store.
    pub store: Sqlite,
}

/// An order with the place for its answer.
#[derive(Debug)]
struct Asked {
    order: Order,
    answer: promises::Answer,
}

/// Why an order got no answer.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The machine says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was taken, and may be lost if the agent dies before the store answers.
    #[error(
        "the order was taken, but the store has not said within {0:?} that it has it: it goes on as soon as it does; \
         look at `status` before you order again"
    )]
    NotStored(Duration),
    /// The agent is on its way down.
    #[error("the agent is stopping")]
    Stopping,
}

/// The way to an environment for everybody else. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    orders: mpsc::Sender<Asked>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    journal: Arc<Journal>,
    timelines: Arc<Timelines>,
    store: Sqlite,
}

impl Handle {
    /// Gives an order and waits until the store has it: the release it is about. A rollback is answered before.
    ///
    /// # Errors
    /// [`OrderError`]; [`OrderError::NotStored`] after [`STORED`].
    pub async fn order(&self, order: Order) -> Result<u64, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.give(order, answer).await?;
        let late = |_| OrderError::NotStored(STORED);
        Ok(tokio::time::timeout(STORED, answered).await.map_err(late)?.map_err(|_| OrderError::Stopping)??)
    }

    /// Gives an order for somebody who cannot see whether it was carried out, and so waits as long as it takes.
    ///
    /// # Errors
    /// [`OrderError::Refused`] and [`OrderError::Stopping`].
    pub async fn order_patiently(&self, order: Order) -> Result<u64, OrderError> {
        let (answer, answered) = oneshot::channel();
        self.give(order, answer).await?;
        Ok(answered.await.map_err(|_| OrderError::Stopping)??)
    }

    async fn give(&self, order: Order, answer: promises::Answer) -> Result<(), OrderError> {
        // An agent that has just started is still asking its edges; whoever comes then waits instead of trying again.
        let started = async { self.snapshots.clone().wait_for(|snapshot| snapshot.view.started).await.is_ok() };
        let _ = tokio::time::timeout(STARTING, started).await;
        self.orders.send(Asked { order, answer }).await.map_err(|_| OrderError::Stopping)
    }

    /// The newest state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// Every state from here on.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The history.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The evidence of the newest release over time.
    #[must_use]
    pub fn timelines(&self) -> &Timelines {
        &self.timelines
    }

    /// The reading side of the store.
    #[must_use]
    pub fn store(&self) -> &Sqlite {
        &self.store
    }
}

/// Starts the loop of an environment. It ends with `shutdown`, its last checkpoint handed to the writer.
pub fn spawn(
    environment: Environment,
    clock: Clock,
    ports: Ports,
    events: mpsc::Receiver<Event>,
    event_sender: mpsc::Sender<Event>,
    shutdown: CancellationToken,
) -> (Handle, tokio::task::JoinHandle<()>) {
    let (orders, asked) = mpsc::channel(16);
    let machine = Machine::new(environment.settings.clone(), environment.saved.clone(), clock.now());
    // When the phase began is not kept; after a restart the release's own beginning stands in.
    let release = environment.journal.release(machine.document().epoch.release);
    let since = release.map(|judged| judged.release.started).unwrap_or_default();
    let names = Names::new(&environment.settings);
    let (publish, snapshots) = watch::channel(Arc::new(Snapshot::of(&machine, &since, &names)));
    let handle = Handle {
        orders,
        snapshots,
        journal: environment.journal.clone(),
        timelines: environment.timelines.clone(),
        store: environment.store.clone(),
    };
    let controller = Controller {
        machine,
        clock,
        ports,
        environment,
        publish,
        published: Instant::now(),
        events: event_sender,
        routed: None,
        since,
        names,
        kept: Kept::default(),
        promises: Promises::default(),
    };
    (handle, tokio::spawn(controller.run(events, asked, shutdown)))
}

struct Controller {
    machine: Machine,
    clock: Clock,
    ports: Ports,
    environment: Environment,
    publish: watch::Sender<Arc<Snapshot>>,
    published: Instant,
    /// For the answers of gates.
    events: mpsc::Sender<Event>,
    /// When the last routing order was given and whether it was one back, until it is acknowledged.
    routed: Option<(Instant, bool)>,
    /// When the phase began.
    since: String,
    /// How route groups are called.
    names: Names,
    /// What was written down last.
    kept: Kept,
    /// Orders that the store does not have yet.
    promises: Promises,
}

impl Controller {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut asked: mpsc::Receiver<Asked>,
        shutdown: CancellationToken,
    ) {
        let mut checkpoints = tokio::time::interval(CHECKPOINT_EVERY);
        checkpoints.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.machine.deadline().map(|at| self.clock.instant(at));
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(Asked { order, answer }) = asked.recv() => {
                    let kind = Kind::of(&order);
                    let result = self.machine.order(self.clock.now(), order);
                    let result = result.map(|actions| self.act(actions));
                    self.publish();
                    match result {
                        Ok(()) => self.promises.give(kind, &self.machine, answer),
                        Err(refusal) => drop(answer.send(Err(refusal))),
                    }
                }
                Some(event) = events.recv() => self.take(event),
                () = sleep_until(deadline) => self.take(Event::Tick),
                _ = checkpoints.tick() => {
                    self.kept.turn(&self.machine, &self.ports.writer);
                    self.environment.timelines.turn();
                    self.publish();
                }
            }
        }
        self.kept.all(&self.machine, &self.ports.writer);
        self.environment.timelines.keep();
    }

    fn take(&mut self, event: Event) {
        let now = self.clock.now();
        if let Event::Probed { round, arm, passed } = event {
            tracing::debug!(round, ?arm, passed, "answered");
            self.environment.timelines.answered(now, round, arm, passed);
        }
        let is_flood = matches!(event, Event::Requests(_));
        let actions = self.machine.handle(now, event);
        let quiet = is_flood && actions.is_empty();
        self.promises.mind(&actions);
        self.act(actions);
        self.promises.keep(&self.machine);
        self.environment.timelines.look(now, &self.machine, &self.names);
        if !quiet || self.published.elapsed() >= SNAPSHOT_EVERY {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let snapshot = Snapshot::of(&self.machine, &self.since, &self.names);
        self.time_rollback(&snapshot.view);
        self.publish.send_replace(Arc::new(snapshot));
        self.published = Instant::now();
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
