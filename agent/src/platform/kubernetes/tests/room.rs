//! Whether both colours fit, before anything is written.

use k8s_openapi::api::core::v1::{Node, ResourceQuota};
use teal_testkit::kubernetes::{Failure, Fault};

use super::super::fits::Need;
use super::super::{demand, nodes};
use super::*;

impl Rig {
    /// Every Pod asks for half a core.
    async fn asks(&self) {
        let containers = json!([{"name": "app", "resources": {"requests": {"cpu": "500m"}}}]);
        for colour in Colour::BOTH {
            let template = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            self.patch::<Deployment>(&format!("app-{colour}"), template).await;
        }
        self.settle().await;
    }

    async fn quota(&self, hard: Value, used: Value) {
        let spec = json!({"spec": {"hard": hard}, "metadata": {"name": "compute-resources"}});
        if self.api::<ResourceQuota>().get_opt("compute-resources").await.unwrap().is_none() {
            self.create::<ResourceQuota>(spec).await;
        }
        // What is not named is taken out again.
        let with = |amounts: Value| json!({"requests.cpu": amounts["requests.cpu"], "cpu": amounts["cpu"], "pods": amounts["pods"]});
        let status = Patch::Merge(json!({"status": {"hard": with(hard), "used": with(used)}}));
        self.api::<ResourceQuota>().patch_status("compute-resources", &PatchParams::default(), &status).await.unwrap();
    }

    async fn node(&self, name: &str, cpu: &str) {
        let api = Api::<Node>::all(self.server.client_as_controllers());
        if api.get_opt(name).await.unwrap().is_none() {
            create(&api, json!({"metadata": {"name": name}})).await;
        }
        let status = Patch::Merge(json!({"status": {"allocatable": {"cpu": cpu, "pods": "110"}}}));
        api.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    }

    /// Why `v2` cannot be started on a component's green colour, and nothing was written for it.
    async fn refused(&mut self, release: u64) -> String {
        self.server.forget_used();
        self.start_order(Colour::Green, "v2", release).await;
        let is = |it: &Capacity| it.colour == Colour::Green && it.release == release && it.wanted == 0;
        let refused = self.told("it is refused", is).await;
        let writes = ["patch", "create", "update", "delete"];
        assert!(self.used().iter().all(|(verb, _)| !writes.contains(&verb.as_str())), "{:?}", self.used());
        refused.failure.unwrap()
    }
}

#[tokio::test]
async fn a_quota_without_room_for_the_second_colour_is_named_with_what_is_missing() {
    let mut rig = Rig::start().await;
    rig.asks().await;
    rig.quota(json!({"requests.cpu": "1500m", "pods": "9"}), json!({"requests.cpu": "1", "pods": "2"})).await;
    let why = rig.refused(1).await;
    let wanted = "no room for app-green: requests.cpu: needs 1, 0.5 free of quota compute-resources. Make room";
    assert!(why.starts_with(wanted), "{why}");
    rig.quota(json!({"cpu": "2", "pods": "3"}), json!({"cpu": "1", "pods": "2"})).await;
    let why = rig.refused(2).await;
    assert!(why.contains(": pods: needs 2, 1 free of quota compute-resources"), "{why}");
    // What is there already needs no more room.
    rig.quota(json!({"cpu": "2", "pods": "4"}), json!({"cpu": "1", "pods": "2"})).await;
    rig.release("v2", 3).await;
    rig.quota(json!({"cpu": "2", "pods": "4"}), json!({"cpu": "2", "pods": "4"})).await;
    rig.release("v3", 4).await;
}

#[tokio::test]
async fn components_of_a_release_need_room_together() {
    let mut rig = Rig::start().await;
    rig.add("web", 2).await;
    rig.quota(json!({"pods": "7"}), json!({"pods": "4"})).await;
    let start = |component| PlatformOrder::Start { component, colour: Colour::Green, version: "v2".into(), release: 1 };
    rig.order(start(0)).await;
    rig.order(start(1)).await;
    let why = rig.told("one is refused", |it| it.failure.as_ref().is_some_and(|why| why.starts_with("no room"))).await;
    let why = why.failure.unwrap();
    assert!(why.contains("app-green") && why.contains("web-green") && why.contains("pods: needs 4, 3 free"), "{why}");
    // Each by itself has room.
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 1 }).await;
    rig.order(PlatformOrder::Start { component: 1, colour: Colour::Green, version: "v2".into(), release: 2 }).await;
    rig.told("web is started", |it| it.component == 1 && it.release == 2 && it.wanted == 2).await;
}

#[tokio::test]
async fn nodes_without_room_refuse_and_what_may_not_be_read_is_not_guessed() {
    let mut rig = Rig::start().await;
    rig.asks().await;
    // What blue has there, and half a core.
    let on_it = rig.api::<Pod>().list(&ListParams::default().fields("spec.nodeName=node-1")).await.unwrap().items.len();
    rig.node("node-1", &format!("{}m", 500 * (on_it + 1))).await;
    let why = rig.refused(1).await;
    assert!(why.contains("nodes: no room for 1 of 2 Pods of app-green (cpu 0.5 each)"), "{why}");
    rig.quota(json!({"pods": "1"}), json!({"pods": "1"})).await;
    for resource in ["nodes", "resourcequotas"] {
        rig.server.fail(Fault::new(Failure::Error(403)).on(&["list"]).about(resource).by("admin"));
    }
    rig.release("v2", 2).await;
}

#[test]
fn a_node_takes_pods_by_what_is_left_by_its_state_and_by_its_taints() {
    let check = |node: Value, spec: Value, taken: usize, fitting: i128| {
        let mut spec = spec;
        spec["containers"] = json!([{"name": "app", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]);
        let mut all = json!({"metadata": {"name": "n", "labels": {"disk": "fast"}},
            "status": {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "10"}}});
        json_patch::merge(&mut all, &node);
        let pod = |phase: &str| -> Pod {
            let mut spec = spec.clone();
            spec["nodeName"] = json!("n");
            serde_json::from_value(json!({"metadata": {}, "spec": spec, "status": {"phase": phase}})).unwrap()
        };
        let mut pods = vec![pod("Running"); taken];
        pods.push(pod("Succeeded"));
        let template: k8s_openapi::api::core::v1::PodSpec = serde_json::from_value(spec.clone()).unwrap();
        let each = demand::Demand::of(&template);
        let need = Need { deployment: "app-green".into(), pods: 20, each, template };
        let missing = nodes::without_room(&[serde_json::from_value(all).unwrap()], &pods, &[need]);
        let wanted = format!("no room for {} of 20 Pods", 20 - fitting);
        assert!(missing[0].contains(&wanted), "{node} {spec}: {missing:?}, wanted {wanted}");
    };
    let none = || json!({});
    check(none(), none(), 0, 4);
    check(none(), none(), 3, 1);
    check(json!({"status": {"allocatable": {"memory": "2Gi"}}}), none(), 1, 1);
    check(json!({"status": {"allocatable": {"pods": "3"}}}), none(), 1, 2);
    check(json!({"spec": {"unschedulable": true}}), none(), 0, 0);
    check(json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}), none(), 0, 0);
    check(none(), json!({"nodeSelector": {"disk": "slow"}}), 0, 0);
    check(none(), json!({"nodeSelector": {"disk": "fast"}}), 0, 4);
    let taint = json!({"spec": {"taints": [{"key": "for", "value": "db", "effect": "NoSchedule"}]}});
    check(taint.clone(), none(), 0, 0);
    check(taint.clone(), json!({"tolerations": [{"key": "for", "operator": "Exists"}]}), 0, 4);
    check(taint.clone(), json!({"tolerations": [{"key": "for", "value": "db", "effect": "NoSchedule"}]}), 0, 4);
    check(taint, json!({"tolerations": [{"key": "for", "value": "web"}]}), 0, 0);
    check(json!({"spec": {"taints": [{"key": "k", "effect": "PreferNoSchedule"}]}}), none(), 0, 4);
}
