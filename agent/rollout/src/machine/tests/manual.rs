//! A human's hand on the map.

use super::fixture::World;
use crate::colour::Colour::Blue;
use crate::document::{Cause, Phase};
use crate::machine::News;
use crate::machine::event::Order;

#[test]
fn a_move_to_the_last_good_colour_is_adopted_and_final() {
    for kept in [false, true] {
        let mut world = World::new();
        if kept {
            world.retained("v2")
        } else {
            world.watched("v2")
        };
        world.edit("v1:1.1.open:blue:green:0:teal:0");
        assert_eq!(world.doc().cause, Some(Cause::Manual));
        assert!(world.said(&News::ManualAdopted));
        assert_eq!(world.routed(), "v1:1.2.bad:blue:green:0:teal:0");
    }
}

#[test]
fn a_move_to_an_unproven_colour_is_put_back() {
    let mut world = World::new();
    world.deploy("v2").ready().edit("v1:1.0.open:blue:green:100000:teal:0");
    assert!(world.said(&News::ManualPutBack));
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Smoke, "v1:1.1.open:blue:green:0:teal:0"));
}

#[test]
fn a_move_to_an_old_colour_that_is_gone_is_put_back() {
    let mut dead = World::new();
    dead.watched("v2").capacity(0, Blue, Some("v1"), 0).edit("v1:1.1.open:blue:green:0:teal:0");
    assert!(dead.said(&News::ManualPutBack) && !dead.doc().is_bad());
    let mut stopped = World::new();
    stopped.retained("v2").pass(61).edit("v1:1.1.open:blue:green:0:teal:0");
    assert!(stopped.said(&News::ManualPutBack));
    assert_eq!((stopped.phase(), stopped.doc().is_bad()), (Phase::Idle, false));
    assert_eq!(stopped.routed(), "v1:1.2.open:blue:green:100000:teal:0");
}

#[test]
fn a_pause_leaves_a_hand_alone_until_it_ends() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.order(Order::Pause { by: "ben".into() }).unwrap();
    world.edit("v1:1.0.open:blue:green:30000:teal:0").pass(3);
    assert_eq!(world.routed(), "v1:1.0.open:blue:green:30000:teal:0");
    world.order(Order::Resume { by: "ben".into() }).unwrap();
    assert_eq!(world.routed(), "v1:1.1.open:blue:green:0:teal:0");
}

#[test]
fn a_forced_edge_is_learned_from() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.saved = "v1:1.2.bad:blue:green:0:teal:0".parse().unwrap();
    world.edit("v1:1.2.bad:blue:green:0:teal:0");
    assert_eq!(world.doc().cause, Some(Cause::Learned));
    assert_eq!(world.routed(), "v1:1.3.bad:blue:green:0:teal:0");
}

#[test]
fn a_change_that_changes_no_traffic_is_not_announced() {
    let mut world = World::new();
    world.retained("v2");
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.edit("v1:1.5.bad:blue:green:0:teal:0");
    assert!(!world.said(&News::ManualPutBack) && !world.said(&News::ManualAdopted));
    assert_eq!(world.routed(), "v1:1.6.bad:blue:green:0:teal:0");
}

#[test]
fn a_hand_that_moved_while_no_agent_ran_is_found_at_the_start() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.running = "v1:1.1.open:blue:green:0:teal:0".parse().unwrap();
    world.restart();
    assert_eq!(world.doc().cause, Some(Cause::Manual));
}

#[test]
fn a_number_typed_by_hand_is_outranked_and_not_believed() {
    let mut world = World::new();
    world.watched("v2").edit("v1:99.0.open:blue:green:30000:teal:0");
    assert!(world.said(&News::ManualPutBack));
    assert_eq!(world.routed(), "v1:99.1.open:blue:green:100000:teal:0");
}

#[test]
fn a_pause_leaves_a_forced_edge_alone_as_well() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.order(Order::Pause { by: "ben".into() }).unwrap();
    // `edge force` writes the map's file too.
    world.edge.saved = "v1:1.1.open:blue:green:100000:teal:0".parse().unwrap();
    world.edit("v1:1.1.open:blue:green:100000:teal:0").pass(3);
    assert_eq!(world.routed(), "v1:1.1.open:blue:green:100000:teal:0");
    assert!(!world.said(&News::ManualPutBack));
    world.order(Order::Resume { by: "ben".into() }).unwrap();
    assert!(world.said(&News::ManualPutBack));
    assert_eq!(world.routed(), "v1:1.2.open:blue:green:0:teal:0");
}
