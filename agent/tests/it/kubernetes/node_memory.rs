//! What an agent on a node costs: its memory with as many Pods as a node has at most, and what it asks of the API server.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use teal_agent::api::Observation;
use teal_testkit::kubernetes::ApiServer;
use teal_testkit::{free_port, until};

use crate::said;

/// What a kubelet takes by default.
const PODS: u32 = 110;
/// Its limit in `manifests/components/node-agents`, KiB.
const LIMIT: u64 = 64 * 1024;

/// A Pod as clusters have them: most of it is of no use to an observer.
fn pod(number: u32) -> Value {
    let variables: Vec<Value> = (0..40)
        .map(|at| json!({"name": format!("SETTING_{at}"), "value": format!("http://service-{at}.physioflow-prod.svc:8080")}))
        .collect();
    let mounts: Vec<Value> = (0..8)
        .map(|at| json!({"name": format!("volume-{at}"), "mountPath": format!("/mnt/{at}"), "readOnly": true}))
        .collect();
    let volumes: Vec<Value> = (0..8)
        .map(|at| json!({"name": format!("volume-{at}"), "configMap": {"name": format!("configuration-{at}"), "defaultMode": 420}}))
        .collect();
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 2});
    json!({
        "metadata": {
            "name": format!("site-app-blue-7c9-{number:05}"),
            "labels": {"app": "site-app", "version": "blue", "pod-template-hash": "7c9"},
            "annotations": {"example/checksum": "0123456789abcdef".repeat(8)},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "site-app-blue-7c9", "uid": "u", "controller": true,
            }],
        },
        "spec": {
            "nodeName": "node-1", "volumes": volumes,
            "containers": [{
                "name": "app", "image": "registry.example/site/app:v1", "env": variables, "volumeMounts": mounts,
                "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe,
            }],
        },
    })
}

async fn fill(server: &ApiServer) -> usize {
    let client = server.client();
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": "site-prod"}})).unwrap();
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client, "site-prod");
    let status = json!({"status": {
        "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{
            "name": "app", "image": "registry.example/site/app:v1", "imageID": "", "ready": true, "restartCount": 1,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        }],
    }});
    let mut bytes = 0;
    for number in 0..PODS {
        let pod: Pod = serde_json::from_value(pod(number)).unwrap();
        let name = pod.metadata.name.clone().unwrap();
        pods.create(&PostParams::default(), &pod).await.unwrap();
        let pod = pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        bytes = serde_json::to_string(&pod).unwrap().len();
    }
    bytes
}

/// KiB, as the system has them.
fn memory(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_observer_of_a_full_node_keeps_within_its_limit_and_asks_for_nothing_beside_its_watch() {
    let server = ApiServer::start();
    let size = fill(&server).await;
    let told: Arc<Mutex<Vec<Observation>>> = Arc::default();
    let (listener, taken) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), told.clone());
    let edge = listener.local_addr().unwrap();
    let take = async move |body: String| taken.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    let router = Router::new().route("/api/v1/environments/prod/observations", post(take));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let folder = teal_testkit::folder();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, server.kubeconfig("admin")).unwrap();
    std::fs::write(folder.path().join("token"), "x").unwrap();
    let toml = format!(
        "app = \"site\"\nstate = \"state\"\nplatform = {{ kind = \"kubernetes\", kubeconfig = \"{}\" }}\n\
         environments.prod = {{}}\ncomponents.app = {{}}\n[agent]\nlisten = \"127.0.0.1:{}\"\nroles = [\"observer\"]\n\
         node = \"node-1\"\nreport_to = [\"http://{edge}\"]\ntoken_file = \"token\"\n",
        kubeconfig.display(),
        free_port(),
    );
    std::fs::write(folder.path().join("teal.toml"), toml).unwrap();
    let mut child =
        said::command(folder.path(), &["agent"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pods = || {
        told.lock().unwrap().last().and_then(|it| it.groups.as_ref()?.first().map(|group| (group.pods, group.ready)))
    };
    until("all Pods are told", || async { (pods() == Some((PODS, PODS))).then_some(()) }).await;
    server.forget_used();
    let before = told.lock().unwrap().len();
    until("it rests", || async { (told.lock().unwrap().len() >= before + 4).then_some(()) }).await;
    let (all, own) = (memory(child.id(), "VmHWM"), memory(child.id(), "RssAnon"));
    let asked: Vec<String> = server.used().into_iter().map(|used| used.verb).collect();
    println!(
        "an observer with {PODS} Pods of {size} bytes: {own} KiB of its own, with the program at most {all}; asked at rest: {asked:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    serving.abort();
    // The rest is the program's file, which a debug build makes several times larger and the system drops when it must.
    assert!(own < LIMIT / 2, "{own} KiB");
    assert!(asked.iter().all(|verb| verb == "watch"), "{asked:?}");
}
