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
mod handle;
mod journal;
mod kept;
mod promises;
mod sampling;
mod snapshot;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use teal_rollout::machine::{Event, Machine, Saved};
use teal_rollout::settings::Settings;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

pub use clock::Clock;
pub use gates::{Component as GateComponent, Gates};
pub use handle::{Handle, OrderError};
pub use journal::{Journal, Judged};
pub use snapshot::Snapshot;
pub use timeline::Timelines;

use self::handle::Asked;
use self::kept::Kept;
use self::promises::{Kind, Promises};
use self::snapshot::Names;
use crate::notifier;
use crate::platform::PlatformOrder;
use crate::proxy::EdgeOrder;
use crate::proxy::hand::Hands;
use crate::store::{Sqlite, Writer};

/// How often what a crash should not lose is looked at.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How often a flood of requests may renew the snapshot.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(50);

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
    /// Where it is noted who moved this agent's edge by hand.
    pub hands: Option<Hands>,
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
