//! Every object is taken by an API server as it is meant, and applying an overlay again takes nothing back.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::{Value, json};
use teal_testkit::kubernetes::ApiServer;

use super::{ALL, containers, id, kind, kustomize, list, of, one, pod, read, render, text};

/// A server that knows our definition.
pub(super) async fn server() -> (ApiServer, Client) {
    let server = ApiServer::start();
    let client = server.client();
    apply(&client, "kubectl", false, &kustomize::documents(&read("base/crd.yaml"))[0]).await.unwrap();
    (server, client)
}

fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let version = text(&object["apiVersion"]);
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind(object)));
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

async fn apply(client: &Client, manager: &str, force: bool, object: &Value) -> kube::Result<Value> {
    let mut params = PatchParams::apply(manager);
    params.force = force;
    let applied = api(client, object).patch(super::name(object), &params, &Patch::Apply(object)).await?;
    Ok(serde_json::to_value(applied).unwrap())
}

/// As `kubectl apply --server-side` does, Namespaces first.
pub(super) async fn apply_all(client: &Client, objects: &[Value]) -> Vec<String> {
    let mut refused = Vec::new();
    let (first, then): (Vec<_>, Vec<_>) = objects.iter().partition(|object| kind(object) == "Namespace");
    for object in first.into_iter().chain(then) {
        match apply(client, "kubectl", false, object).await {
            Ok(taken) => lost(object, &taken, &id(object), &mut refused),
            Err(error) => refused.push(format!("{}: {error}", id(object))),
        }
    }
    refused
}

/// What was sent and is not there: a field that the server does not know, which is how a slip of the pen ends.
fn lost(sent: &Value, taken: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, taken) {
        (Value::Object(sent), Value::Object(taken)) => {
            for (field, value) in sent {
                lost(value, taken.get(field).unwrap_or(&Value::Null), &format!("{path}.{field}"), found);
            }
        }
        // Another owner's items may stand beside those that were sent.
        (Value::Array(sent), Value::Array(taken)) if sent.iter().all(|item| item["name"].is_string()) => {
            for item in sent {
                let there = taken.iter().find(|there| there["name"] == item["name"]).unwrap_or(&Value::Null);
                lost(item, there, &format!("{path}[{}]", item["name"]), found);
            }
        }
        (Value::Array(sent), Value::Array(taken)) if sent.len() == taken.len() => {
            sent.iter()
                .zip(taken)
                .enumerate()
                .for_each(|(at, (sent, taken))| lost(sent, taken, &format!("{path}[{at}]"), found));
        }
        (Value::Object(empty), Value::Null) if empty.is_empty() => {}
        (sent, taken) if sent == taken => {}
        _ => found.push(format!("{path} is {taken} there")),
    }
}

#[tokio::test]
async fn an_api_server_takes_every_object_as_it_is_meant() {
    for overlay in ALL {
        let (_server, client) = server().await;
        let refused = apply_all(&client, &render(overlay)).await;
        assert!(refused.is_empty(), "{overlay}:\n{}", refused.join("\n"));
    }
}

#[tokio::test]
async fn a_slip_of_the_pen_is_seen() {
    let (_server, client) = server().await;
    let mut objects = render("overlays/dev");
    let deployment = objects.iter_mut().find(|object| id(object) == "Deployment/physioflow-api-blue").unwrap();
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = json!({"httpGet": {"port": 1}});
    let refused = apply_all(&client, &objects).await;
    assert!(refused.len() == 1 && refused[0].contains("readinesProbe"), "{refused:?}");
}

/// What of a Pod names a ConfigMap or Secret, naming copies, and the image.
fn copies(pod: &Value, container: &Value, image: &str) -> Value {
    let mut own = json!({"containers": [{"name": container, "image": image}]});
    let from = &containers(pod).into_iter().find(|found| found["name"] == *container).unwrap()["envFrom"];
    if from.is_array() {
        own["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "a-copy"}}]);
    }
    let named =
        list(&pod["volumes"]).iter().filter_map(|volume| volume["configMap"].is_object().then_some(&volume["name"]));
    let volumes: Vec<Value> = named.map(|name| json!({"name": name, "configMap": {"name": "a-copy"}})).collect();
    if !volumes.is_empty() {
        own["volumes"] = json!(volumes);
    }
    own
}

/// What Teal owns in a release to green.
async fn release(client: &Client, objects: &[Value]) {
    for colour in ["blue", "green"] {
        for deployment in of(objects, "Deployment") {
            if !id(deployment).ends_with(&format!("-{colour}")) {
                continue;
            }
            let name = &list(&pod(deployment)["containers"])[0]["name"];
            let image = format!("registry.example/of-{colour}:v9");
            let own = json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": super::name(deployment), "namespace": deployment["metadata"]["namespace"]},
                "spec": {"replicas": 2, "template": {"spec": copies(pod(deployment), name, &image)}},
            });
            apply(client, "teal", true, &own).await.unwrap();
        }
    }
    for service in ["physioflow-api", "physioflow-web"] {
        let own = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": service, "namespace": "physioflow-prod"},
            "spec": {"selector": {"app": service, "version": "green"}},
        });
        apply(client, "teal", true, &own).await.unwrap();
    }
    for autoscaler in of(objects, "HorizontalPodAutoscaler") {
        let own = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {
                "name": super::name(autoscaler), "namespace": "physioflow-prod"},
            "spec": {"minReplicas": 3},
        });
        apply(client, "teal", true, &own).await.unwrap();
    }
}

/// Image, replicas and selector as they are on the server.
async fn standing(client: &Client, objects: &[Value]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for object in
        objects.iter().filter(|object| matches!(kind(object), "Deployment" | "Service" | "HorizontalPodAutoscaler"))
    {
        let now = serde_json::to_value(api(client, object).get(super::name(object)).await.unwrap()).unwrap();
        let images: Vec<Value> = containers(pod(&now))
            .iter()
            .map(|of| json!([of["image"], of["envFrom"]]))
            .chain([pod(&now)["volumes"].clone()])
            .collect();
        let spec = &now["spec"];
        all.push((id(object), json!([images, spec["replicas"], spec["selector"], spec["minReplicas"]])));
    }
    all
}

#[tokio::test]
async fn an_overlay_that_is_applied_again_takes_no_release_back() {
    let (_server, client) = server().await;
    let overlay = render("overlays/prod");
    assert_eq!(apply_all(&client, &overlay).await, Vec::<String>::new());
    release(&client, &overlay).await;
    let released = standing(&client, &overlay).await;

    // As it was: refused, by the name of who owns it, and nothing is changed.
    let refused = apply_all(&client, &overlay).await;
    assert!(
        !refused.is_empty() && refused.iter().all(|error| error.contains("conflict with \"teal\"")),
        "{refused:#?}"
    );
    assert_eq!(standing(&client, &overlay).await, released);

    // Handed over: taken, and the release stands.
    let folder = teal_testkit::folder();
    let text = ["handed-over", "autoscaling-handed-over"].iter().fold(
        read("overlays/prod/kustomization.yaml"),
        |text, name| {
            let (off, on) = (format!("  # - ../../components/{name}\n"), format!("  - ../../components/{name}\n"));
            assert!(text.contains(&off), "the overlay no longer names {name}");
            text.replace(&off, &on)
        },
    );
    let copy = folder.path().join("overlays/prod");
    std::fs::create_dir_all(&copy).unwrap();
    for file in ["namespace.yaml", "network.yaml"] {
        std::fs::write(copy.join(file), read(&format!("overlays/prod/{file}"))).unwrap();
    }
    std::fs::write(copy.join("kustomization.yaml"), text).unwrap();
    for shared in ["base", "components"] {
        std::os::unix::fs::symlink(super::folder().join(shared), folder.path().join(shared)).unwrap();
    }
    let handed_over = kustomize::render(&copy);
    assert!(
        list(&one(&handed_over, "Deployment/physioflow-api-blue")["spec"]["template"]["spec"]["containers"])[0]
            .get("image")
            .is_none()
    );
    let refused = apply_all(&client, &handed_over).await;
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(standing(&client, &overlay).await, released);
}
