//! What Start and Stop write, and what they leave alone.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;
use teal_testkit::kubernetes::{Failure, Fault};
use teal_testkit::until;

use super::*;

#[tokio::test]
async fn a_start_brings_up_as_many_as_serve_and_at_rest_only_watches_are_asked() {
    let mut rig = Rig::start().await;
    let up = rig.release("v2", 1).await;
    assert_eq!((up.version.as_deref(), up.ready, up.wanted, up.failure), (Some("v2"), 2, 2, None));
    let before = rig.deployment(Colour::Green).await["spec"].clone();
    // Once more, and for another release: what runs is not touched.
    for release in [1, 2] {
        rig.start_order(Colour::Green, "v2", release).await;
        rig.told("it is told again", |it| it.colour == Colour::Green && it.release == release && it.ready == 2).await;
    }
    assert_eq!(rig.deployment(Colour::Green).await["spec"], before);
    println!("used: {:?}", rig.used());

    rig.server.forget_used();
    let pod = rig.api::<Pod>().list(&ListParams::default().labels("version=green")).await.unwrap().items.remove(0);
    rig.api::<Pod>().delete(&pod.name_any(), &kube::api::DeleteParams::default()).await.unwrap();
    rig.told("one is gone", |it| it.colour == Colour::Green && it.ready == 1).await;
    assert!(rig.used().iter().all(|(verb, _)| verb == "watch"), "{:?}", rig.used());
}

#[tokio::test]
async fn orders_of_an_older_release_are_dropped_wherever_the_newer_one_stands() {
    let mut rig = Rig::start().await;
    rig.release("v2", 5).await;
    let before = rig.deployment(Colour::Green).await["spec"].clone();
    rig.start_order(Colour::Green, "v0", 4).await;
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 4 }).await;
    rig.all_tried(6).await;
    assert_eq!(rig.deployment(Colour::Green).await["spec"], before);

    // The newer one still waits.
    rig.server.stop().await;
    rig.start_order(Colour::Green, "v3", 8).await;
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 7 }).await;
    rig.server.start_again();
    rig.told("v3 is wanted", |it| it.version.as_deref() == Some("v3") && it.wanted >= 2).await;
}

#[tokio::test]
async fn a_stop_takes_every_pod_and_the_next_start_has_as_many_as_before() {
    let mut rig = Rig::start().await;
    rig.release("v2", 1).await;
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 1 }).await;
    rig.told("nothing is wanted", |it| it.colour == Colour::Green && it.wanted == 0 && it.version.is_none()).await;
    assert_eq!(rig.deployment(Colour::Blue).await["spec"]["replicas"], 2);
    rig.release("v3", 2).await;
}

#[tokio::test]
async fn autoscalers_of_both_colours_are_held_and_let_go_by_another_agent_too() {
    let mut rig = Rig::start().await;
    for colour in Colour::BOTH {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("app-{colour}")});
        let spec = json!({"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5});
        rig.create::<HorizontalPodAutoscaler>(json!({"metadata": {"name": format!("s-{colour}")}, "spec": spec})).await;
    }
    let least = async |rig: &Rig| {
        let all = rig.api::<HorizontalPodAutoscaler>().list(&ListParams::default()).await.unwrap().items;
        all.into_iter().map(|it| it.spec.unwrap().min_replicas).collect::<Vec<_>>()
    };
    rig.release("v2", 1).await;
    assert_eq!(least(&rig).await, [Some(2), Some(2)]);
    rig.restart();
    rig.start_order(Colour::Green, "v2", 1).await;
    rig.order(PlatformOrder::Stop { component: 0, colour: Colour::Green, release: 1 }).await;
    rig.told("nothing is wanted", |it| it.colour == Colour::Green && it.wanted == 0).await;
    until("both are let go", || async { (least(&rig).await == [Some(1), Some(1)]).then_some(()) }).await;
}

#[tokio::test]
async fn a_colour_runs_with_copies_of_its_configuration_and_old_ones_go() {
    let check = async |secrets: bool| {
        let mut rig = Rig::start().await;
        rig.create::<ConfigMap>(json!({"metadata": {"name": "settings"}, "data": {"LIMIT": "1"}})).await;
        rig.create::<Secret>(json!({"metadata": {"name": "keys"}, "stringData": {"KEY": "k"}})).await;
        let sources = json!([{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "keys"}}]);
        let template = json!({"spec": {"containers": [{"name": "app", "envFrom": sources}]}});
        rig.patch::<Deployment>("app-green", json!({"spec": {"template": template}})).await;
        rig.settings.components[0].secrets = secrets;
        rig.restart();
        let mut names = Vec::new();
        for release in 1..=3 {
            let limit = json!({"data": {"LIMIT": release.to_string()}});
            rig.patch::<ConfigMap>("settings", limit).await;
            rig.release(&format!("v{}", release + 1), release).await;
            let spec = rig.deployment(Colour::Green).await["spec"]["template"]["spec"]["containers"][0].clone();
            let name = spec["envFrom"][0]["configMapRef"]["name"].as_str().unwrap().to_owned();
            let secret = spec["envFrom"][1]["secretRef"]["name"].as_str().unwrap().to_owned();
            assert_eq!(secret != "keys", secrets, "{secret}");
            let copy = rig.api::<ConfigMap>().get(&name).await.unwrap();
            assert_eq!((copy.immutable, copy.data.unwrap()["LIMIT"].as_str()), (Some(true), &*release.to_string()));
            names.push(name);
        }
        let gone = || async { rig.api::<ConfigMap>().get_opt(&names[0]).await.unwrap().is_none().then_some(()) };
        until("the first copy is gone", gone).await;
        assert!(rig.api::<ConfigMap>().get_opt(&names[1]).await.unwrap().is_some(), "Pods may still name it");
        assert_eq!(rig.api::<ConfigMap>().get("settings").await.unwrap().immutable, None);
    };
    check(true).await;
    check(false).await;
}

#[tokio::test]
async fn secrets_that_may_not_be_read_are_refused_with_the_way_out() {
    let mut rig = Rig::start().await;
    rig.create::<Secret>(json!({"metadata": {"name": "keys"}, "stringData": {"KEY": "k"}})).await;
    let template = json!({"spec": {"containers": [{"name": "app", "envFrom": [{"secretRef": {"name": "keys"}}]}]}});
    rig.patch::<Deployment>("app-green", json!({"spec": {"template": template}})).await;
    rig.server.fail(Fault::new(Failure::Error(403)).about("secrets"));
    rig.start_order(Colour::Green, "v2", 1).await;
    let refused = rig.told("green is refused", |it| it.colour == Colour::Green && it.failure.is_some()).await;
    let why = refused.failure.unwrap();
    assert!(why.contains("secret-snapshots") && why.contains("`secrets = false`"), "{why}");
}
