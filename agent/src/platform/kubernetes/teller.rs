//! Tells what each colour can do, as the watches show it and as soon as they do: no request of ours is waited for.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use teal_rollout::colour::Colour;
use teal_rollout::machine::event::{Capacity, Event};
use tokio::sync::mpsc;

use super::capacity;
use super::hands::{Answer, Outcome};
use super::settings::KubernetesSettings;
use super::workload::State;
use crate::cluster::watch::{View, Watched};

/// One colour of a component, and what was said of it.
#[derive(Debug)]
struct Place {
    component: usize,
    colour: Colour,
    /// The Deployment says nothing of an order before this state of it is seen.
    awaited: Option<State>,
    /// An order that only a person can help: version, release, why.
    refused: Option<(String, u64, String)>,
    told: Option<Capacity>,
}

/// The task that tells capacity.
pub(super) struct Teller {
    settings: Arc<KubernetesSettings>,
    deployments: Watched<Deployment>,
    pods: Watched<Pod>,
    events: mpsc::Sender<Event>,
    places: Vec<Place>,
}

impl Teller {
    pub(super) fn new(
        settings: Arc<KubernetesSettings>,
        deployments: Watched<Deployment>,
        pods: Watched<Pod>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let place = |component| {
            Colour::BOTH.map(|colour| Place { component, colour, awaited: None, refused: None, told: None })
        };
        let places = (0..settings.components.len()).flat_map(place).collect();
        Self { settings, deployments, pods, events, places }
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
            }
            self.tell().await;
        }
    }

    fn hear(&mut self, answer: Answer) {
        let is_it = |place: &&mut Place| place.component == answer.component && place.colour == answer.colour;
        let Some(place) = self.places.iter_mut().find(is_it) else { return };
        match answer.outcome {
            Outcome::Taken => place.refused = None,
            Outcome::Ended(state) => {
                place.awaited = state.or(place.awaited.take());
                // An order's answer is told whether or not it is another than before.
                place.told = None;
            }
            Outcome::Refused { version, release, why } => {
                (place.refused, place.told) = (Some((version, release, why)), None);
            }
        }
    }

    async fn tell(&mut self) {
        let (settings, places) = (&self.settings, &mut self.places);
        let pods = &mut self.pods;
        let seen = self.deployments.look_and_note(|deployments| {
            pods.look_and_note(|pods| {
                let is_known = deployments.is_current() && pods.is_current();
                // Not to be known is not the same as zero.
                if !is_known || !deployments.is_complete() || !pods.is_complete() {
                    return Vec::new();
                }
                places.iter_mut().filter_map(|place| place.news(settings, deployments, pods)).collect()
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
                if self.awaited.as_ref().is_some_and(|awaited| !awaited.is_seen_in(deployment)) {
                    return None;
                }
                self.awaited = None;
                let pods = pods.objects().map(AsRef::as_ref);
                capacity::of(self.component, component, self.colour, deployment, pods)
            }
        };
        if let Some((version, release, why)) = &self.refused {
            seen = Capacity { version: Some(version.clone()), release: *release, ..self.nothing(why.clone()) };
        }
        (self.told.as_ref() != Some(&seen)).then(|| self.told.insert(seen).clone())
    }

    fn nothing(&self, failure: String) -> Capacity {
        Capacity {
            component: self.component,
            colour: self.colour,
            release: 0,
            version: None,
            ready: 0,
            wanted: 0,
            crash_looping: 0,
            failure: Some(failure),
        }
    }
}
