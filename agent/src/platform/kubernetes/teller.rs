//! Tells what each colour can do, as the watches show it and as soon as they do: no request of ours is waited for.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Capacity, Event};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::capacity;
use super::hands::{Answer, Outcome};
use super::node_agents;
use super::settings::KubernetesSettings;
use super::workload::State;
use crate::cluster::nodes::{Heard, Nodes};
use crate::cluster::watch::{View, Watched};

/// One colour of a component, and what was said of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) component: usize,
    pub(super) colour: Colour,
    /// The Deployment says nothing of an order before this state of it is seen: with the version and the release.
    pub(super) awaited: Option<(State, String, u64)>,
    /// Why what was ordered does not run.
    pub(super) stuck: Option<Stuck>,
    pub(super) told: Option<Capacity>,
}

/// An order that waits for a Service, or that only a person can help.
#[derive(Debug)]
pub(super) struct Stuck {
    version: String,
    release: u64,
    why: String,
    for_good: bool,
}

/// The task that tells capacity.
pub(super) struct Teller {
    settings: Arc<KubernetesSettings>,
    deployments: Watched<Deployment>,
    pods: Watched<Pod>,
    /// What agents on the nodes tell, for as long as the watches do not.
    nodes: watch::Receiver<Nodes>,
    events: mpsc::Sender<Event>,
    places: Vec<Place>,
}

impl Teller {
    pub(super) fn new(
        settings: Arc<KubernetesSettings>,
        deployments: Watched<Deployment>,
        pods: Watched<Pod>,
        heard: &Heard,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let place =
            |component| Colour::BOTH.map(|colour| Place { component, colour, awaited: None, stuck: None, told: None });
        let places = (0..settings.components.len()).flat_map(place).collect();
        Self { settings, deployments, pods, nodes: heard.watch(), events, places }
    }

    pub(super) async fn run(mut self, mut answers: mpsc::Receiver<Answer>) {
        loop {
            tokio::select! {
                answer = answers.recv() => match answer {
                    Some(answer) => self.hear(answer),
                    None => return,
                },
                there = self.deployments.changed() => if !there { return },
                there = self.pods.changed() => if !there { return },
                there = self.nodes.changed() => if there.is_err() { return },
            }
            self.tell().await;
        }
    }

    fn hear(&mut self, answer: Answer) {
        let is_it = |place: &&mut Place| place.component == answer.component && place.colour == answer.colour;
        let Some(place) = self.places.iter_mut().find(is_it) else { return };
        place.stuck = None;
        match answer.outcome {
            Outcome::Taken => return,
            Outcome::Ended => {}
            Outcome::Started { state, version, release } => place.awaited = Some((state, version, release)),
            Outcome::Held { version, release, why } => {
                place.stuck = Some(Stuck { version, release, why, for_good: false });
            }
            Outcome::Refused { version, release, why } => {
                place.stuck = Some(Stuck { version, release, why, for_good: true });
            }
        }
        // An order's answer is told whether or not it is another than before.
        place.told = None;
    }

    async fn tell(&mut self) {
        let (settings, places) = (&self.settings, &mut self.places);
        let pods = &mut self.pods;
        let nodes = self.nodes.borrow_and_update().clone();
        let seen: Vec<Capacity> = self.deployments.look_and_note(|deployments| {
            pods.look_and_note(|pods| {
                if !deployments.is_complete() || !pods.is_complete() {
                    return Vec::new();
                }
                if deployments.is_current() && pods.is_current() {
                    return places.iter_mut().filter_map(|place| place.news(settings, deployments, pods)).collect();
                }
                // Not to be known is not the same as zero.
                let told = |place: &mut Place| {
                    let name = settings.components[place.component].deployment(place.colour);
                    let pods = pods.objects().map(AsRef::as_ref);
                    place.told_by(&nodes, settings, deployments.named(&name)?, pods)
                };
                places.iter_mut().filter_map(told).collect()
            })
        });
        for capacity in seen {
            let _ended = self.events.send(Event::Capacity(capacity)).await;
        }
    }
}

impl Place {
    /// What is to be told now, where it is another thing than was told last.
    fn news(
        &mut self,
        settings: &KubernetesSettings,
        deployments: &View<Deployment>,
        pods: &View<Pod>,
    ) -> Option<Capacity> {
        let component = &settings.components[self.component];
        let name = component.deployment(self.colour);
        let mut seen = match deployments.named(&name) {
            None => self.nothing(format!("Deployment {name} is not there")),
            Some(deployment) => {
                if let Some((state, version, release)) = self.awaited.take() {
                    if state.is_lost_in(deployment) {
                        let why = format!(
                            "Deployment {name} was deleted and made anew after release {release} was started there: deploy again"
                        );
                        tracing::warn!(why, "an order is lost");
                        self.stuck = Some(Stuck { version, release, why, for_good: true });
                    } else if !state.is_seen_in(deployment) {
                        self.awaited = Some((state, version, release));
                        return None;
                    }
                }
                let pods = pods.objects().map(AsRef::as_ref);
                capacity::of(self.component, component, self.colour, deployment, pods)
            }
        };
        if let Some(Stuck { version, release, why, for_good }) = &self.stuck {
            // What is ready there stays so, it may be serving; what was ordered is not among it, and wanted as long as it may come.
            let (version, ready) = (Some(version.clone()), seen.ready);
            let wanted = if *for_good { 0 } else { ready + 1 };
            seen = Capacity { version, release: *release, ready, wanted, ..self.nothing(why.clone()) };
        }
        (self.told.as_ref() != Some(&seen)).then(|| self.told.insert(seen).clone())
    }

    /// What agents on the nodes tell, where that is certain and another thing than was told last; Deployment and Pods are as they
    /// were seen last.
    pub(super) fn told_by<'a>(
        &mut self,
        nodes: &Nodes,
        settings: &KubernetesSettings,
        deployment: &Deployment,
        pods: impl Iterator<Item = &'a Pod>,
    ) -> Option<Capacity> {
        if self.awaited.is_some() || self.stuck.is_some() {
            // The Deployment that was seen last is not the one that was ordered.
            return None;
        }
        let of = (self.component, &settings.components[self.component], self.colour);
        let seen = node_agents::capacity(of, deployment, pods, nodes, Instant::now())?;
        (self.told.as_ref() != Some(&seen)).then(|| self.told.insert(seen).clone())
    }

    fn nothing(&self, failure: String) -> Capacity {
        capacity::missing(self.component, self.colour, failure)
    }
}
