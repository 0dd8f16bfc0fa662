//! When a selector is written, and what is said of one that somebody else moved.

use std::time::Duration;

use teal_testkit::until;
use tokio::time::Instant;

use super::super::select::Selection;
use super::*;

fn service(colour: &str, release: u64, version: u64) -> Service {
    let annotations = json!({"teal.trancloud.work/release": release.to_string()});
    let metadata = json!({"name": "app", "resourceVersion": version.to_string(), "annotations": annotations});
    serde_json::from_value(json!({"metadata": metadata, "spec": {"selector": {"version": colour}}})).unwrap()
}

/// Green was selected for release 1 in version 10 of the Service.
fn written(now: Instant) -> Selection {
    let mut selection = Selection::default();
    selection.order(Colour::Green, 1, now);
    assert_eq!(selection.due(now), Some((Colour::Green, 1)));
    selection.done(Some("10".to_owned()));
    selection
}

#[test]
fn a_hand_is_told_once_for_each_change() {
    let now = Instant::now();
    let mut selection = written(now);
    let mut check = |service: Service, told: Option<Option<Colour>>| {
        assert_eq!(selection.see(&service, now), told, "{service:?}");
    };
    check(service("blue", 0, 9), None);
    check(service("green", 1, 10), None);
    check(service("blue", 1, 11), Some(Some(Colour::Blue)));
    check(service("blue", 1, 11), None);
    check(service("neither", 1, 12), Some(None));
    check(service("green", 1, 13), None);
    check(service("blue", 1, 14), Some(Some(Colour::Blue)));
}

#[test]
fn a_hand_between_our_write_and_our_watch_is_not_lost() {
    let now = Instant::now();
    let mut selection = written(now);
    assert_eq!(selection.see(&service("blue", 1, 11), now), Some(Some(Colour::Blue)));
}

#[test]
fn another_agent_that_selects_for_a_newer_release_is_no_hand() {
    let now = Instant::now();
    let mut selection = written(now);
    assert_eq!(selection.see(&service("green", 1, 10), now), None);
    assert_eq!(selection.see(&service("blue", 2, 11), now), None);
    assert_eq!(selection.see(&service("green", 2, 12), now), None);
}

#[test]
fn what_was_moved_is_put_back_with_growing_patience() {
    let mut now = Instant::now();
    let mut selection = written(now);
    let mut version = 10;
    selection.see(&service("green", 1, version), now);
    for seconds in [30, 60, 120, 240, 480, 600, 600] {
        version += 1;
        assert!(selection.see(&service("blue", 1, version), now).is_some());
        selection.order(Colour::Green, 1, now);
        let wanted = Duration::from_secs(seconds);
        assert_eq!(selection.deadline(), Some(now + wanted));
        assert_eq!(selection.due(now + wanted - Duration::from_millis(1)), None, "{seconds} s");
        now += wanted;
        assert!(selection.due(now).is_some());
        version += 1;
        selection.done(Some(version.to_string()));
        selection.see(&service("green", 1, version), now);
    }
    // After an hour without a hand.
    now += Duration::from_secs(3600);
    assert!(selection.see(&service("blue", 1, version + 1), now).is_some());
    selection.order(Colour::Green, 1, now);
    assert_eq!(selection.deadline(), Some(now + Duration::from_secs(30)));
}

#[test]
fn an_order_for_the_other_colour_waits_for_nothing() {
    let now = Instant::now();
    let mut selection = written(now);
    selection.see(&service("green", 1, 10), now);
    selection.see(&service("neither", 1, 11), now);
    selection.order(Colour::Blue, 1, now);
    assert_eq!(selection.due(now), Some((Colour::Blue, 1)));
}

#[tokio::test]
async fn a_select_moves_the_selector_alone_a_hand_is_told_and_an_old_select_dropped() {
    let mut rig = Rig::start().await;
    let select = |colour, release| PlatformOrder::Select { component: 0, colour, release };
    let selector = async |rig: &Rig| rig.api::<Service>().get("app").await.unwrap().spec.unwrap().selector.unwrap();
    rig.order(select(Colour::Green, 5)).await;
    until("green is selected", || async { (selector(&rig).await["version"] == "green").then_some(()) }).await;
    assert_eq!(selector(&rig).await["app"], "app");
    rig.order(select(Colour::Blue, 4)).await;
    rig.all_tried(6).await;
    assert_eq!(selector(&rig).await["version"], "green");
    rig.patch::<Service>("app", json!({"spec": {"selector": {"version": "blue"}}})).await;
    let drift = |event| match event {
        Event::Drift { component: 0, colour } => Some(colour),
        _ => None,
    };
    assert_eq!(rig.next("a hand", drift).await, Some(Colour::Blue));
}
