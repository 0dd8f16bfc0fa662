//! A cluster for one test: an API server that holds objects, its controllers and nodes, and what runs on them.
//!
//! ```text
//!  Deployment NAME-COLOUR --World--> Pods, ready by their fate --nodes--> `teal sample-app` on the colour's node port
//! ```
//! A colour has one process, as a node port has one address; it runs the version of the Pods that are ready.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, CustomResourceExt as _, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use teal_agent::cluster::resource::BlueGreen;
use teal_rollout::colour::Colour;
use teal_testkit::kubernetes::{ApiServer, ControlPlane, Fate, World};
use teal_testkit::{free_port, until};
use tokio::sync::{mpsc, oneshot};

use super::server::Server;
use crate::manifests::roles::roles_of;
use crate::site::{OnCluster, Plan, Site, TEAL};

/// What an environment's namespace is called: `APP-ENVIRONMENT`.
pub(super) const NAMESPACE: &str = "site-prod";

/// The agent, to the API server: with the rights that the manifests give it, and no others.
pub(super) const AGENT: &str = "system:serviceaccount:site-prod:teal-controller";

/// How often controllers and nodes look.
const TURN: Duration = Duration::from_millis(10);

/// What the test has happen to the cluster.
enum Happens {
    Fate(String, Fate),
    Drain(String),
    /// Until nothing changes any more.
    Settle,
    /// Controllers and nodes do nothing until told to wake: their API server is about to go.
    Sleep,
    Wake,
}

/// The cluster; its nodes run until it is dropped.
pub(super) struct Cluster {
    server: Server,
    happens: mpsc::UnboundedSender<(Happens, oneshot::Sender<()>)>,
    nodes: tokio::task::JoinHandle<()>,
    ports: BTreeMap<String, [u16; 2]>,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// On the fake, with these components, whose blue colour runs `version` in `replicas` Pods.
    pub(super) async fn start(components: &[&str], version: &str, replicas: u32) -> Self {
        Self::on(Server::Fake(Arc::new(ApiServer::start())), components, version, replicas).await
    }

    /// As [`Self::start`], on a real control plane where there is one to start.
    pub(super) async fn start_real(components: &[&str], version: &str, replicas: u32) -> Option<Self> {
        let plane = ControlPlane::start_if_named(&[AGENT]).await?;
        Some(Self::on(Server::Real(Arc::new(plane)), components, version, replicas).await)
    }

    async fn on(server: Server, components: &[&str], version: &str, replicas: u32) -> Self {
        let folder = teal_testkit::folder();
        std::fs::create_dir(folder.path().join("faults")).unwrap();
        let ports: BTreeMap<String, [u16; 2]> =
            components.iter().map(|name| ((*name).to_owned(), [free_port(), free_port()])).collect();
        let client = server.client();
        create(&Api::<Namespace>::all(client.clone()), json!({"metadata": {"name": NAMESPACE}})).await;
        let definition = serde_json::to_value(BlueGreen::crd()).unwrap();
        create(&Api::<CustomResourceDefinition>::all(client.clone()), definition).await;
        for object in roles_of("site", components) {
            match object["kind"].as_str() {
                Some("Role") => create(&Api::<Role>::namespaced(client.clone(), NAMESPACE), object).await,
                Some("RoleBinding") => create(&Api::<RoleBinding>::namespaced(client.clone(), NAMESPACE), object).await,
                _ => create(&Api::<ServiceAccount>::namespaced(client.clone(), NAMESPACE), object).await,
            }
        }
        for name in components {
            for colour in Colour::BOTH {
                let replicas = if colour == Colour::Blue { replicas } else { 0 };
                create(
                    &Api::<Deployment>::namespaced(client.clone(), NAMESPACE),
                    deployment(name, colour, version, replicas),
                )
                .await;
            }
            create(&Api::<Service>::namespaced(client.clone(), NAMESPACE), service(name)).await;
        }
        let (happens, happening) = mpsc::unbounded_channel();
        let nodes = Nodes {
            server: server.clone(),
            fates: BTreeMap::new(),
            ports: ports.clone(),
            faults: folder.path().join("faults"),
            running: BTreeMap::new(),
        };
        let nodes = tokio::spawn(nodes.run(happening));
        Self { server, happens, nodes, ports, folder }
    }

    /// What only the fake can do: break on order, and tell what was asked of it.
    pub(super) fn fake(&self) -> &ApiServer {
        match &self.server {
            Server::Fake(server) => server,
            Server::Real(_) => panic!("a real API server does not break on order"),
        }
    }

    /// The plan of a site in front of it.
    pub(super) fn plan(&self) -> Plan {
        let kubeconfig = self.kubeconfig(AGENT).display().to_string();
        Site::new().on_cluster(OnCluster { kubeconfig, ports: self.ports.clone() })
    }

    /// A file by which `user` reaches the API server.
    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{}.kubeconfig", user.replace(':', "-")));
        std::fs::write(&path, self.server.kubeconfig(user)).unwrap();
        path
    }

    /// Lets a user read the whole namespace and change nothing.
    pub(super) async fn may_look(&self, user: &str) {
        let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]);
        create(&self.api::<Role>(), json!({"metadata": {"name": user}, "rules": rules})).await;
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        create(&self.api::<RoleBinding>(), binding).await;
    }

    /// The node ports of blue and green.
    pub(super) fn ports_of(&self, component: &str) -> [u16; 2] {
        self.ports[component]
    }

    /// Gives a version its fault.
    pub(super) fn fault(&self, version: &str, fault: &str) {
        std::fs::write(self.folder.path().join("faults").join(version), fault).unwrap();
    }

    /// What becomes of the Pods of a colour from now on.
    pub(super) async fn fate(&self, component: &str, colour: Colour, fate: Fate) {
        self.happen(Happens::Fate(format!("site-{component}-{colour}"), fate)).await;
    }

    pub(super) async fn drain(&self, node: &str) {
        self.happen(Happens::Drain(node.to_owned())).await;
    }

    /// Waits until controllers and nodes have nothing more to do.
    pub(super) async fn settle(&self) {
        self.happen(Happens::Settle).await;
    }

    /// The API server goes away, with every connection to it.
    pub(super) async fn lose_api(&self) {
        self.happen(Happens::Sleep).await;
        self.fake().stop().await;
    }

    /// It comes back with all that it had.
    pub(super) async fn regain_api(&self) {
        self.fake().start_again();
        self.happen(Happens::Wake).await;
    }

    async fn happen(&self, what: Happens) {
        let (done, is_done) = oneshot::channel();
        assert!(self.happens.send((what, done)).is_ok(), "the nodes have ended");
        is_done.await.expect("the nodes have ended");
    }

    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.server.client(), NAMESPACE)
    }

    /// The colour a component's Service selects.
    pub(super) async fn selects(&self, component: &str) -> String {
        let service = self.api::<Service>().get(&format!("site-{component}")).await.unwrap();
        service.spec.unwrap().selector.unwrap()["version"].clone()
    }

    pub(super) async fn wait_selects(&self, component: &str, colour: Colour) {
        let selects = || async { (self.selects(component).await == colour.to_string()).then_some(()) };
        until(&format!("the Service of {component} selects {colour}"), selects).await;
    }

    /// As a script does it: `kubectl patch service`.
    pub(super) async fn select(&self, component: &str, colour: Colour) {
        let patch = json!({"spec": {"selector": {"version": colour.to_string()}}});
        let name = format!("site-{component}");
        self.api::<Service>().patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// As a script does it: `kubectl set image` and `kubectl scale`.
    pub(super) async fn run(&self, component: &str, colour: Colour, version: &str, replicas: u32) {
        let image = format!("registry.example/site/{component}:{version}");
        let patch = json!({"spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": component, "image": image}]}},
        }});
        let name = format!("site-{component}-{colour}");
        self.api::<Deployment>().patch(&name, &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
    }

    pub(super) async fn deployment(&self, component: &str, colour: Colour) -> Deployment {
        self.api::<Deployment>().get(&format!("site-{component}-{colour}")).await.unwrap()
    }

    /// Gives both colours a ConfigMap and a Secret, with a limit in the ConfigMap.
    pub(super) async fn configure(&self, component: &str, limit: &str) {
        create(&self.api::<ConfigMap>(), json!({"metadata": {"name": "settings"}, "data": {"LIMIT": limit}})).await;
        create(&self.api::<Secret>(), json!({"metadata": {"name": "keys"}, "stringData": {"KEY": "k"}})).await;
        let sources = json!([{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}]);
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": component, "envFrom": sources}]}}}});
        for colour in Colour::BOTH {
            let (name, patch) = (format!("site-{component}-{colour}"), Patch::Strategic(&patch));
            self.api::<Deployment>().patch(&name, &PatchParams::default(), &patch).await.unwrap();
        }
    }

    /// Waits until a colour is wanted in so many Pods.
    pub(super) async fn wait_replicas(&self, component: &str, colour: Colour, replicas: i32) {
        let wanted = || async {
            (self.deployment(component, colour).await.spec.unwrap().replicas == Some(replicas)).then_some(())
        };
        until(&format!("{component}-{colour} has {replicas} replicas"), wanted).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.abort();
    }
}

/// What runs for the Pods that are ready.
struct Nodes {
    server: Server,
    /// What the test wants to become of a Deployment's Pods; they are ready otherwise, once what they run listens.
    fates: BTreeMap<String, Fate>,
    ports: BTreeMap<String, [u16; 2]>,
    faults: PathBuf,
    running: BTreeMap<(String, Colour), Process>,
}

/// It ends with what runs it.
struct Process {
    version: String,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nodes {
    async fn run(mut self, mut happening: mpsc::UnboundedReceiver<(Happens, oneshot::Sender<()>)>) {
        let server = self.server.clone();
        let mut world = server.world(NAMESPACE);
        let mut turns = tokio::time::interval(TURN);
        let mut settling = Vec::new();
        let mut awake = true;
        loop {
            tokio::select! {
                _ = turns.tick(), if awake => {
                    let started = self.reconcile(&mut world).await;
                    if !world.step().await && !started {
                        for done in settling.drain(..) {
                            let _: Result<(), ()> = oneshot::Sender::send(done, ());
                        }
                    }
                }
                happens = happening.recv() => match happens {
                    Some((Happens::Settle, done)) => settling.push(done),
                    Some((what @ (Happens::Sleep | Happens::Wake), done)) => {
                        awake = matches!(what, Happens::Wake);
                        let _ = done.send(());
                    }
                    Some((Happens::Fate(deployment, fate), done)) => {
                        self.fates.insert(deployment, fate);
                        let _ = done.send(());
                    }
                    Some((Happens::Drain(node), done)) => {
                        world.drain(&node).await;
                        let _ = done.send(());
                    }
                    None => return,
                },
            }
        }
    }

    /// Starts and ends processes as the Pods are, which are ready when theirs listens; whether anything is on its way.
    async fn reconcile(&mut self, world: &mut World<'_>) -> bool {
        let client = self.server.client_as_controllers();
        let pods = Api::<Pod>::namespaced(client, NAMESPACE).list(&ListParams::default()).await;
        let Ok(pods) = pods else { return false };
        let mut changed = false;
        for (component, ports) in self.ports.clone() {
            for (colour, port) in Colour::BOTH.into_iter().zip(ports) {
                let deployment = format!("site-{component}-{colour}");
                let fate = self.fates.get(&deployment).cloned().unwrap_or_default();
                let newest = pods.items.iter().filter_map(|pod| version_of(pod, &component, colour)).max();
                let version = newest.map(|(_, version)| version).filter(|_| fate == Fate::Ready);
                let key = (component.clone(), colour);
                if self.running.get(&key).map(|process| &process.version) != version.as_ref() {
                    changed = true;
                    // The port is free before the next one takes it.
                    self.running.remove(&key);
                    if let Some(version) = &version {
                        self.running.insert(key, sample_app(port, version.clone(), colour, &self.faults));
                    }
                }
                let listens = version.is_none() || TcpStream::connect(("127.0.0.1", port)).is_ok();
                changed |= !listens;
                world.fate(&deployment, if fate == Fate::Ready && !listens { Fate::Starting } else { fate });
            }
        }
        changed
    }
}

fn sample_app(port: u16, version: String, colour: Colour, faults: &Path) -> Process {
    let mut command = Command::new(TEAL);
    command.args(["sample-app", "--port", &port.to_string(), "--version", &version]);
    command.args(["--colour", &colour.to_string(), "--faults"]).arg(faults);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    Process { version, child }
}

/// Whether the Pod stays, when it was written, and its image's tag, where it is one of this colour on a node.
fn version_of(pod: &Pod, component: &str, colour: Colour) -> Option<((bool, u64), String)> {
    let labels = pod.labels();
    let is_of =
        labels.get("app") == Some(&format!("site-{component}")) && labels.get("version") == Some(&colour.to_string());
    let spec = pod.spec.as_ref().filter(|spec| spec.node_name.is_some())?;
    let image = spec.containers.first()?.image.as_ref()?;
    let written = pod.metadata.resource_version.as_ref()?.parse().ok()?;
    // One that is being ended answers where there is no other yet.
    let stays = pod.metadata.deletion_timestamp.is_none();
    is_of.then(|| ((stays, written), image.rsplit(':').next().unwrap_or_default().to_owned()))
}

pub(super) async fn create<K>(api: &Api<K>, object: Value)
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

fn deployment(component: &str, colour: Colour, version: &str, replicas: u32) -> Value {
    let labels = json!({"app": format!("site-{component}"), "version": colour.to_string()});
    json!({
        "metadata": {"name": format!("site-{component}-{colour}"), "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": component,
                    "image": format!("registry.example/site/{component}:{version}"),
                }]},
            },
        },
    })
}

fn service(component: &str) -> Value {
    let selector = json!({"app": format!("site-{component}"), "version": "blue"});
    json!({
        "metadata": {"name": format!("site-{component}")},
        "spec": {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]},
    })
}
