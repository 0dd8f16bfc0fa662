//! What Pods come to, and what is believed.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use teal_rollout::colour::Colour;

use super::*;
use crate::api::{Observation, PodGroup};

/// Pods of `app-green`, so many of them ready.
pub(super) fn group(pods: u32, ready: u32) -> PodGroup {
    PodGroup {
        workload: "app".into(),
        colour: Colour::Green,
        templates: vec![mark("app", "site/app:v2", None)],
        pods,
        ready,
        crash_looping: 0,
        restarts: 0,
        reason: None,
        exit_code: None,
    }
}

fn pod(owner: &str, image: &str, status: &Value) -> Value {
    json!({
        "metadata": {
            "name": "p", "labels": {"pod-template-hash": "7c9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": "u", "controller": true}],
        },
        "spec": {"containers": [{"name": "app", "image": image}]}, "status": status,
    })
}

fn container(ready: bool, restarts: u32, state: &Value, last: &Value) -> Value {
    json!({
        "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
        "containerStatuses": [{
            "name": "app", "image": "", "imageID": "", "ready": ready, "restartCount": restarts, "state": state, "lastState": last,
        }],
    })
}

fn counted(pods: &[Value]) -> Vec<PodGroup> {
    let pods: Vec<Pod> = pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
    let workloads = ["app".to_owned()];
    let found = groups(&pods, &workloads);
    let trimmed: Vec<Pod> = pods.into_iter().map(|mut pod| (trim(&mut pod), pod).1).collect();
    assert_eq!(groups(&trimmed, &workloads), found, "what is trimmed away is not read");
    found
}

#[test]
fn pods_are_counted_by_what_they_run_and_why_they_do_not_in_one_word() {
    let runs = json!({"running": {}});
    let ready = pod("app-green-7c9", "site/app:v2", &container(true, 1, &runs, &json!({})));
    let ended = json!({"terminated": {"exitCode": 3, "reason": "Error", "message": "password=hunter2"}});
    let waits = |reason: &str| json!({"waiting": {"reason": reason, "message": "patient 4711 not found"}});
    let loops = pod("app-green-7c9", "site/app:v2", &container(false, 4, &waits("CrashLoopBackOff"), &ended));
    let late = pod("app-green-7c9", "site/app:v2", &container(false, 0, &runs, &json!({})));
    let check = |pods: &[Value], expected: &[PodGroup]| {
        let found = counted(pods);
        assert_eq!(found, expected);
        let told = serde_json::to_string(&found).unwrap();
        assert!(!told.contains("hunter2") && !told.contains("4711") && !told.contains("site/app"), "{told}");
    };
    check(std::slice::from_ref(&ready), &[PodGroup { restarts: 1, ..group(1, 1) }]);
    let (reason, exit_code) = (Some("Error".to_owned()), Some(3));
    let two = PodGroup { crash_looping: 1, restarts: 5, reason, exit_code, ..group(2, 1) };
    check(&[ready.clone(), loops.clone()], std::slice::from_ref(&two));
    // What tells most stands there, in whatever order they come.
    check(&[late.clone(), loops, ready.clone()], &[PodGroup { pods: 3, ..two }]);
    check(std::slice::from_ref(&late), &[PodGroup { reason: Some("NotReady".into()), ..group(1, 0) }]);
    let pull = container(false, 0, &waits("ImagePullBackOff"), &json!({}));
    let pull = pod("app-green-7c9", "site/app:v2", &pull);
    check(&[pull], &[PodGroup { reason: Some("ImagePullBackOff".into()), ..group(1, 0) }]);
    let other = pod("app-green-7c9", "site/app:v3", &container(true, 0, &runs, &json!({})));
    let templates = vec![mark("app", "site/app:v3", None)];
    let mut both = vec![PodGroup { restarts: 1, ..group(1, 1) }, PodGroup { templates, ..group(1, 1) }];
    both.sort_by(|one, other| one.templates.cmp(&other.templates));
    check(&[ready.clone(), other], &both);
    // One that is being ended counts as long as it answers and nothing else is ready.
    let end = |mut pod: Value| {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        pod
    };
    let leaving = end(ready.clone());
    check(&[leaving.clone(), ready.clone()], &[PodGroup { restarts: 1, ..group(1, 1) }]);
    check(&[leaving.clone(), late.clone()], &[PodGroup { reason: Some("NotReady".into()), ..group(2, 1) }]);
    check(&[leaving], &[group(1, 1)]);
    // Others' Pods, one that goes and answers no more, one that has ended: nobody's.
    let leaving = end(late);
    let mut evicted = ready.clone();
    evicted["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    let mut free = ready;
    free["metadata"]["ownerReferences"] = json!([]);
    check(&[pod("app-teal-7c9", "x", &json!({})), pod("apps-green-7c9", "x", &json!({})), leaving, evicted, free], &[]);
}

#[test]
fn a_mark_tells_containers_images_and_configurations_apart() {
    let all = [
        mark("app", "a", None),
        mark("ap", "pa", None),
        mark("app", "b", None),
        mark("app", "a", Some("")),
        mark("app", "a", Some("c")),
    ];
    for (index, one) in all.iter().enumerate() {
        assert_eq!(one.len(), 16);
        assert!(!all[index + 1..].contains(one), "{index}");
    }
}

#[test]
fn a_telling_out_of_its_bounds_is_refused_by_the_name_of_the_field() {
    let good = Observation {
        observer: "n1".into(),
        boot: "0".repeat(32),
        sequence: 1,
        node: "n1.internal".into(),
        groups: Some(vec![group(2, 1)]),
    };
    let refused = |change: &dyn Fn(&mut Observation), field: Option<&str>| {
        let mut observation = good.clone();
        change(&mut observation);
        let found = check(&observation, &["app".to_owned()]);
        assert_eq!(found.err().map(|wrong| wrong.field).as_deref(), field);
    };
    refused(&|_| {}, None);
    refused(&|it| it.groups = None, None);
    refused(&|it| it.groups = Some(vec![]), None);
    refused(&|it| it.observer = String::new(), Some("observer"));
    refused(&|it| it.node = "a b".into(), Some("node"));
    refused(&|it| it.node = "n".repeat(254), Some("node"));
    refused(&|it| it.boot = "X".repeat(32), Some("boot"));
    refused(&|it| it.sequence = 0, Some("sequence"));
    refused(&|it| it.groups = Some(vec![group(1, 1); 257]), Some("groups"));
    refused(&|it| it.groups = Some(vec![group(1, 1), group(2, 1)]), Some("groups[1]"));
    let of_group = |change: &dyn Fn(&mut PodGroup), field: &str| {
        refused(&|it| it.groups.iter_mut().flatten().for_each(change), Some(&format!("groups[0].{field}")));
    };
    of_group(&|it| it.workload = "other".into(), "workload");
    of_group(&|it| it.templates = vec!["x".into()], "templates");
    of_group(&|it| it.templates = vec!["0".repeat(16); 65], "templates");
    of_group(&|it| it.pods = 0, "pods");
    of_group(&|it| it.pods = 10_001, "pods");
    of_group(&|it| it.ready = 3, "ready");
    of_group(&|it| it.crash_looping = 3, "crash_looping");
    of_group(&|it| it.reason = Some("two words".into()), "reason");
}
