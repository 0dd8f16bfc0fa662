//! The adapter against an API server that holds objects.

mod capacity;
mod careful;
mod keeping;
mod node_agents;
mod orders;
mod room;
mod selecting;
mod troubles;

use std::collections::BTreeSet;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace, Service};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use teal_rollout::machine::event::Capacity;
use teal_testkit::PATIENCE;
use teal_testkit::kubernetes::{ApiServer, World};
use tokio::time::timeout;

use super::*;
use crate::cluster::client::{Settings, connect};

const NAMESPACE: &str = "site-prod";

/// One component, `app`: `v1` serves from blue in two Pods, green is empty.
struct Rig {
    server: ApiServer,
    settings: KubernetesSettings,
    /// That of the adapter: bounded, as the agent's own.
    client: kube::Client,
    heard: Heard,
    orders: mpsc::Sender<PlatformOrder>,
    events: mpsc::Receiver<Event>,
    token: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Self {
        let server = ApiServer::start();
        let client = server.client_as_controllers();
        create(&Api::<Namespace>::all(client.clone()), json!({"metadata": {"name": NAMESPACE}})).await;
        let deployments = Api::<Deployment>::namespaced(client.clone(), NAMESPACE);
        create(&deployments, deployment(Colour::Blue, "v1", 2)).await;
        create(&deployments, deployment(Colour::Green, "v1", 0)).await;
        let selector = json!({"app": "app", "version": "blue"});
        let service = json!({"metadata": {"name": "app"}, "spec": {"selector": selector, "ports": [{"port": 80}]}});
        create(&Api::<Service>::namespaced(client, NAMESPACE), service).await;
        let folder = teal_testkit::folder();
        let path = folder.path().join("kubeconfig");
        std::fs::write(&path, server.kubeconfig("admin")).unwrap();
        let client = connect(&Settings { kubeconfig: Some(path), context: None }).await.unwrap().client;
        let component = KubernetesComponent { workload: "app".into(), container: None, replicas: None, secrets: true };
        let settings = KubernetesSettings { namespace: NAMESPACE.into(), components: vec![component], selects: true };
        let heard = Heard::default();
        let (orders, events, token) = adapter(&settings, &client, &heard);
        let mut rig = Self { server, settings, client, heard, orders, events, token, _folder: folder };
        rig.settle().await;
        rig.told("blue serves", |it| it.colour == Colour::Blue && it.ready == 2).await;
        rig
    }

    /// One more component, whose `v1` serves from blue in so many Pods.
    async fn add(&mut self, name: &str, replicas: u32) {
        for (colour, replicas) in Colour::BOTH.into_iter().zip([replicas, 0]) {
            let mut other = deployment(colour, "v1", replicas);
            let labels = json!({"app": name, "version": colour.to_string()});
            other["metadata"]["name"] = json!(format!("{name}-{colour}"));
            other["spec"]["selector"]["matchLabels"] = labels.clone();
            other["spec"]["template"]["metadata"]["labels"] = labels;
            self.create::<Deployment>(other).await;
        }
        let component = KubernetesComponent { workload: name.into(), ..self.settings.components[0].clone() };
        self.settings.components.push(component);
        self.settle().await;
        self.restart();
        self.told("it serves", |it| it.component > 0 && it.colour == Colour::Blue && it.ready == replicas).await;
    }

    /// Another adapter in place of this one.
    fn restart(&mut self) {
        self.token.cancel();
        (self.orders, self.events, self.token) = adapter(&self.settings, &self.client, &self.heard);
    }

    async fn settle(&self) {
        World::of(&self.server, NAMESPACE).settle().await;
    }

    async fn start_order(&self, colour: Colour, version: &str, release: u64) {
        self.order(PlatformOrder::Start { component: 0, colour, version: version.into(), release }).await;
    }

    async fn order(&self, order: PlatformOrder) {
        self.orders.send(order).await.unwrap();
    }

    /// A release that is up on green.
    async fn release(&mut self, version: &str, release: u64) -> Capacity {
        self.start_order(Colour::Green, version, release).await;
        self.told("it is wanted", |it| it.colour == Colour::Green && it.release == release && it.wanted > 0).await;
        self.settle().await;
        self.told("it is ready", |it| it.colour == Colour::Green && it.release == release && it.ready == it.wanted)
            .await
    }

    /// The next event that `pick` takes.
    async fn next<T>(&mut self, what: &str, pick: impl Fn(Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the adapter runs");
                if let Some(found) = pick(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("never told: {what}"))
    }

    async fn told(&mut self, what: &str, is: impl Fn(&Capacity) -> bool) -> Capacity {
        let pick = |event| match event {
            Event::Capacity(capacity) if is(&capacity) => Some(capacity),
            _ => None,
        };
        self.next(what, pick).await
    }

    /// Everything that was ordered before has been tried: blue is marked with a release, which changes nothing else.
    async fn all_tried(&mut self, release: u64) {
        self.start_order(Colour::Blue, "v1", release).await;
        self.told("blue is marked", |it| it.colour == Colour::Blue && it.release == release).await;
    }

    fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.server.client_as_controllers(), NAMESPACE)
    }

    async fn deployment(&self, colour: Colour) -> Value {
        serde_json::to_value(self.api::<Deployment>().get(&format!("app-{colour}")).await.unwrap()).unwrap()
    }

    async fn create<K>(&self, object: Value)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned,
    {
        create(&self.api::<K>(), object).await;
    }

    async fn patch<K>(&self, name: &str, patch: Value)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        self.api::<K>().patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    }

    /// What the adapter asked for: verbs and resources.
    fn used(&self) -> BTreeSet<(String, String)> {
        self.server.used_by("admin").into_iter().map(|used| (used.verb, used.resource)).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

fn adapter(
    settings: &KubernetesSettings,
    client: &kube::Client,
    heard: &Heard,
) -> (mpsc::Sender<PlatformOrder>, mpsc::Receiver<Event>, CancellationToken) {
    let (orders, taken) = mpsc::channel(16);
    let (tell, events) = mpsc::channel(1024);
    let token = CancellationToken::new();
    drop(spawn(settings.clone(), client.clone(), heard, taken, &tell, &token));
    (orders, events, token)
}

async fn create<K>(api: &Api<K>, object: Value)
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned,
{
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
}

fn deployment(colour: Colour, version: &str, replicas: u32) -> Value {
    let labels = json!({"app": "app", "version": colour.to_string()});
    json!({
        "metadata": {"name": format!("app-{colour}")},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": format!("site/app:{version}")}]},
        }},
    })
}
