//! An API server that refuses, hangs, forgets or is away.

use std::time::Duration;

use teal_testkit::kubernetes::{Cut, Failure, Fault};
use teal_testkit::until;

use super::*;
use crate::cluster::client::{Limits, with};

#[tokio::test]
async fn a_start_is_carried_out_through_every_trouble_and_only_once() {
    let check = async |failure: Failure, verbs: &[&str], times: u32| {
        let mut rig = Rig::start().await;
        rig.server.fail(Fault::new(failure).on(verbs).about("deployments").by("admin").times(times));
        let up = rig.release("v2", 1).await;
        assert_eq!((up.version.as_deref(), up.ready), (Some("v2"), 2), "{failure:?}");
        let template = &rig.deployment(Colour::Green).await["spec"]["template"];
        assert_eq!(template["spec"]["containers"][0]["image"], "site/app:v2", "{failure:?}");
    };
    check(Failure::Conflict, &["patch"], 5).await;
    check(Failure::Error(500), &["get", "patch"], 4).await;
    check(Failure::TooManyRequests(1), &["patch"], 2).await;
    check(Failure::Lost, &["patch"], 1).await;
    check(Failure::Reset, &["get"], 2).await;
    check(Failure::Hang, &["patch"], 1).await;
}

#[tokio::test]
async fn while_the_server_is_away_nothing_is_told_and_orders_are_carried_out_when_it_is_back() {
    let mut rig = Rig::start().await;
    rig.all_tried(1).await;
    while rig.events.try_recv().is_ok() {}
    rig.server.stop().await;
    rig.start_order(Colour::Green, "v2", 2).await;
    let told = timeout(Duration::from_secs(1), rig.events.recv()).await;
    assert!(told.is_err(), "away is not zero: {told:?}");
    rig.server.start_again();
    let image = || async {
        let image = rig.deployment(Colour::Green).await["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        (image == "site/app:v2").then_some(())
    };
    until("v2 is ordered", image).await;
    rig.settle().await;
    rig.told("v2 is up", |it| it.version.as_deref() == Some("v2") && it.ready == 2).await;
}

#[tokio::test]
async fn watches_that_are_cut_or_too_old_never_say_zero() {
    let mut rig = Rig::start().await;
    for (cut, release) in [(Cut::Dropped, 1), (Cut::Ended, 2), (Cut::Expired, 3)] {
        rig.server.compact();
        rig.server.cut_watches(cut);
        rig.start_order(Colour::Blue, "v1", release).await;
        let is = |it: &Capacity| it.colour == Colour::Blue && (it.ready != 2 || it.release == release);
        assert_eq!(rig.told("blue as it is", is).await.ready, 2);
    }
}

#[tokio::test]
async fn what_only_a_person_can_mend_is_told_as_the_release_s_failure() {
    let mut rig = Rig::start().await;
    rig.api::<Deployment>().delete("app-green", &kube::api::DeleteParams::default()).await.unwrap();
    rig.told("it is missing", |it| it.failure.as_deref() == Some("Deployment app-green is not there")).await;
    rig.start_order(Colour::Green, "v2", 1).await;
    let failed = rig.told("the order failed", |it| it.release == 1).await;
    assert_eq!((failed.version.as_deref(), failed.ready), (Some("v2"), 0));
    assert!(failed.failure.is_some_and(|why| why.contains("app-green")));
}

#[tokio::test]
async fn what_serves_is_found_and_errors_say_what_to_do() {
    let rig = Rig::start().await;
    let found = detect(&rig.client, &rig.settings).await.unwrap();
    assert_eq!(found, [Found { colour: Colour::Blue, version: Some("v1".into()) }]);
    let check = async |words: &str| {
        let error = detect(&rig.client, &rig.settings).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let beside = json!({"spec": {"template": {"spec": {"containers": [{"name": "beside", "image": "b:1"}]}}}});
    rig.patch::<Deployment>("app-green", beside).await;
    check("set `container`").await;
    rig.api::<Deployment>().delete("app-green", &kube::api::DeleteParams::default()).await.unwrap();
    check("kubectl -n site-prod get deployment app-green").await;
    rig.patch::<Service>("app", json!({"spec": {"selector": {"version": "red"}}})).await;
    check("selects no `version: blue` or `version: green`").await;
}

#[tokio::test]
async fn last_lines_are_of_the_colour_s_pods_alone() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    for pod in rig.api::<Pod>().list(&ListParams::default()).await.unwrap() {
        let name = pod.metadata.name.unwrap();
        rig.server.set_log(NAMESPACE, &name, "app", false, &format!("line of {name}\n"));
    }
    let lines = last_lines(&rig.client, &rig.settings, 0, Colour::Green, 5).await;
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.starts_with("app-green")), "{lines:?}");
    assert!(last_lines(&rig.client, &rig.settings, 9, Colour::Green, 5).await.is_empty());
    // A node that has no log any more says so in its place.
    for pod in rig.api::<Pod>().list(&ListParams::default()).await.unwrap() {
        let text = "unable to retrieve container logs for containerd://9c29f6\nthe last\n";
        rig.server.set_log(NAMESPACE, &pod.metadata.name.unwrap(), "app", false, text);
    }
    let lines = last_lines(&rig.client, &rig.settings, 0, Colour::Green, 5).await;
    assert!(lines.len() == 2 && lines.iter().all(|line| line.ends_with("| the last")), "{lines:?}");
    // Another version is ordered: what Pods of this one say is nothing of it.
    rig.start_order(Colour::Green, "v3", 2).await;
    let image = || async {
        let image = rig.deployment(Colour::Green).await["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        (image == "site/app:v3").then_some(())
    };
    until("v3 is ordered", image).await;
    assert_eq!(last_lines(&rig.client, &rig.settings, 0, Colour::Green, 5).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_that_hangs_delays_neither_what_is_told_nor_another_component() {
    let mut rig = Rig::start().await;
    rig.add("web", 1).await;
    // No limit that a test would see the end of.
    let limits = Limits { answer: Duration::from_secs(3600), ..Limits::default() };
    rig.client = with(rig.server.config("admin"), limits).unwrap().client;
    rig.restart();
    rig.settle().await;
    rig.told("blue serves", |it| it.component == 0 && it.colour == Colour::Blue && it.ready == 2).await;

    rig.server.fail(Fault::new(Failure::Hang).on(&["patch"]).about("deployments").by("admin").times(1));
    rig.start_order(Colour::Green, "v2", 1).await;
    let hangs = || async { rig.used().contains(&("patch".into(), "deployments".into())).then_some(()) };
    until("the PATCH hangs", hangs).await;
    let pod =
        rig.api::<Pod>().list(&ListParams::default().labels("app=app,version=blue")).await.unwrap().items.remove(0);
    rig.api::<Pod>().delete(&pod.metadata.name.unwrap(), &kube::api::DeleteParams::default()).await.unwrap();
    rig.told("the way back has lost one", |it| it.component == 0 && it.colour == Colour::Blue && it.ready == 1).await;
    rig.order(PlatformOrder::Start { component: 1, colour: Colour::Green, version: "v2".into(), release: 1 }).await;
    rig.told("web is started", |it| it.component == 1 && it.version.as_deref() == Some("v2")).await;
    rig.order(PlatformOrder::Select { component: 0, colour: Colour::Green, release: 1 }).await;
    let selector = || async { rig.api::<Service>().get("app").await.unwrap().spec.unwrap().selector };
    until("app is selected", || async { (selector().await?["version"] == "green").then_some(()) }).await;
    assert_eq!(rig.deployment(Colour::Green).await["metadata"]["annotations"], Value::Null, "its PATCH still hangs");
}
