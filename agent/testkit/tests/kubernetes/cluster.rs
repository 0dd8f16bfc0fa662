//! What a case works on: a client, a namespace of its own, and what differs between the fake and a real server.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use kube::core::{NamespaceResourceScope, Status};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use teal_testkit::kubernetes::{ApiServer, ControlPlane};

pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) fake: Option<Arc<ApiServer>>,
    /// Of a user without rights but those that the case gives it.
    pub(crate) user: String,
    pub(crate) user_client: Client,
}

impl Cluster {
    pub(crate) async fn fake() -> Self {
        let server = Arc::new(ApiServer::start());
        let (client, user_client) = (server.client(), server.client_as("alice"));
        Self::new(client, user_client, Some(server)).await
    }

    pub(crate) async fn real(plane: &ControlPlane) -> Self {
        Self::new(plane.client("admin"), plane.client("alice"), None).await
    }

    async fn new(client: Client, user_client: Client, fake: Option<Arc<ApiServer>>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let namespace = format!("case-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let made = from(json!({"metadata": {"name": namespace}}));
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &made).await.unwrap();
        Self { client, namespace, fake, user: "alice".to_owned(), user_client }
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates an object from JSON.
    pub(crate) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
    {
        self.api::<K>().create(&PostParams::default(), &from(object)).await.unwrap()
    }

    /// Sends a request that the typed client has no words for.
    pub(crate) async fn raw(&self, method: &str, path: &str, content_type: &str, body: &Value) -> kube::Result<Value> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(body.to_string().into_bytes())
            .unwrap();
        self.client.request(request).await
    }
}

pub(crate) fn from<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// The Status of a refused request.
pub(crate) fn refused<T: Debug>(result: kube::Result<T>) -> Box<Status> {
    match result.unwrap_err() {
        kube::Error::Api(status) => status,
        other => panic!("not refused by the server: {other:?}"),
    }
}

/// Checks code, reason and a part of the message of a refusal.
pub(crate) fn is_refused<T: Debug>(result: kube::Result<T>, code: u16, reason: &str, part: &str) {
    let status = refused(result);
    assert_eq!((status.code, status.reason.as_str()), (code, reason), "{status:?}");
    assert!(status.message.contains(part), "{part:?} is not in {:?}", status.message);
}

pub(crate) fn version(object: &impl kube::ResourceExt) -> u64 {
    object.resource_version().unwrap().parse().unwrap()
}

pub(crate) fn names<K: kube::ResourceExt>(objects: &[K]) -> Vec<String> {
    objects.iter().map(|object| object.name_any()).collect()
}

/// A Deployment of `replicas` Pods with one container `api`.
pub(crate) fn deployment(name: &str, replicas: i32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "api", "image": "api:1", "env": [{"name": "A", "value": "1"}],
                    "ports": [{"containerPort": 8080}],
                }]},
            },
        },
    })
}

pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": name}}, "data": data})
}

/// A Pod, on `node` unless that is "".
pub(crate) fn pod(name: &str, node: &str) -> Value {
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "api"}},
        "spec": {"containers": [{"name": "api", "image": "api:1"}]},
    });
    if !node.is_empty() {
        pod["spec"]["nodeName"] = json!(node);
    }
    pod
}
