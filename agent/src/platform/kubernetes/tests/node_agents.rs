//! What agents on the nodes tell while the API server does not answer this one.

use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use teal_testkit::kubernetes::{Cut, Failure, Fate, Fault};
use teal_testkit::until;
use tokio::time::Instant;

use super::super::capacity::is_of;
use super::super::node_agents as adding;
use super::super::teller::Place;
use super::super::workload::State;
use super::*;
use crate::api::Observation;
use crate::cluster::nodes::{Taking, groups};

/// What an observer on each node tells now.
async fn tellings(rig: &Rig, sequence: u64) -> Vec<Observation> {
    let mut all = Vec::new();
    for node in ["node-1", "node-2"] {
        let only = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let pods = rig.api::<Pod>().list(&only).await.unwrap().items;
        let groups = Some(groups(&pods, &["app".to_owned()]));
        all.push(Observation { observer: node.into(), boot: "0".repeat(32), sequence, node: node.into(), groups });
    }
    all
}

/// The adapter's own way to the API server is gone, and it knows.
async fn lose(rig: &mut Rig) {
    rig.server.fail(Fault::new(Failure::Reset).by("admin"));
    rig.server.cut_watches(Cut::Dropped);
    // What happens now is not heard of.
    until("the watches are tried again", || async {
        let tried =
            rig.server.used().iter().rev().take_while(|used| used.user == "admin" && used.verb == "watch").count();
        (tried >= 6).then_some(())
    })
    .await;
}

async fn crash(rig: &Rig) {
    let mut world = World::of(&rig.server, NAMESPACE);
    world.fate("app-green", Fate::CrashLoop { restarts: 4, log: String::new() });
    world.settle().await;
}

#[tokio::test]
async fn pods_that_crash_while_the_api_server_is_away_are_told_by_their_nodes() {
    let mut rig = Rig::start().await;
    rig.release("v2", 7).await;
    lose(&mut rig).await;
    crash(&rig).await;
    let [first, second] = <[Observation; 2]>::try_from(tellings(&rig, 1).await).unwrap();
    // One node alone does not say that all is lost.
    assert_eq!(rig.heard.take(first), Taking::Taken);
    assert_eq!(rig.heard.take(second), Taking::Taken);
    let told = rig.told("nothing is ready", |it| it.colour == Colour::Green).await;
    let failure = told.failure.clone().unwrap_or_default();
    assert_eq!((told.ready, told.wanted, told.crash_looping, told.release), (0, 2, 2, 7), "{failure}");
    assert_eq!(told.version.as_deref(), Some("v2"));
    assert!(failure.contains("exit status 1"), "{failure}");
    // The server is back, with good news.
    rig.server.heal();
    World::of(&rig.server, NAMESPACE).settle().await;
    rig.told("the watch's own word counts", |it| it.colour == Colour::Green && it.failure != told.failure).await;
}

#[tokio::test]
async fn what_is_not_known_of_a_node_is_not_zero() {
    let mut rig = Rig::start().await;
    rig.release("v2", 7).await;
    let now = Instant::now();
    let settings = rig.settings.clone();
    let deployment: Deployment = serde_json::from_value(rig.deployment(Colour::Green).await).unwrap();
    let seen = rig.api::<Pod>().list(&ListParams::default()).await.unwrap().items;
    crash(&rig).await;
    let crashed = tellings(&rig, 1).await;
    let check = |tellings: &[Observation], seen: &[Pod], late: bool, expected: Option<(u32, u32)>| {
        let heard = Heard::default();
        for telling in tellings {
            assert_eq!(heard.take(telling.clone()), Taking::Taken);
        }
        let component = (0, &settings.components[0], Colour::Green);
        let now = if late { now + std::time::Duration::from_secs(60) } else { now };
        let found = adding::capacity(component, &deployment, seen.iter(), &heard.watch().borrow(), now);
        assert_eq!(found.map(|found| (found.ready, found.crash_looping)), expected, "{tellings:?}");
    };
    check(&crashed, &seen, false, Some((0, 2)));
    check(&[], &seen, false, None);
    check(&crashed[..1], &seen, false, None);
    check(&crashed[1..], &seen, false, None);
    check(&crashed, &seen, true, None);
    let unknown = Observation { groups: None, ..crashed[1].clone() };
    check(&[crashed[0].clone(), unknown], &seen, false, None);
    // A Pod that nobody tells of may be anywhere, and serve.
    let gone = Observation { groups: Some(Vec::new()), ..crashed[1].clone() };
    check(&[crashed[0].clone(), gone], &seen, false, None);
    // As many as are wanted are told, and one more was on a node that is silent.
    let mut third = seen.clone();
    let mut more = third[0].clone();
    more.spec.as_mut().unwrap().node_name = Some("node-3".into());
    more.metadata.labels.clone_from(&seen.iter().find(|pod| is_of(pod, &deployment)).unwrap().metadata.labels);
    third.push(more);
    check(&crashed, &third, false, None);
    // The same where that node itself told of it, and does not know now.
    let on_third = |sequence, groups| {
        let node = "node-3".to_owned();
        Observation { observer: node.clone(), boot: "0".repeat(32), sequence, node, groups }
    };
    let [told, silent] = [on_third(1, crashed[0].groups.clone()), on_third(2, None)];
    check(&[crashed[0].clone(), crashed[1].clone(), told, silent], &seen, false, None);
    // Pods of another template are no Pods of this release.
    let mut older = crashed.clone();
    older.iter_mut().flat_map(|it| it.groups.iter_mut().flatten()).for_each(|it| it.templates.clear());
    check(&older, &seen, false, None);
    // With nothing seen before: what the nodes tell is enough where no Pod is missing.
    check(&crashed, &[], false, Some((0, 2)));
    check(&crashed[..1], &[], false, None);
}

#[tokio::test]
async fn nodes_are_not_asked_while_the_watch_stands() {
    let mut rig = Rig::start().await;
    rig.release("v2", 7).await;
    let mut lies = tellings(&rig, 1).await;
    for group in lies.iter_mut().flat_map(|it| it.groups.iter_mut().flatten()) {
        group.ready = 0;
    }
    for lie in lies {
        assert_eq!(rig.heard.take(lie), Taking::Taken);
    }
    // Everything that comes is told again after an order.
    rig.start_order(Colour::Green, "v2", 8).await;
    let told = rig.told("green is marked", |it| it.colour == Colour::Green).await;
    assert_eq!((told.release, told.ready), (8, 2));
}

#[tokio::test]
async fn pods_of_the_version_before_say_nothing_of_an_order_that_is_not_seen_yet() {
    let mut rig = Rig::start().await;
    rig.release("v2", 7).await;
    crash(&rig).await;
    let deployment: Deployment = serde_json::from_value(rig.deployment(Colour::Green).await).unwrap();
    let pods = rig.api::<Pod>().list(&ListParams::default()).await.unwrap().items;
    let heard = Heard::default();
    for telling in tellings(&rig, 1).await {
        assert_eq!(heard.take(telling), Taking::Taken);
    }
    let mut place = Place { component: 0, colour: Colour::Green, awaited: None, stuck: None, told: None };
    let mut told = |awaited: Option<State>| {
        place.awaited = awaited.map(|state| (state, "v3".to_owned(), 8));
        place.told_by(&heard.watch().borrow(), &rig.settings, &deployment, pods.iter()).map(|told| told.release)
    };
    assert_eq!(told(Some(State::of(&deployment))), None);
    assert_eq!(told(None), Some(7));
    assert_eq!(told(None), None, "once");
}
