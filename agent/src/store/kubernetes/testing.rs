//! A fake cluster with the resource's definition, for tests of this port.

use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, CustomResourceExt as _};
use serde_json::{Value, json};
use teal_rollout::document::Document;
use teal_testkit::kubernetes::ApiServer;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Opened, Settings, open, watched};
use crate::cluster::client::{self, Limits};
use crate::cluster::resource::BlueGreen;
use crate::cluster::watch::Watched;

/// The namespace that is there from the start, and the resource in it.
pub(crate) const NAME: &str = "demo";

/// A server and what reaches it.
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    pub(crate) client: kube::Client,
    pub(crate) api: Api<BlueGreen>,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl Cluster {
    pub(crate) async fn new() -> Self {
        let server = ApiServer::start();
        let definitions = Api::all(server.client());
        definitions.create(&PostParams::default(), &BlueGreen::crd()).await.unwrap();
        let limits = Limits { answer: std::time::Duration::from_secs(1), ..Limits::default() };
        let client = client::with(server.config("admin"), limits).unwrap().client;
        let stop = CancellationToken::new();
        Self { api: Api::default_namespaced(server.client()), server, client, _guard: stop.clone().drop_guard(), stop }
    }

    pub(crate) fn settings(agent: &str) -> Settings {
        Settings { namespace: "default".to_owned(), name: NAME.to_owned(), agent: agent.to_owned() }
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.child_token()
    }

    pub(crate) fn watched(&self) -> Watched<BlueGreen> {
        watched(&self.client, &Self::settings("edge"), self.stop()).0
    }

    pub(crate) async fn opened(&self, copy: Option<Document>) -> Opened {
        open(&self.client, &Self::settings("edge"), self.watched(), copy).await
    }

    /// As somebody else writes it.
    pub(crate) async fn patch(&self, patch: Value) {
        self.api.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn order(&self, id: &str, order: &str, versions: Value) {
        self.patch(json!({"spec": {"intent": {"id": id, "order": order, "versions": versions, "by": "ops"}}})).await;
    }

    pub(crate) async fn object(&self) -> BlueGreen {
        self.api.get(NAME).await.unwrap()
    }

    /// Requests about the resource that are no watch.
    pub(crate) fn asked(&self) -> usize {
        let is_one =
            |used: &&teal_testkit::kubernetes::Used| used.verb != "watch" && used.resource.starts_with("bluegreens");
        self.server.used().iter().filter(is_one).count()
    }
}
