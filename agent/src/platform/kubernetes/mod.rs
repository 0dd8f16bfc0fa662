//! The Kubernetes platform: a pair of Deployments for each component, and the Service in front of them.
//!
//! ```text
//!                    a task for each component
//! PlatformOrder --+--> hands: Start, Scale, Stop ------> API server      hands --Answer--> teller
//!                 '--> selector: Select --select------> API server
//! Deployments, Pods --watch--> teller --Event::Capacity--> controller
//!                    agents on the nodes --> teller, while the API server is away
//! Services ----------watch--> selector --Event::Drift--> controller
//! ```
//! Orders wait until they can be carried out; the newest one for a colour is the one that counts. No request that hangs delays
//! what the watches show. While the API server is away nothing is known, and nothing is told: that is not the same as zero. At
//! rest nothing is asked beside the watches.

mod capacity;
mod copies;
mod demand;
mod detect;
mod exchange;
mod failure;
mod fits;
mod hands;
mod image;
mod keeping;
mod node_agents;
mod nodes;
mod quantity;
mod references;
mod scale;
mod select;
mod selector;
mod settings;
mod starting;
mod teller;
mod trouble;
mod workload;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::{ListParams, LogParams};
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Event;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::detect::{DetectError, Found, detect};
use self::hands::{Hands, Shared};
use self::selector::{Selected, Selector};
pub use self::settings::{KubernetesComponent, KubernetesSettings};
use self::starting::Starting;
use self::teller::Teller;
use super::PlatformOrder;
use crate::cluster::nodes::Heard;
use crate::cluster::watch::{self, Scope};

/// The running adapter. Dropping it ends nothing that runs in the cluster.
#[derive(Debug)]
pub struct KubernetesHandle {
    tasks: Vec<JoinHandle<()>>,
}

impl KubernetesHandle {
    /// Waits until the adapter has ended: after its token was cancelled, or its orders' last sender dropped.
    pub async fn join(self) {
        for task in self.tasks {
            // A panic was reported where it happened.
            let _ = task.await;
        }
    }
}

/// Orders that may wait for a task.
const ORDERS: usize = 64;

/// Starts the adapter: tells each colour's capacity once it is known, then at every change and after every order.
///
/// Orders for components that there are not are logged and dropped. `heard` is what agents on the nodes tell, should any.
#[must_use]
pub fn spawn(
    settings: KubernetesSettings,
    client: kube::Client,
    heard: &Heard,
    orders: mpsc::Receiver<PlatformOrder>,
    events: &mpsc::Sender<Event>,
    token: &CancellationToken,
) -> KubernetesHandle {
    // All tasks end with the adapter, however that ends.
    let running = token.child_token();
    let settings = Arc::new(settings);
    let namespace = &settings.namespace;
    let all = Scope::default;
    let (deployments, first) =
        watch::spawn(Api::<Deployment>::namespaced(client.clone(), namespace), all(), running.clone());
    let (pods, second) = watch::spawn(Api::<Pod>::namespaced(client.clone(), namespace), all(), running.clone());
    let api = Api::<Service>::namespaced(client.clone(), namespace);
    let (services, third) = watch::spawn(api.clone(), all(), running.clone());
    let mut tasks = vec![first, second, third];
    let mut run = |task: BoxFuture<'static, ()>| {
        let running = running.clone();
        tasks.push(tokio::spawn(async move {
            let _cancelled = running.run_until_cancelled(task).await;
        }));
    };
    let (answers, answered) = mpsc::channel(ORDERS);
    let starting = Arc::new(Starting::new(settings.components.len()));
    let (starts, services_seen) = (starting.clone(), services.clone());
    let shared = Shared { settings: settings.clone(), client, starting, services: services_seen, answers };
    let mut components = Vec::new();
    for (id, component) in settings.components.iter().enumerate() {
        let (work, to_do) = mpsc::channel(ORDERS);
        let (selected, to_point_at) = tokio::sync::watch::channel(None);
        run(Box::pin(Hands::new(id, shared.clone(), to_point_at).run(to_do)));
        let (select, to_select) = mpsc::channel(ORDERS);
        let selector = Selector::new(id, component.workload.clone(), api.clone(), services.clone(), events.clone());
        run(Box::pin(selector.run(to_select)));
        components.push(Inbox { work, select, selected });
    }
    drop(shared);
    let teller = Teller::new(settings.clone(), deployments, pods, heard, events.clone());
    run(Box::pin(teller.run(answered)));
    let (selects, end) = (settings.selects, running.clone().drop_guard());
    run(Box::pin(async move {
        let _end = end;
        distribute(orders, &components, &starts, selects).await;
    }));
    KubernetesHandle { tasks }
}

/// How the tasks of a component are reached.
struct Inbox {
    work: mpsc::Sender<PlatformOrder>,
    select: mpsc::Sender<Selected>,
    /// Where the Service is to point, also where others point it.
    selected: tokio::sync::watch::Sender<Option<Colour>>,
}

/// Gives every order to its component until nobody orders any more.
async fn distribute(mut orders: mpsc::Receiver<PlatformOrder>, components: &[Inbox], starts: &Starting, selects: bool) {
    while let Some(order) = orders.recv().await {
        let (component, colour) = order.target();
        let Some(inbox) = components.get(component) else {
            tracing::error!(component, "an order for a component that there is not");
            continue;
        };
        starts.note(&order);
        // A task that has ended did so with the adapter.
        match order {
            PlatformOrder::Select { release, .. } => {
                inbox.selected.send_replace(Some(colour));
                if selects {
                    let _ended = inbox.select.send((colour, release)).await;
                }
            }
            order => {
                let _ended = inbox.work.send(order).await;
            }
        }
    }
}

/// How a node begins where it has no log of a container any more: its own words, which come in the log's place.
const NO_LOG: [&str; 2] = ["unable to retrieve container logs for ", "failed to try resolving symlinks in path "];

/// The last lines that a colour's Pods printed, at most `count` of each of three, those that are not ready first: of the run
/// before the last restart, where there was one. Pods of the version before say nothing. For the operator's terminal and nothing else.
pub async fn last_lines(
    client: &kube::Client,
    settings: &KubernetesSettings,
    component: usize,
    colour: Colour,
    count: u16,
) -> Vec<String> {
    let Some(component) = settings.components.get(component) else { return Vec::new() };
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &settings.namespace);
    let Ok(deployment) = deployments.get(&component.deployment(colour)).await else { return Vec::new() };
    let labels = deployment.spec.as_ref().and_then(|spec| spec.selector.match_labels.clone()).unwrap_or_default();
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if labels.is_empty() {
        // A selector by expressions alone: without labels the list would be of every Pod in the namespace.
        return Vec::new();
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), &settings.namespace);
    let mut found =
        pods.list(&ListParams::default().labels(&labels.join(","))).await.map(|list| list.items).unwrap_or_default();
    let template = capacity::Template::of(component, &deployment);
    found.retain(|pod| template.made(pod));
    found.sort_by_key(capacity::is_ready);
    let container = capacity::container(component, &deployment).map(|(name, _)| name);
    let mut lines = Vec::new();
    for pod in found.iter().take(3) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let restarted = capacity::statuses(pod).any(|status| status.restart_count > 0 && !status.ready);
        let params = LogParams {
            container: container.clone(),
            previous: restarted,
            tail_lines: Some(i64::from(count)),
            ..LogParams::default()
        };
        let text = pods.logs(&name, &params).await.unwrap_or_default();
        let said = text.lines().filter(|line| !NO_LOG.iter().any(|words| line.starts_with(words)));
        lines.extend(said.map(|line| format!("{name} | {line}")));
    }
    lines
}

#[cfg(test)]
mod tests;
