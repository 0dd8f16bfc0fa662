//! Serving from the wrong colour because the right one has nothing ready.

use std::time::Duration;

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::colour::Share;
use crate::criteria::Criteria;
use crate::document::{Outcome, Phase};
use crate::machine::News;
use crate::machine::event::Order;
use crate::settings::{ComponentSettings, Step};

fn canary() -> World {
    let mut world = World::with(|s| s.steps = vec![Step { share: Share::percent(10), hold: Duration::from_secs(5) }]);
    world.watched("v2");
    world
}

const ENTERED: fn() -> News = || News::Emergency { component: "api".into() };
const LEFT: fn() -> News = || News::EmergencyOver { component: "api".into() };

#[test]
fn a_canary_takes_all_when_the_old_colour_dies_and_gives_back_after_five_good_seconds() {
    let mut world = canary();
    world.capacity(0, Blue, Some("v1"), 0);
    assert_eq!(world.routed(), "v1:1.2.open:blue:green:100000:teal:0");
    assert!(world.said(&ENTERED()));
    world.capacity(0, Blue, Some("v1"), 2).pass(4);
    assert!(!world.said(&LEFT()));
    world.pass(1);
    assert_eq!(world.routed(), "v1:1.3.open:blue:green:10000:teal:0");
    assert!(world.said(&LEFT()));
}

#[test]
fn it_is_left_at_once_when_the_refuge_dies_too() {
    let mut world = canary();
    world.capacity(0, Blue, Some("v1"), 0).capacity(0, Green, Some("v2"), 0).capacity(0, Blue, Some("v1"), 1);
    assert!(world.routed().ends_with("bad:blue:green:0:teal:0"), "{}", world.routed());
}

#[test]
fn a_bad_release_serves_in_an_emergency_and_stays_bad() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.in_flight = 1;
    world.report();
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.capacity(0, Blue, Some("v1"), 0);
    assert_eq!(world.routed(), "v1:1.2.bad:blue:green:100000:teal:0");
    world.pass(30);
    assert_eq!((world.phase(), world.stopped()), (Phase::RollingBack, vec![]), "the refuge keeps running");
    world.capacity(0, Blue, Some("v1"), 2).pass(6);
    assert_eq!(world.routed(), "v1:1.3.bad:blue:green:0:teal:0");
    world.edge.in_flight = 0;
    world.pass(1);
    assert_eq!((world.phase(), world.stopped(), world.doc().is_bad()), (Phase::Idle, vec![Green], true));
}

#[test]
fn it_is_told_once_in_a_release() {
    let mut world = canary();
    for _ in 0..3 {
        world.capacity(0, Blue, Some("v1"), 0).capacity(0, Blue, Some("v1"), 2).pass(6);
    }
    assert_eq!(world.news().iter().filter(|n| ***n == ENTERED()).count(), 1);
    assert_eq!(world.news().iter().filter(|n| ***n == LEFT()).count(), 3);
}

#[test]
fn a_switch_that_waits_for_a_disk_does_not_wait_any_more_when_the_old_colour_is_gone() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.edge.disk_full = true;
    world.smoke_ok().capacity(0, Blue, Some("v1"), 0);
    assert_eq!(world.routed(), "v1:1.2.open:blue:green:100000:teal:0");
}

#[test]
fn what_is_forward_elsewhere_still_waits_for_the_store() {
    let mut world = World::with(|settings| {
        settings.components.push(ComponentSettings {
            name: "web".into(),
            criteria: Criteria { acceptable_error_rate: 0.05, min_requests: 20, ..Criteria::default() },
        });
    });
    world.deploy("v2").ready();
    world.store_up = false;
    world.smoke_ok().capacity(1, Blue, Some("v1"), 0);
    assert_eq!(world.routed(), "v1:1.2.open:blue:green:0:blue:green:100000:teal:0", "web only");
    world.store_back();
    assert_eq!(world.routed(), "v1:1.3.open:blue:green:100000:blue:green:100000:teal:0");
}

#[test]
fn going_back_leaves_out_what_has_nothing_to_go_back_to() {
    let mut world = World::with(|settings| {
        settings.components.push(ComponentSettings {
            name: "web".into(),
            criteria: Criteria { acceptable_error_rate: 0.05, min_requests: 20, ..Criteria::default() },
        });
    });
    world.watched("v2").capacity(1, Blue, Some("v1"), 0).bad(20).probed(3).probed(0);
    assert_eq!(world.routed(), "v1:1.2.bad:blue:green:0:blue:green:100000:teal:0");
    assert_eq!(world.doc().outcome, Some(Outcome::RolledBack));
}

/// In the emergency the store had everything on the new colour. That is over, whatever the store has heard of it.
#[test]
fn a_hand_is_not_put_back_to_the_share_of_an_emergency_that_is_over() {
    let mut world = World::with(|settings| {
        settings.steps = vec![Step { share: Share::percent(50), hold: Duration::from_secs(8) }];
    });
    world.watched("v2").capacity(0, Blue, Some("v1"), 0);
    assert!(world.routed().contains(":blue:green:100000:"), "{}", world.routed());
    world.store_up = false;
    world.capacity(0, Blue, Some("v1"), 2).good(30).pass(6).good(30).pass(6);
    assert_eq!((world.phase(), world.doc().share), (Phase::Switching, Share::ALL), "a step that waits for the store");
    let by_hand = world.routed().replace(":50000:", ":30000:");
    world.edit(&by_hand);
    assert!(world.said(&News::ManualPutBack));
    assert!(world.routed().contains(":blue:green:50000:"), "{}", world.routed());
}
