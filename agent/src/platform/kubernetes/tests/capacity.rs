//! What is read from Deployments and Pods, without a server.

use kube::ResourceExt as _;

use super::super::{capacity, failure};
use super::*;
use crate::cluster::pod::{is_leaving, is_ready};

fn pod(image: &str, status: &Value) -> Pod {
    let labels = json!({"app": "app", "version": "green"});
    let pod = json!({
        "metadata": {"name": "p", "labels": labels},
        "spec": {"containers": [{"name": "app", "image": image}]}, "status": status,
    });
    serde_json::from_value(pod).unwrap()
}

fn ready() -> Value {
    json!({"conditions": [{"type": "Ready", "status": "True"}]})
}

fn container(mut status: Value) -> Value {
    for (key, value) in [("name", json!("app")), ("image", json!("")), ("imageID", json!(""))] {
        status[key] = value;
    }
    if status["ready"].is_null() {
        status["ready"] = json!(false);
    }
    if status["restartCount"].is_null() {
        status["restartCount"] = json!(0);
    }
    json!({"containerStatuses": [status]})
}

fn waits(reason: &str, message: &str) -> Value {
    container(json!({"state": {"waiting": {"reason": reason, "message": message}}}))
}

#[test]
fn only_pods_of_the_ordered_template_count_and_a_hand_takes_nothing_from_what_serves() {
    let component = KubernetesComponent { workload: "app".into(), container: None, replicas: None, secrets: true };
    let check = |ordered: Option<&str>, template: &str, pods: &[Pod], version: Option<&str>, counts: (u32, u32)| {
        let mut object = deployment(Colour::Green, template, 2);
        if let Some(ordered) = ordered {
            object["metadata"]["annotations"] =
                json!({"teal.trancloud.work/version": ordered, "teal.trancloud.work/release": "7"});
        }
        let object: Deployment = serde_json::from_value(object).unwrap();
        let found = capacity::of(0, &component, Colour::Green, &object, pods.iter());
        assert_eq!((found.version.as_deref(), (found.ready, found.crash_looping)), (version, counts), "{ordered:?}");
        assert_eq!(found.release, if ordered.is_some() { 7 } else { 0 });
        let staying =
            pods.iter().filter(|pod| is_ready(pod) && !is_leaving(pod) && pod.labels()["app"] == "app").count();
        let complete = counts.0 >= 2 && u32::try_from(staying).unwrap() == counts.0;
        assert_eq!(found.ready >= found.wanted, complete, "{found:?}");
    };
    let (old, new) = (pod("site/app:v1", &ready()), pod("site/app:v2", &ready()));
    let loops = pod("site/app:v2", &waits("CrashLoopBackOff", ""));
    let often = pod("site/app:v2", &container(json!({"restartCount": 3, "state": {"running": {}}})));
    let mut other = new.clone();
    other.metadata.labels = Some([("app".to_owned(), "another".to_owned())].into());
    let with_timestamp = |mut pod: Pod| {
        pod.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        pod
    };
    let leaving = with_timestamp(new.clone());
    check(Some("v2"), "v2", &[old.clone(), old.clone()], Some("v2"), (0, 0));
    check(Some("v2"), "v2", &[old.clone(), new.clone()], Some("v2"), (1, 0));
    check(Some("v2"), "v2", &[new.clone(), other, leaving.clone()], Some("v2"), (1, 0));
    check(Some("v2"), "v2", &[new.clone(), new.clone()], Some("v2"), (2, 0));
    // Requests go to both versions yet; those that are being ended get no more of them.
    check(Some("v2"), "v2", &[new.clone(), new.clone(), old.clone()], Some("v2"), (2, 0));
    check(Some("v2"), "v2", &[new.clone(), new.clone(), with_timestamp(old.clone())], Some("v2"), (2, 0));
    // What is being ended answers until its grace has passed, and counts where nothing else does; but makes nothing complete.
    let ended = with_timestamp(pod("site/app:v2", &waits("ContainerCreating", "")));
    check(Some("v2"), "v2", &[leaving.clone(), leaving.clone()], Some("v2"), (2, 0));
    check(Some("v2"), "v2", &[with_timestamp(old.clone()), ended.clone(), loops.clone()], Some("v2"), (0, 1));
    check(Some("v2"), "v2", &[leaving, ended, loops.clone()], Some("v2"), (1, 1));
    // One that runs again is in no loop.
    check(Some("v2"), "v2", &[loops, often], Some("v2"), (0, 1));
    // Somebody set v3 by hand: what was ordered still serves.
    check(Some("v2"), "v3", &[new.clone(), new], Some("v3"), (2, 0));
    check(None, "v1", &[old.clone(), old], Some("v1"), (2, 0));
}

#[test]
fn every_reason_is_named_and_the_most_telling_one_wins() {
    let check = |conditions: Value, pods: &[Value], wanted: Option<&str>| {
        let mut object = deployment(Colour::Green, "v2", 2);
        object["status"] = json!({"conditions": conditions});
        let pods: Vec<Pod> = pods.iter().map(|status| pod("site/app:v2", status)).collect();
        let found = failure::of(&serde_json::from_value(object).unwrap(), pods.iter());
        assert_eq!(found.as_deref(), wanted);
    };
    let ended = |reason: &str, code: i32| {
        let last = json!({"terminated": {"reason": reason, "exitCode": code, "message": "password=hunter2"}});
        container(json!({"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": last}))
    };
    let quota = json!([{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}]);
    let late = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    let none = json!([]);
    let nowhere = json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes"}]});
    let pull = waits("ImagePullBackOff", "not\nfound");
    check(none.clone(), &[ready()], None);
    check(none.clone(), &[waits("ContainerCreating", "")], None);
    check(none.clone(), &[ended("Error", 1), pull.clone()], Some("cannot be pulled: not found"));
    let why =
        "failed to do request: Head \"https://registry.example/v2/\": dial tcp: lookup registry.example: no such host";
    let error = format!("failed to pull and unpack image \"registry.example/app:v2\": {why}");
    let alike = Some("registry.example/app:v2 cannot be pulled: no such host");
    check(none.clone(), &[waits("ErrImagePull", &error)], alike);
    let back_off = format!("Back-off pulling image \"registry.example/app:v2\": ErrImagePull: {error}");
    check(none.clone(), &[waits("ImagePullBackOff", &back_off)], alike);
    let older = waits("ImagePullBackOff", "Back-off pulling image \"registry.example/app:v2\"");
    check(none.clone(), &[older], Some("registry.example/app:v2 cannot be pulled"));
    check(none.clone(), &[waits("InvalidImageName", "it is none")], Some("InvalidImageName: it is none"));
    check(none.clone(), &[ended("Error", 1)], Some("container app ended with exit status 1, 4 restarts"));
    check(none.clone(), &[ended("OOMKilled", 137)], Some("container app was killed for its memory, 4 restarts"));
    check(none.clone(), &[nowhere], Some("no node takes the Pod: 0/2 nodes"));
    let missing = waits("CreateContainerConfigError", "configmap \"settings\" not found");
    check(none.clone(), &[missing], Some("CreateContainerConfigError: configmap \"settings\" not found"));
    let runs = container(json!({"state": {"running": {}}}));
    check(none, &[runs], Some("container app runs and its readiness probe fails"));
    check(quota, &[pull], Some("Pods are refused: exceeded quota: pods"));
    check(late, &[], Some("no progress: ProgressDeadlineExceeded"));
}
