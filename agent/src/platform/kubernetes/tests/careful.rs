//! What an order leaves alone: what users are sent to, what somebody scaled, and what is not there any more.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::DeleteParams;
use teal_testkit::kubernetes::{Failure, Fault};
use teal_testkit::until;

use super::*;

impl Rig {
    /// As a person does it, with kubectl.
    async fn point_at(&self, colour: Colour) {
        self.patch::<Service>("app", json!({"spec": {"selector": {"version": colour.to_string()}}})).await;
    }

    async fn wait_replicas(&self, colour: Colour, replicas: u32) {
        let is = || async { (self.deployment(colour).await["spec"]["replicas"] == replicas).then_some(()) };
        until(&format!("{colour} has {replicas} replicas"), is).await;
    }

    /// The adapter has asked for this since the last `forget_used`.
    async fn wait_asked(&self, verb: &str, resource: &str) {
        let asked = || async { self.used().contains(&(verb.into(), resource.into())).then_some(()) };
        until(&format!("{verb} {resource}"), asked).await;
    }
}

fn stop(colour: Colour, release: u64) -> PlatformOrder {
    PlatformOrder::Stop { component: 0, colour, release }
}

#[tokio::test]
async fn a_repeated_start_leaves_the_number_that_somebody_set_and_one_after_a_stop_does_not() {
    let mut rig = Rig::start().await;
    for replicas in [1, 0] {
        rig.release("v2", 1).await;
        rig.patch::<Deployment>("app-green", json!({"spec": {"replicas": replicas}})).await;
        rig.settle().await;
        rig.restart();
        rig.told("it is seen", |it| it.colour == Colour::Green && it.wanted == replicas).await;
        rig.start_order(Colour::Green, "v2", 1).await;
        rig.told("the answer", |it| it.colour == Colour::Green && it.wanted == replicas).await;
        rig.all_tried(1).await;
        assert_eq!(rig.deployment(Colour::Green).await["spec"]["replicas"], replicas);
        // Another image is not what was ordered, whoever set it; the number stays.
        let image = json!([{"name": "app", "image": "site/app:other"}]);
        rig.patch::<Deployment>("app-green", json!({"spec": {"template": {"spec": {"containers": image}}}})).await;
        rig.start_order(Colour::Green, "v2", 1).await;
        let back = || async {
            let spec = rig.deployment(Colour::Green).await["spec"].clone();
            (spec["template"]["spec"]["containers"][0]["image"] == "site/app:v2").then_some(spec["replicas"].clone())
        };
        assert_eq!(until("v2 is back", back).await, replicas);
        rig.patch::<Deployment>("app-green", json!({"spec": {"replicas": 1}})).await;
        rig.order(stop(Colour::Green, 1)).await;
        rig.wait_replicas(Colour::Green, 0).await;
        rig.settle().await;
    }
}

#[tokio::test]
async fn a_stop_waits_while_the_service_sends_users_there() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    rig.point_at(Colour::Green).await;
    rig.server.forget_used();
    rig.order(stop(Colour::Green, 1)).await;
    rig.wait_asked("get", "services").await;
    rig.all_tried(2).await;
    assert_eq!(rig.deployment(Colour::Green).await["spec"]["replicas"], 2);
    rig.point_at(Colour::Blue).await;
    rig.wait_replicas(Colour::Green, 0).await;
    // It is gone altogether: there is nothing to stop.
    rig.api::<Deployment>().delete("app-green", &DeleteParams::default()).await.unwrap();
    rig.order(stop(Colour::Green, 3)).await;
    rig.told("it is not there", |it| it.failure.as_deref() == Some("Deployment app-green is not there")).await;
}

#[tokio::test]
async fn a_service_that_moves_between_the_look_and_the_stop_gets_its_pods_back() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    let before = rig.deployment(Colour::Green).await;
    rig.server.forget_used();
    let slow = Failure::Slow(Duration::from_secs(3));
    rig.server.fail(Fault::new(slow).on(&["get"]).about("services").by("admin").times(1));
    rig.order(stop(Colour::Green, 1)).await;
    rig.wait_asked("get", "services").await;
    rig.point_at(Colour::Green).await;
    let generation = before["metadata"]["generation"].as_i64().unwrap();
    let both = || async {
        (rig.deployment(Colour::Green).await["metadata"]["generation"].as_i64() >= Some(generation + 2)).then_some(())
    };
    until("it was stopped, and was not", both).await;
    let after = rig.deployment(Colour::Green).await;
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(after["metadata"]["annotations"], before["metadata"]["annotations"]);
    rig.point_at(Colour::Blue).await;
    rig.wait_replicas(Colour::Green, 0).await;
}

#[tokio::test]
async fn a_deployment_that_changes_between_the_look_and_the_stop_is_looked_at_again() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    rig.server.forget_used();
    let slow = Failure::Slow(Duration::from_secs(3));
    rig.server.fail(Fault::new(slow).on(&["get"]).about("services").by("admin").times(1));
    rig.order(stop(Colour::Green, 1)).await;
    rig.wait_asked("get", "services").await;
    // Another agent, which leads by now, starts the next release there.
    let newer = json!({"metadata": {"annotations": {"teal.trancloud.work/release": "2"}}});
    rig.patch::<Deployment>("app-green", newer).await;
    rig.all_tried(3).await;
    assert_eq!(rig.deployment(Colour::Green).await["spec"]["replicas"], 2);
}

#[tokio::test]
async fn another_version_waits_while_the_service_sends_users_there_unless_that_was_ordered() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    rig.point_at(Colour::Green).await;
    rig.start_order(Colour::Green, "v3", 2).await;
    let held = rig.told("it is held", |it| it.colour == Colour::Green && it.release == 2).await;
    assert_eq!((held.version.as_deref(), held.ready, held.wanted), (Some("v3"), 2, 3), "never as many as wanted");
    assert_eq!(held.failure.as_deref(), Some("Service app sends users to green, which is left as it is"));
    let image = async |rig: &Rig| {
        rig.deployment(Colour::Green).await["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(image(&rig).await, "site/app:v2");
    rig.point_at(Colour::Blue).await;
    rig.told("it is started", |it| it.version.as_deref() == Some("v3") && it.failure.is_none()).await;
    rig.settle().await;
    rig.order(PlatformOrder::Select { component: 0, colour: Colour::Green, release: 2 }).await;
    rig.start_order(Colour::Green, "v4", 3).await;
    rig.told("it is where users were ordered to be", |it| it.version.as_deref() == Some("v4") && it.release == 3).await;
}

#[tokio::test]
async fn an_autoscaler_that_is_deleted_meanwhile_is_no_failure() {
    let mut rig = Rig::start().await;
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "app-blue"});
    let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5});
    rig.create::<HorizontalPodAutoscaler>(json!({"metadata": {"name": "s"}, "spec": spec})).await;
    let gone = Fault::new(Failure::Error(404)).on(&["patch"]).about("horizontalpodautoscalers").by("admin");
    rig.server.fail(gone.times(1));
    let up = rig.release("v2", 1).await;
    assert_eq!((up.ready, up.failure), (2, None));
}

#[tokio::test]
async fn a_deployment_that_is_made_anew_while_its_order_is_awaited_is_told() {
    let mut rig = Rig::start().await;
    rig.server.forget_used();
    let slow = Failure::Slow(Duration::from_secs(3));
    rig.server.fail(Fault::new(slow).on(&["patch"]).about("deployments").by("admin").times(1));
    rig.start_order(Colour::Green, "v2", 1).await;
    rig.wait_asked("patch", "deployments").await;
    rig.api::<Deployment>().delete("app-green", &DeleteParams::default()).await.unwrap();
    rig.create::<Deployment>(deployment(Colour::Green, "v1", 0)).await;
    let lost =
        rig.told("the order is lost", |it| it.colour == Colour::Green && it.failure.is_some() && it.release == 1);
    let lost = lost.await;
    assert_eq!((lost.version.as_deref(), lost.wanted), (Some("v2"), 0));
    assert!(lost.failure.is_some_and(|why| why.contains("app-green was deleted and made anew")));
    rig.release("v3", 2).await;
}

#[tokio::test]
async fn a_version_that_no_image_can_have_is_refused_before_anything_is_written() {
    let mut rig = Rig::start().await;
    rig.server.forget_used();
    for version in ["a b", "site/app", "v1+2"] {
        rig.start_order(Colour::Green, version, 1).await;
        let refused = rig.told("it is refused", |it| it.version.as_deref() == Some(version)).await;
        assert_eq!((refused.wanted, refused.release), (0, 1));
        let words = format!("`{version}` is no image tag");
        assert!(refused.failure.is_some_and(|why| why.starts_with(&words)));
    }
    assert!(rig.used().iter().all(|(verb, _)| ["get", "list", "watch"].contains(&verb.as_str())), "{:?}", rig.used());
}
