//! Services as an edge: for a cluster behind a proxy that nobody may touch, the selectors alone switch.
//!
//! ```text
//!  EdgeOrder --> patch of each Service that differs: selector `version`, the policy as an annotation
//!                    ^ conflict, API server away: again
//!  Services, Deployments --watch--> seen --Event::Edge--> controller
//! ```
//! What is lost beside an edge of Teal's own: no request is seen, so a release is judged by probes alone; connections that are
//! open stay where they are; components move one after the other, milliseconds apart; there are no shares.

pub mod force;
mod pods;
mod seen;

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use teal_rollout::machine::event::{EdgeReport, Event, Feed};
use teal_rollout::policy::Policy;
use tokio::sync::{mpsc, watch as channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::seen::{POLICY, Seen};
use super::EdgeOrder;
use super::hand::Hand;
use crate::cluster::client::{Patience, brief};
use crate::cluster::selected::colour_of;
use crate::cluster::watch::{self, Scope, Watched};

/// A machine wants to hear of an edge at least once a second.
const REPORT_EVERY: Duration = Duration::from_millis(500);

/// Who writes, for the owners of fields.
const MANAGER: &str = "teal";

/// The Services of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorSettings {
    /// Where.
    pub namespace: String,
    /// The Service of each component, in the order of the components; its Deployments are called so, with `-blue`, `-green`.
    pub services: Vec<String>,
}

/// A running adapter. It ends when its token is cancelled or its orders end; the Services stay as they are.
#[derive(Debug)]
pub struct SelectorHandle {
    tasks: [JoinHandle<()>; 3],
    monitor: SelectorMonitor,
}

/// What the Services route by, for others to look at. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SelectorMonitor {
    now: channel::Receiver<Routed>,
}

/// What the Services route by at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Routed {
    policy: Option<Policy>,
    hand: Option<Hand>,
}

impl SelectorMonitor {
    /// The policy, while the Services agree on one and the API server answers.
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.now.borrow().policy.clone()
    }

    /// Who moved them to `running`; none where that was not `edge force`.
    #[must_use]
    pub fn behind(&self, running: &Policy) -> Option<Hand> {
        self.now.borrow().hand.clone().filter(|hand| hand.wrote(running))
    }
}

impl SelectorHandle {
    /// What it knows.
    #[must_use]
    pub const fn monitor(&self) -> &SelectorMonitor {
        &self.monitor
    }

    /// Waits until the adapter has ended.
    pub async fn ended(self) {
        for task in self.tasks {
            // A panic was reported where it happened.
            let _ = task.await;
        }
    }
}

/// Starts the adapter. Nothing is written before the first order. `edge` is its index in the document.
#[must_use]
pub fn spawn(
    settings: SelectorSettings,
    client: kube::Client,
    edge: usize,
    orders: mpsc::Receiver<EdgeOrder>,
    events: mpsc::Sender<Event>,
    stop: &CancellationToken,
) -> SelectorHandle {
    let api: Api<Service> = Api::namespaced(client.clone(), &settings.namespace);
    let deployments: Api<Deployment> = Api::namespaced(client, &settings.namespace);
    // The watches end with the adapter, however that ends.
    let watching = stop.child_token();
    let (services, watching_services) = watch::spawn(api.clone(), Scope::default(), watching.clone());
    let (deployments, watching_deployments) = watch::spawn(deployments, Scope::default(), watching.clone());
    let (shown, now) = channel::channel(Routed::default());
    let adapter = Adapter { settings, api, services, deployments, edge, events, shown, wanted: None, told: None };
    let stop = stop.clone();
    let task = tokio::spawn(async move {
        let _end = watching.drop_guard();
        let _cancelled = stop.run_until_cancelled(adapter.run(orders)).await;
    });
    SelectorHandle { tasks: [task, watching_services, watching_deployments], monitor: SelectorMonitor { now } }
}

struct Adapter {
    settings: SelectorSettings,
    api: Api<Service>,
    services: Watched<Service>,
    deployments: Watched<Deployment>,
    edge: usize,
    events: mpsc::Sender<Event>,
    shown: channel::Sender<Routed>,
    /// The last order, until it is carried out.
    wanted: Option<Policy>,
    /// What was reported last.
    told: Option<EdgeReport>,
}

impl Adapter {
    async fn run(mut self, mut orders: mpsc::Receiver<EdgeOrder>) {
        let mut reports = tokio::time::interval(REPORT_EVERY);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // When an order that failed is tried again.
        let mut again = Instant::now();
        loop {
            let due = self.wanted.is_some();
            tokio::select! {
                order = orders.recv() => match order {
                    // Both directions are one here: what a Service holds is what it holds after a restart as well.
                    Some(EdgeOrder { policy, .. }) => {
                        self.wanted = Some(policy);
                        again = Instant::now();
                        // The answer to an order is a report, also when nothing had to change.
                        self.told = None;
                    }
                    None => return,
                },
                there = self.services.changed() => if !there { return },
                there = self.deployments.changed() => if !there { return },
                _ = reports.tick() => self.told = None,
                () = tokio::time::sleep_until(again), if due => {
                    if let Err(error) = self.write().await {
                        tracing::debug!(error = brief(&error), "a Service was not switched; it is tried again");
                        again = Instant::now() + Patience::default().pause();
                    }
                }
            }
            self.report().await;
        }
    }

    /// Makes the Services say what is wanted; what differs from it is patched against the version that was seen.
    async fn write(&mut self) -> Result<(), kube::Error> {
        let Some(policy) = self.wanted.clone().filter(|policy| policy.routes.len() == self.settings.services.len())
        else {
            self.wanted = None;
            return Ok(());
        };
        let text = policy.to_string();
        for (name, route) in self.settings.services.iter().zip(&policy.routes) {
            let service = self.api.get(name).await?;
            let colour = seen::serving(route);
            let there = service.metadata.annotations.as_ref().and_then(|all| all.get(POLICY));
            let written = seen::written(&service, policy.routes.len());
            if written.is_some_and(|written| written.epoch > policy.epoch) {
                // Somebody knows more than who ordered this; the machine hears of it by the report.
                break;
            }
            // Carried out already. Where it selects the other colour by now, a hand moved it, as the machine hears by the report:
            // the same order once more, as every start gives it, is no answer to that.
            if there == Some(&text) && colour_of(&service).is_some() {
                continue;
            }
            let patch = json!({
                "metadata": {
                    "resourceVersion": service.metadata.resource_version,
                    "annotations": { POLICY: text },
                },
                "spec": { "selector": { "version": colour.to_string() } },
            });
            self.api.patch(name, &PatchParams::apply(MANAGER), &Patch::Merge(patch)).await?;
        }
        self.wanted = None;
        Ok(())
    }

    async fn report(&mut self) {
        let (services, deployments) = (&mut self.services, &mut self.deployments);
        let seen = services.look_and_note(|services| {
            deployments.look_and_note(|deployments| Seen::of(&self.settings.services, services, deployments))
        });
        let Some(seen) = seen else { return };
        let routed = Routed { policy: seen.policy.clone(), hand: seen.hand };
        // Before anybody hears of the move: who is behind it is asked then.
        self.shown.send_if_modified(|shown| {
            let is_news = *shown != routed;
            *shown = routed;
            is_news
        });
        let report = EdgeReport {
            edge: self.edge,
            running: seen.policy,
            saved: seen.greatest,
            // Until an order is carried out the Services differ from it by our own doing.
            manual: seen.by_hand && self.wanted.is_none(),
            // Nobody tells of requests here.
            feed: Feed::Lost,
            backends: seen.backends,
        };
        if self.told.as_ref() != Some(&report) {
            self.told = Some(report.clone());
            let _ended = self.events.send(Event::Edge(report)).await;
        }
    }
}

#[cfg(test)]
mod tests;
