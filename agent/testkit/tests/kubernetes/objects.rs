//! Creating, reading and replacing.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, Secret, Service};
use kube::ResourceExt as _;
use kube::api::{LogParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::cluster::{Cluster, config_map, deployment, from, is_refused, pod, refused, version};

pub(crate) async fn the_server_makes_up_what_nobody_sent(cluster: Cluster) {
    let made: Deployment = cluster.create(deployment("a", 2)).await;
    assert!(made.uid().is_some() && made.creation_timestamp().is_some());
    assert_eq!(made.metadata.generation, Some(1));
    assert_eq!(made.namespace().as_deref(), Some(cluster.namespace.as_str()));
    let read = cluster.api::<Deployment>().get("a").await.unwrap();
    assert_eq!(made, read);
    let other: ConfigMap = cluster.create(config_map("b", &json!({}))).await;
    assert!(version(&other) > version(&made));
    assert_ne!(other.uid(), made.uid());
}

pub(crate) async fn names_are_generated_or_checked(cluster: Cluster) {
    let api = cluster.api::<ConfigMap>();
    let unnamed: ConfigMap = from(json!({"metadata": {"generateName": "x-"}}));
    let one = api.create(&PostParams::default(), &unnamed).await.unwrap();
    let two = api.create(&PostParams::default(), &unnamed).await.unwrap();
    assert!(one.name_any().starts_with("x-") && one.name_any().len() == 7);
    assert_ne!(one.name_any(), two.name_any());
    let wrong: ConfigMap = from(json!({"metadata": {"name": "No_Name"}}));
    is_refused(api.create(&PostParams::default(), &wrong).await, 422, "Invalid", "metadata.name");
    let none: ConfigMap = from(json!({}));
    is_refused(api.create(&PostParams::default(), &none).await, 422, "Invalid", "name or generateName is required");
}

pub(crate) async fn nothing_is_made_twice_or_nowhere(cluster: Cluster) {
    let api = cluster.api::<ConfigMap>();
    let made: ConfigMap = cluster.create(config_map("a", &json!({}))).await;
    let again = api.create(&PostParams::default(), &from(config_map("a", &json!({})))).await;
    is_refused(again, 409, "AlreadyExists", "configmaps \"a\" already exists");
    let status = refused(api.get("gone").await);
    assert_eq!((status.code, status.reason.as_str()), (404, "NotFound"));
    assert_eq!(status.message, "configmaps \"gone\" not found");
    assert_eq!(status.details.unwrap().name, "gone");
    let nowhere = kube::Api::<ConfigMap>::namespaced(cluster.client.clone(), "no-such-place");
    let refused = nowhere.create(&PostParams::default(), &from(config_map("a", &json!({})))).await;
    is_refused(refused, 404, "NotFound", "namespaces \"no-such-place\" not found");
    let mut elsewhere = made;
    elsewhere.metadata.namespace = Some("elsewhere".to_owned());
    let refused = api.create(&PostParams::default(), &elsewhere).await;
    is_refused(refused, 400, "BadRequest", "does not match the namespace");
}

pub(crate) async fn a_write_to_an_old_version_conflicts(cluster: Cluster) {
    let api = cluster.api::<ConfigMap>();
    let first: ConfigMap = cluster.create(config_map("a", &json!({"x": "1"}))).await;
    let mut second = first.clone();
    second.data.as_mut().unwrap().insert("x".to_owned(), "2".to_owned());
    let second = api.replace("a", &PostParams::default(), &second).await.unwrap();
    assert!(version(&second) > version(&first));
    let mut late = first.clone();
    late.data.as_mut().unwrap().insert("x".to_owned(), "3".to_owned());
    is_refused(api.replace("a", &PostParams::default(), &late).await, 409, "Conflict", "the object has been modified");
    // Who names no version overwrites.
    late.metadata.resource_version = None;
    api.replace("a", &PostParams::default(), &late).await.unwrap();
    // Another object of the same name is not meant.
    late.metadata.uid = Some("00000000-0000-0000-0000-000000000000".to_owned());
    is_refused(api.replace("a", &PostParams::default(), &late).await, 409, "Conflict", "Precondition failed: UID");
}

pub(crate) async fn a_write_that_changes_nothing_is_no_new_version(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let made: Deployment = cluster.create(deployment("a", 1)).await;
    let same = api.replace("a", &PostParams::default(), &made).await.unwrap();
    assert_eq!(same, made);
    let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
    let same = api.patch("a", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(version(&same), version(&made));
}

pub(crate) async fn some_kinds_want_a_version_and_some_are_made_by_a_replace(cluster: Cluster) {
    let api = cluster.api::<Lease>();
    let spec = json!({"holderIdentity": "a", "leaseDurationSeconds": 3});
    let lease: Lease = from(json!({"metadata": {"name": "l"}, "spec": spec}));
    let made = api.replace("l", &PostParams::default(), &lease).await.unwrap();
    assert_eq!(made.spec.unwrap().holder_identity.as_deref(), Some("a"));
    is_refused(
        api.replace("l", &PostParams::default(), &lease).await,
        422,
        "Invalid",
        "must be specified for an update",
    );
    let config: ConfigMap = from(config_map("c", &json!({})));
    let missing = cluster.api::<ConfigMap>().replace("c", &PostParams::default(), &config).await;
    is_refused(missing, 404, "NotFound", "configmaps \"c\" not found");
}

pub(crate) async fn the_generation_counts_changes_of_the_spec(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let _: Deployment = cluster.create(deployment("a", 1)).await;
    let generation_after = async |patch: serde_json::Value| {
        let patched = api.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        patched.metadata.generation.unwrap()
    };
    assert_eq!(generation_after(json!({"metadata": {"labels": {"x": "y"}}})).await, 1);
    assert_eq!(generation_after(json!({"spec": {"replicas": 2}})).await, 2);
    let status = json!({"status": {"replicas": 5, "observedGeneration": 2}});
    let patched = api.patch_status("a", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    assert_eq!((patched.metadata.generation, patched.status.unwrap().replicas), (Some(2), Some(5)));
    // A Deployment's annotations count, since they go to its ReplicaSets.
    assert_eq!(generation_after(json!({"metadata": {"annotations": {"x": "y"}}})).await, 3);
}

pub(crate) async fn status_and_spec_have_doors_of_their_own(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let mut sent = deployment("a", 1);
    sent["status"] = json!({"replicas": 9});
    let made: Deployment = cluster.create(sent).await;
    assert_eq!(made.status.clone().unwrap_or_default().replicas, None);
    let both = json!({"spec": {"replicas": 2}, "status": {"replicas": 7}});
    let patched = api.patch("a", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
    assert_eq!(patched.spec.unwrap().replicas, Some(2));
    assert_eq!(patched.status.unwrap_or_default().replicas, None);
    let both = json!({"spec": {"replicas": 3}, "status": {"replicas": 7}});
    let patched = api.patch_status("a", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
    assert_eq!(patched.spec.unwrap().replicas, Some(2));
    assert_eq!(patched.status.unwrap().replicas, Some(7));
}

pub(crate) async fn mistakes_are_named(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let mut wrong = deployment("a", 1);
    wrong["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let status = refused(api.create(&PostParams::default(), &from(wrong)).await);
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
    assert_eq!(status.details.unwrap().causes[0].field, "spec.template.metadata.labels");
    let _: Deployment = cluster.create(deployment("a", 1)).await;
    let other =
        json!({"spec": {"selector": {"matchLabels": {"x": "y"}}, "template": {"metadata": {"labels": {"x": "y"}}}}});
    let moved = api.patch("a", &PatchParams::default(), &Patch::Merge(other)).await;
    is_refused(moved, 422, "Invalid", "field is immutable");
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", cluster.namespace);
    let mut wrong = deployment("b", 1);
    wrong["spec"]["replicas"] = json!("two");
    let answer = cluster.raw("POST", &path, "application/json", &wrong).await;
    is_refused(answer, 400, "BadRequest", "Deployment in version \"v1\" cannot be handled as a Deployment");
    let mut wrong = deployment("b", 1);
    wrong["spec"]["template"]["spec"]["containers"] = json!([]);
    let answer = cluster.raw("POST", &path, "application/json", &wrong).await;
    is_refused(answer, 422, "Invalid", "spec.template.spec.containers");
}

pub(crate) async fn what_the_server_fills_in(cluster: Cluster) {
    let mut sent = deployment("a", 1);
    sent["spec"]["unknown"] = json!(true);
    sent["spec"].as_object_mut().unwrap().remove("replicas");
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", cluster.namespace);
    let made = cluster.raw("POST", &path, "application/json", &sent).await.unwrap();
    assert!(made["spec"].get("unknown").is_none());
    assert_eq!(made["spec"]["replicas"], 1);
    assert_eq!(made["spec"]["progressDeadlineSeconds"], 600);
    let pod = &made["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["ports"][0]["protocol"], "TCP");
    assert_eq!(pod["restartPolicy"], "Always");
    let service = json!({
        "metadata": {"name": "s"},
        "spec": {"selector": {"app": "a"}, "type": "NodePort", "ports": [{"port": 80}]},
    });
    let spec = cluster.create::<Service>(service).await.spec.unwrap();
    let port = &spec.ports.unwrap()[0];
    assert!(spec.cluster_ip.is_some() && port.node_port.is_some_and(|port| (30_000..32_768).contains(&port)));
    assert_eq!(port.protocol.as_deref(), Some("TCP"));
    let secret = cluster.create::<Secret>(json!({"metadata": {"name": "s"}, "stringData": {"k": "v"}})).await;
    assert_eq!(secret.data.unwrap()["k"].0, b"v");
    assert_eq!((secret.string_data, secret.type_.as_deref()), (None, Some("Opaque")));
}

pub(crate) async fn a_dry_run_changes_nothing(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let made = api.create(&dry, &from(deployment("a", 1))).await.unwrap();
    assert!(made.uid().is_some());
    is_refused(api.get("a").await, 404, "NotFound", "deployments.apps \"a\" not found");
    let kept: Deployment = cluster.create(deployment("a", 1)).await;
    let dry = PatchParams { dry_run: true, ..PatchParams::default() };
    let patched = api.patch("a", &dry, &Patch::Merge(json!({"spec": {"replicas": 4}}))).await.unwrap();
    assert_eq!(patched.spec.unwrap().replicas, Some(4));
    assert_eq!(api.get("a").await.unwrap(), kept);
}

pub(crate) async fn the_scale_is_the_replicas_alone(cluster: Cluster) {
    let api = cluster.api::<Deployment>();
    let _: Deployment = cluster.create(deployment("a", 1)).await;
    let scale: Scale = api.get_scale("a").await.unwrap();
    assert_eq!(scale.spec.clone().unwrap().replicas, Some(1));
    assert_eq!(scale.status.clone().unwrap().selector.as_deref(), Some("app=a"));
    let patch = Patch::Merge(json!({"spec": {"replicas": 3}}));
    let scaled = api.patch_scale("a", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(scaled.spec.unwrap().replicas, Some(3));
    let now = api.get("a").await.unwrap();
    assert_eq!((now.spec.unwrap().replicas, now.metadata.generation), (Some(3), Some(2)));
    let late = api.replace_scale("a", &PostParams::default(), &scale).await;
    is_refused(late, 409, "Conflict", "the object has been modified");
}

pub(crate) async fn events_have_two_doors(cluster: Cluster) {
    let newer = json!({
        "metadata": {"name": "e"}, "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Switch",
        "reason": "SwitchedToGreen", "note": "what happened", "type": "Normal",
        "reportingController": "teal", "reportingInstance": "teal-0",
        "regarding": {"kind": "Service", "name": "s", "namespace": cluster.namespace},
    });
    let made: k8s_openapi::api::events::v1::Event = cluster.create(newer).await;
    assert_eq!(made.note.as_deref(), Some("what happened"));
    let read = cluster.api::<Event>().get("e").await.unwrap();
    assert_eq!(read.message.as_deref(), Some("what happened"));
    assert_eq!(read.involved_object.name.as_deref(), Some("s"));
}

pub(crate) async fn a_log_is_that_of_one_container(cluster: Cluster) {
    let mut two = pod("two", "n1");
    two["spec"]["containers"] = json!([{"name": "api-proxy", "image": "p:1"}, {"name": "api", "image": "api:1"}]);
    let _: Pod = cluster.create(two).await;
    let _: Pod = cluster.create(pod("one", "n1")).await;
    let api = cluster.api::<Pod>();
    let log = async |pod: &str, container: Option<&str>| {
        let container = container.map(str::to_owned);
        api.logs(pod, &LogParams { container, ..LogParams::default() }).await
    };
    is_refused(log("two", None).await, 400, "BadRequest", "a container name must be specified for pod two");
    is_refused(log("two", Some("a")).await, 400, "BadRequest", "container a is not valid for pod two");
    // No node of a bare control plane has a log.
    let Some(fake) = &cluster.fake else { return };
    for (pod, container) in [("two", "api"), ("two", "api-proxy"), ("one", "api")] {
        fake.set_log(&cluster.namespace, pod, container, false, &format!("{container} of {pod}"));
    }
    assert_eq!(log("two", Some("api")).await.unwrap(), "api of two\n");
    assert_eq!(log("two", Some("api-proxy")).await.unwrap(), "api-proxy of two\n");
    assert_eq!(log("one", None).await.unwrap(), "api of one\n");
}
