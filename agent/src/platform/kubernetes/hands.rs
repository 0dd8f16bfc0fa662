//! Carries a component's orders out, one after the other, and tries again until each is done or void.
//!
//! ```text
//! orders --newest of each colour--> waiting --oldest first--> API server --done, dropped, refused--> Answer
//!                                      ^                         |-- a pause: it is away, busy, or somebody else wrote
//!                                      '-------------------------'-- held until the component's Service points elsewhere
//! ```
//! A request that hangs holds up this component's orders and nothing else.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use teal_rollout::colour::Colour;
use teal_rollout::retention::Replicas;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::keeping::Scaling;
use super::settings::KubernetesSettings;
use super::starting::Starting;
use super::trouble::{Complaint, Trouble};
use super::workload::{Start, State, Workloads};
use crate::cluster::client::Patience;
use crate::cluster::watch::Watched;
use crate::platform::PlatformOrder;

/// What is to become of a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Running { version: String, release: u64 },
    Kept { version: String, replicas: Replicas, full: u32, release: u64, order: u32 },
    Stopped { release: u64 },
}

impl Wanted {
    const fn release(&self) -> u64 {
        match self {
            Self::Running { release, .. } | Self::Kept { release, .. } | Self::Stopped { release } => *release,
        }
    }
}

/// What became of the orders for a colour, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) component: usize,
    pub(super) colour: Colour,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A new order is there; what was said of those before it is over.
    Taken,
    /// A version is started, or runs already: nothing is known of it before this state is seen.
    Started { state: State, version: String, release: u64 },
    /// There is nothing more to do.
    Ended,
    /// The version is not started before the Service points elsewhere.
    Held { version: String, release: u64, why: String },
    /// Only a person can help.
    Refused { version: String, release: u64, why: String },
}

/// An order that was not carried out yet.
#[derive(Clone, Debug)]
struct Waiting {
    colour: Colour,
    wanted: Wanted,
    /// It is of no use to try before the Service, or where it is to point, has changed.
    held: bool,
}

/// What the tasks of all components share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) settings: Arc<KubernetesSettings>,
    pub(super) client: kube::Client,
    pub(super) starting: Arc<Starting>,
    pub(super) services: Watched<Service>,
    pub(super) answers: mpsc::Sender<Answer>,
}

/// The task of one component's Deployments.
pub(super) struct Hands {
    component: usize,
    shared: Shared,
    /// Where its Service was last ordered to point.
    selected: watch::Receiver<Option<Colour>>,
    /// At most one a colour, the oldest first.
    waiting: Vec<Waiting>,
    complaint: Complaint,
}

impl Hands {
    pub(super) fn new(component: usize, shared: Shared, selected: watch::Receiver<Option<Colour>>) -> Self {
        Self { component, shared, selected, waiting: Vec::new(), complaint: Complaint::default() }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<PlatformOrder>) {
        let mut again = None;
        loop {
            let due = again.unwrap_or_else(Instant::now);
            let is_held = self.waiting.iter().any(|it| it.held);
            let is_due = self.waiting.iter().any(|it| !it.held);
            tokio::select! {
                biased;
                order = orders.recv() => {
                    let Some(order) = order else { return };
                    self.take(order).await;
                    // All that has come is known before anything is tried.
                    while let Ok(order) = orders.try_recv() {
                        self.take(order).await;
                    }
                }
                there = self.shared.services.changed(), if is_held => if there { self.let_go() } else { return },
                there = self.selected.changed(), if is_held => if there.is_ok() { self.let_go() } else { return },
                () = sleep_until(due), if is_due => {}
            }
            again = self.work().await;
        }
    }

    fn let_go(&mut self) {
        self.waiting.iter_mut().for_each(|it| it.held = false);
    }

    async fn take(&mut self, order: PlatformOrder) {
        let (_, colour) = order.target();
        let wanted = match order {
            PlatformOrder::Start { version, release, .. } => Wanted::Running { version, release },
            PlatformOrder::Scale { version, replicas, full, release, order, .. } => {
                Wanted::Kept { version, replicas, full, release, order }
            }
            PlatformOrder::Stop { release, .. } => Wanted::Stopped { release },
            // Selectors have a task of their own.
            PlatformOrder::Select { .. } => return,
        };
        // The cluster knows nothing yet of a newer order that still waits.
        if self.waiting.iter().any(|it| it.colour == colour && it.wanted.release() > wanted.release()) {
            tracing::warn!(?wanted, "a newer order waits there: this one is dropped");
            return;
        }
        self.waiting.retain(|it| it.colour != colour);
        self.waiting.push(Waiting { colour, wanted, held: false });
        self.answer(colour, Outcome::Taken).await;
    }

    /// Tries everything that is not held, once; when to try what is left again.
    async fn work(&mut self) -> Option<Instant> {
        let (mut again, mut complaint) = (None, None);
        for order in std::mem::take(&mut self.waiting) {
            if order.held {
                self.waiting.push(order);
                continue;
            }
            let Waiting { colour, wanted, .. } = order;
            match self.carry_out(colour, &wanted).await {
                Ok(outcome) => self.answer(colour, outcome).await,
                Err(Trouble::Held(why)) => {
                    if let Wanted::Running { version, release } = wanted.clone() {
                        self.answer(colour, Outcome::Held { version, release, why: why.clone() }).await;
                    }
                    // Ordinary after a rollback, whose stop is often here before its selector is there: the edge moves first.
                    tracing::info!(why, "an order waits");
                    self.waiting.push(Waiting { colour, wanted, held: true });
                }
                Err(trouble) => {
                    (again, complaint) =
                        (Some(Instant::now() + Patience::default().pause()), Some(trouble.to_string()));
                    self.waiting.push(Waiting { colour, wanted, held: false });
                }
            }
        }
        self.complaint.is_now(complaint);
        again
    }

    /// What is to be answered; why not yet, where it is to be tried again.
    async fn carry_out(&self, colour: Colour, wanted: &Wanted) -> Result<Outcome, Trouble> {
        let Shared { settings, client, starting, .. } = &self.shared;
        let workloads = Workloads { client, settings, starting };
        let done = match wanted.clone() {
            Wanted::Running { version, release } => {
                let selected = *self.selected.borrow();
                let start = Start { component: self.component, colour, version: &version, release, selected };
                workloads.start(&start).await.map(|state| Outcome::Started { state, version, release })
            }
            Wanted::Kept { version, replicas, full, release, order } => {
                let scaling =
                    Scaling { component: self.component, colour, version: &version, replicas, full, release, order };
                workloads.keep(&scaling).await.map(|state| Outcome::Started { state, version, release })
            }
            Wanted::Stopped { release } => {
                let component = &settings.components[self.component];
                workloads.stop(component, colour, release).await.map(|()| Outcome::Ended)
            }
        };
        match done {
            Err(Trouble::Newer(release)) => {
                tracing::warn!(?wanted, release, "a newer release has written there: the order is dropped");
                Ok(Outcome::Ended)
            }
            Err(Trouble::Never(why)) => {
                tracing::error!(?wanted, why, "the order cannot be carried out");
                Ok(match wanted.clone() {
                    Wanted::Running { version, release } | Wanted::Kept { version, release, .. } => {
                        Outcome::Refused { version, release, why }
                    }
                    Wanted::Stopped { .. } => Outcome::Ended,
                })
            }
            answer => answer,
        }
    }

    async fn answer(&self, colour: Colour, outcome: Outcome) {
        // Nobody is left to hear it when the adapter ends.
        let _ended = self.shared.answers.send(Answer { component: self.component, colour, outcome }).await;
    }
}
