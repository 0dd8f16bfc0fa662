//! Carries a component's orders out, one after the other, and tries again until each is done or void.
//!
//! ```text
//! orders --newest of each colour--> waiting --oldest first--> API server --done, dropped, refused--> Answer
//!                                      ^                         |
//!                                      '------- a pause ---------' it is away, busy, or somebody else wrote
//! ```
//! A request that hangs holds up this component's orders and nothing else.

use std::sync::Arc;

use teal_rollout::colour::Colour;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::settings::KubernetesSettings;
use super::trouble::{Complaint, Trouble};
use super::workload::{State, Workloads};
use crate::cluster::client::Patience;
use crate::platform::PlatformOrder;

/// What is to become of a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Running { version: String, release: u64 },
    Stopped { release: u64 },
}

impl Wanted {
    const fn release(&self) -> u64 {
        match self {
            Self::Running { release, .. } | Self::Stopped { release } => *release,
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
    /// It is carried out or dropped. Where it started something, nothing is known of that before this state is seen.
    Ended(Option<State>),
    /// Only a person can help.
    Refused { version: String, release: u64, why: String },
}

/// The task of one component's Deployments.
pub(super) struct Hands {
    component: usize,
    settings: Arc<KubernetesSettings>,
    client: kube::Client,
    answers: mpsc::Sender<Answer>,
    /// Orders that were not carried out yet, at most one a colour, the oldest first.
    waiting: Vec<(Colour, Wanted)>,
    complaint: Complaint,
}

impl Hands {
    pub(super) fn new(
        component: usize,
        settings: Arc<KubernetesSettings>,
        client: kube::Client,
        answers: mpsc::Sender<Answer>,
    ) -> Self {
        Self { component, settings, client, answers, waiting: Vec::new(), complaint: Complaint::default() }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<PlatformOrder>) {
        let mut again = None;
        loop {
            let due = again.unwrap_or_else(Instant::now);
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
                () = sleep_until(due), if !self.waiting.is_empty() => {}
            }
            again = self.work().await;
        }
    }

    async fn take(&mut self, order: PlatformOrder) {
        let (_, colour) = order.target();
        let wanted = match order {
            PlatformOrder::Start { version, release, .. } => Wanted::Running { version, release },
            PlatformOrder::Stop { release, .. } => Wanted::Stopped { release },
            // Selectors have a task of their own.
            PlatformOrder::Select { .. } => return,
        };
        // The cluster knows nothing yet of a newer order that still waits.
        if self.waiting.iter().any(|(other, newer)| *other == colour && newer.release() > wanted.release()) {
            tracing::warn!(?wanted, "a newer order waits there: this one is dropped");
            return;
        }
        self.waiting.retain(|(other, _)| *other != colour);
        self.waiting.push((colour, wanted));
        self.answer(colour, Outcome::Taken).await;
    }

    /// Tries everything once; when to try what is left again.
    async fn work(&mut self) -> Option<Instant> {
        let mut failed = None;
        for (colour, wanted) in std::mem::take(&mut self.waiting) {
            match self.carry_out(colour, &wanted).await {
                Ok(outcome) => self.answer(colour, outcome).await,
                Err(why) => {
                    failed = Some(why);
                    self.waiting.push((colour, wanted));
                }
            }
        }
        let again = failed.as_ref().map(|_| Instant::now() + Patience::default().pause());
        self.complaint.is_now(failed);
        again
    }

    /// What is to be answered; why not yet, where it is to be tried again.
    async fn carry_out(&self, colour: Colour, wanted: &Wanted) -> Result<Outcome, String> {
        let component = &self.settings.components[self.component];
        let workloads = Workloads { client: &self.client, settings: &self.settings };
        let done = match wanted {
            Wanted::Running { version, release } => {
                workloads.start(component, colour, version, *release).await.map(Some)
            }
            Wanted::Stopped { release } => workloads.stop(component, colour, *release).await.map(|()| None),
        };
        match done {
            Ok(state) => Ok(Outcome::Ended(state)),
            Err(Trouble::Later(why)) => Err(why),
            Err(Trouble::Newer(release)) => {
                tracing::warn!(?wanted, release, "a newer release has written there: the order is dropped");
                Ok(Outcome::Ended(None))
            }
            Err(Trouble::Never(why)) => {
                tracing::error!(?wanted, why, "the order cannot be carried out");
                Ok(match wanted.clone() {
                    Wanted::Running { version, release } => Outcome::Refused { version, release, why },
                    Wanted::Stopped { .. } => Outcome::Ended(None),
                })
            }
        }
    }

    async fn answer(&self, colour: Colour, outcome: Outcome) {
        // Nobody is left to hear it when the adapter ends.
        let _ended = self.answers.send(Answer { component: self.component, colour, outcome }).await;
    }
}
