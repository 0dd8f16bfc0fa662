//! The adapter's loop: takes orders, carries them out, tells what is seen.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Capacity, Event};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::capacity;
use super::select::{self, Selection};
use super::settings::KubernetesSettings;
use super::workload::{Trouble, Workloads};
use crate::cluster::client::Patience;
use crate::cluster::watch::{View, Watched};
use crate::platform::PlatformOrder;

/// A colour of a component.
type Place = (usize, bool);

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

pub(super) struct Adapter {
    settings: KubernetesSettings,
    client: kube::Client,
    events: mpsc::Sender<Event>,
    deployments: Watched<Deployment>,
    pods: Watched<Pod>,
    services: Watched<Service>,
    /// Orders that were not carried out yet.
    wanted: BTreeMap<Place, Wanted>,
    /// What a person has to mend first.
    hopeless: BTreeMap<Place, Capacity>,
    selections: Vec<Selection>,
    /// A Deployment says nothing of an order before this generation of it is seen.
    awaited: BTreeMap<Place, i64>,
    told: BTreeMap<Place, Capacity>,
    /// When an order that failed is tried again.
    again: Option<Instant>,
    /// What failed last, so that it is logged once.
    trouble: Option<String>,
}

impl Adapter {
    pub(super) fn new(
        settings: KubernetesSettings,
        client: kube::Client,
        events: mpsc::Sender<Event>,
        deployments: Watched<Deployment>,
        pods: Watched<Pod>,
        services: Watched<Service>,
    ) -> Self {
        let selections = vec![Selection::default(); settings.components.len()];
        Self {
            settings,
            client,
            events,
            deployments,
            pods,
            services,
            wanted: BTreeMap::new(),
            hopeless: BTreeMap::new(),
            selections,
            awaited: BTreeMap::new(),
            told: BTreeMap::new(),
            again: None,
            trouble: None,
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<PlatformOrder>) {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => {
                        self.take(order);
                        self.again = None;
                    }
                    None => return,
                },
                there = self.deployments.changed() => if !there { return },
                there = self.pods.changed() => if !there { return },
                there = self.services.changed() => if !there { return },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
            }
            if self.again.is_none_or(|again| again <= Instant::now()) {
                self.work().await;
            }
            self.tell().await;
            self.see_hands().await;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let orders = (!self.wanted.is_empty()).then(|| self.again.unwrap_or_else(Instant::now));
        let selections = self.selections.iter().filter_map(Selection::deadline);
        let selections = selections.map(|due| self.again.map_or(due, |again| due.max(again)));
        orders.into_iter().chain(selections).min()
    }

    fn take(&mut self, order: PlatformOrder) {
        let (component, colour) = order.target();
        if component >= self.settings.components.len() {
            tracing::error!(component, "an order for a component that there is not");
            return;
        }
        let place = (component, colour == Colour::Green);
        let wanted = match order {
            PlatformOrder::Start { version, release, .. } => Wanted::Running { version, release },
            PlatformOrder::Stop { release, .. } => Wanted::Stopped { release },
            PlatformOrder::Select { release, .. } => {
                if self.settings.selects {
                    self.selections[component].order(colour, release, Instant::now());
                }
                return;
            }
        };
        // The cluster knows nothing yet of a newer order that still waits.
        if self.wanted.get(&place).is_some_and(|newer| newer.release() > wanted.release()) {
            tracing::warn!(?wanted, "a newer order waits there: this one is dropped");
            return;
        }
        self.wanted.insert(place, wanted);
        self.hopeless.remove(&place);
    }

    /// Tries everything that is due, once.
    async fn work(&mut self) {
        self.again = None;
        let mut failed = None;
        for (place, wanted) in self.wanted.clone() {
            let (component, colour) = (&self.settings.components[place.0], colour(place));
            let workloads = Workloads { client: &self.client, settings: &self.settings };
            let done = match &wanted {
                Wanted::Running { version, release } => {
                    workloads.start(component, colour, version, *release).await.map(Some)
                }
                Wanted::Stopped { release } => workloads.stop(component, colour, *release).await.map(|()| None),
            };
            match done {
                Ok(generation) => {
                    self.awaited.extend(generation.map(|generation| (place, generation)));
                    self.ended(place);
                }
                Err(Trouble::Later(why)) => failed = Some(why),
                Err(Trouble::Newer(release)) => {
                    tracing::warn!(?wanted, release, "a newer release has written there: the order is dropped");
                    self.ended(place);
                }
                Err(Trouble::Never(why)) => {
                    tracing::error!(?wanted, why, "the order cannot be carried out");
                    self.hopeless.extend(hopeless(place, &wanted, why).map(|capacity| (place, capacity)));
                    self.ended(place);
                }
            }
        }
        let api: Api<Service> = Api::namespaced(self.client.clone(), &self.settings.namespace);
        for (component, selection) in self.settings.components.iter().zip(&mut self.selections) {
            let Some((colour, release)) = selection.due(Instant::now()) else { continue };
            match select::select(&api, &component.workload, colour, release).await {
                Ok(version) => selection.done(version),
                Err(Trouble::Later(why)) => failed = Some(why),
                Err(Trouble::Newer(release)) => {
                    tracing::warn!(release, "a newer release selects there: the order is dropped");
                    selection.drop_order();
                }
                Err(Trouble::Never(why)) => {
                    tracing::error!(why, service = component.workload, "the Service cannot be switched");
                    selection.drop_order();
                }
            }
        }
        match failed {
            Some(why) => {
                self.again = Some(Instant::now() + Patience::default().pause());
                if self.trouble.as_ref() != Some(&why) {
                    tracing::warn!(why, "an order was not carried out; it is tried again and again");
                    self.trouble = Some(why);
                }
            }
            None => self.trouble = None,
        }
    }

    /// Nothing more is to be done for the order, and its answer is told whether or not it is another than before.
    fn ended(&mut self, place: Place) {
        self.wanted.remove(&place);
        self.told.remove(&place);
    }

    async fn tell(&mut self) {
        let (deployments, pods) = (&mut self.deployments, &mut self.pods);
        let (settings, awaited) = (&self.settings, &mut self.awaited);
        let seen = deployments
            .look_and_note(|deployments| pods.look_and_note(|pods| seen(settings, awaited, deployments, pods)));
        for (place, capacity) in seen {
            let capacity = self.hopeless.get(&place).cloned().unwrap_or(capacity);
            if self.told.get(&place) != Some(&capacity) {
                self.told.insert(place, capacity.clone());
                let _ended = self.events.send(Event::Capacity(capacity)).await;
            }
        }
    }

    async fn see_hands(&mut self) {
        let (components, selections) = (&self.settings.components, &mut self.selections);
        let drifts: Vec<(usize, Option<Colour>)> = self.services.look_and_note(|services| {
            let now = Instant::now();
            let all = components.iter().zip(selections).enumerate();
            all.filter_map(|(id, (component, selection))| {
                let service = services.named(&component.workload)?;
                Some((id, selection.see(service, now)?))
            })
            .collect()
        });
        for (component, colour) in drifts {
            let _ended = self.events.send(Event::Drift { component, colour }).await;
        }
    }
}

const fn colour((_, is_green): Place) -> Colour {
    if is_green { Colour::Green } else { Colour::Blue }
}

/// The capacity of every colour that is known now.
fn seen(
    settings: &KubernetesSettings,
    awaited: &mut BTreeMap<Place, i64>,
    deployments: &View<Deployment>,
    pods: &View<Pod>,
) -> Vec<(Place, Capacity)> {
    if !deployments.is_current() || !pods.is_current() || !deployments.is_complete() || !pods.is_complete() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (id, component) in settings.components.iter().enumerate() {
        for colour in Colour::BOTH {
            let (place, name) = ((id, colour == Colour::Green), component.deployment(colour));
            let Some(deployment) = deployments.named(&name) else {
                all.push((place, missing(id, colour, format!("Deployment {name} is not there"))));
                continue;
            };
            let generation = deployment.metadata.generation.unwrap_or(0);
            if awaited.get(&place).is_some_and(|awaited| generation < *awaited) {
                continue;
            }
            awaited.remove(&place);
            let pods = pods.objects().map(AsRef::as_ref);
            all.push((place, capacity::of(id, component, colour, deployment, pods)));
        }
    }
    all
}

fn missing(component: usize, colour: Colour, failure: String) -> Capacity {
    Capacity {
        component,
        colour,
        release: 0,
        version: None,
        ready: 0,
        wanted: 0,
        crash_looping: 0,
        failure: Some(failure),
    }
}

/// The answer to an order that only a person can help.
fn hopeless(place: Place, wanted: &Wanted, why: String) -> Option<Capacity> {
    let Wanted::Running { version, release } = wanted else { return None };
    Some(Capacity { version: Some(version.clone()), release: *release, ..missing(place.0, colour(place), why) })
}
