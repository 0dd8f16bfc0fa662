//! Kubernetes Events, for `kubectl describe`: what happened, as far as it can be told.
//!
//! Each is an object of its own. The recorder of kube's runtime adds events of the same reason and action to one for six
//! minutes and drops what the later ones say: the second switch would not be told.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Resource as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::cluster::client::brief;
use crate::cluster::resource::BlueGreen;
use crate::cluster::watch::Watched;

/// Told and not yet written; more are dropped.
const WAITING: usize = 64;
/// Between two.
const EVERY: Duration = Duration::from_millis(200);
/// Characters of a note that the server takes.
const NOTE: usize = 1_024;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// One word in CamelCase, with the colour where there is one: `SwitchedToGreen`.
    pub reason: String,
    /// What was done: `Switch`.
    pub action: String,
    /// A sentence.
    pub note: String,
    /// Whether somebody should look.
    pub is_warning: bool,
}

/// The way to tell. Cheap to clone, and never waits.
#[derive(Clone, Debug)]
pub struct Teller {
    told: mpsc::Sender<Told>,
}

impl Teller {
    /// Tells it if that can be; nothing depends on it.
    pub fn tell(&self, told: Told) {
        if self.told.try_send(told).is_err() {
            tracing::debug!("an event was not told: too many wait");
        }
    }
}

/// Tells until `stop`.
#[must_use]
pub fn spawn(
    client: &kube::Client,
    settings: Settings,
    watched: Watched<BlueGreen>,
    stop: CancellationToken,
) -> (Teller, JoinHandle<()>) {
    let api: Api<Event> = Api::namespaced(client.clone(), &settings.namespace);
    let (told, mut waiting) = mpsc::channel(WAITING);
    let telling = async move {
        while let Some(told) = waiting.recv().await {
            let about = watched.look(|view| view.named(&settings.name).map(|object| object.metadata.clone()));
            let event = event(&settings, about.unwrap_or_default(), told);
            if let Err(error) = api.create(&PostParams::default(), &event).await {
                tracing::debug!(error = brief(&error), "an event was not told");
            }
            sleep(EVERY).await;
        }
    };
    let task = tokio::spawn(async move {
        let _ = stop.run_until_cancelled(telling).await;
    });
    (Teller { told }, task)
}

fn event(settings: &Settings, about: ObjectMeta, told: Told) -> Event {
    let now = Timestamp::now();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{:016x}", settings.name, fastrand::u64(..))),
            namespace: Some(settings.namespace.clone()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(BlueGreen::api_version(&()).into_owned()),
            kind: Some(BlueGreen::kind(&()).into_owned()),
            name: Some(settings.name.clone()),
            namespace: Some(settings.namespace.clone()),
            uid: about.uid,
            resource_version: about.resource_version,
            ..ObjectReference::default()
        },
        type_: Some(if told.is_warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(told.reason),
        action: Some(told.action),
        message: Some(told.note.chars().take(NOTE).collect()),
        count: Some(1),
        first_timestamp: Some(Time(now)),
        last_timestamp: Some(Time(now)),
        event_time: Some(MicroTime(now)),
        source: Some(EventSource { component: Some("teal".to_owned()), host: Some(settings.agent.clone()) }),
        reporting_component: Some("teal.trancloud.work/agent".to_owned()),
        reporting_instance: Some(settings.agent.clone()),
        series: None,
        related: None,
    }
}
