//! The agent dies and comes back: it knows what store, files and proxies know, and gives its orders again.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Phase};
use crate::machine::event::Order;

#[test]
fn each_phase_is_resumed_and_gives_its_orders_again() {
    let (old, new) = (|| (Blue, "v1".to_owned()), || (Green, "v2".to_owned()));
    let check = |prepare: fn(&mut World), phase, started: &[_], stopped: &[_]| {
        let mut world = World::new();
        prepare(&mut world);
        let (routed, epoch) = (world.routed(), world.doc().epoch);
        world.restart();
        assert_eq!((world.phase(), world.doc().epoch), (phase, epoch), "{phase:?}");
        assert_eq!((world.started(), world.stopped()), (started.to_vec(), stopped.to_vec()), "{phase:?}");
        assert!(world.routes() > 0 && world.routed() == routed, "{phase:?}");
    };
    check(|_| {}, Phase::Idle, &[old()], &[]);
    check(
        |w| {
            w.deploy("v2");
        },
        Phase::Deploying,
        &[old(), new()],
        &[],
    );
    check(
        |w| {
            w.watched("v2");
        },
        Phase::Watching,
        &[old(), new()],
        &[],
    );
    check(
        |w| {
            w.retained("v2");
        },
        Phase::Retaining,
        &[old(), new()],
        &[],
    );
    check(
        |w| {
            w.retained("v2").pass(61);
        },
        Phase::Idle,
        &[new()],
        &[Blue],
    );
    let rolling_back = |w: &mut World| {
        w.watched("v2").edge.in_flight = 1;
        w.report().order(Order::Rollback { by: "ann".into() }).unwrap();
    };
    check(rolling_back, Phase::RollingBack, &[old()], &[]);
    let rolled_back = |w: &mut World| {
        w.watched("v2").order(Order::Rollback { by: "ann".into() }).unwrap();
        w.pass(4);
    };
    check(rolled_back, Phase::Idle, &[old()], &[Green]);
}

#[test]
fn a_smoke_suite_is_run_again_from_its_start() {
    let mut world = World::new();
    world.deploy("v2").ready().restart();
    let runs = |w: &World| w.actions.iter().any(|a| matches!(a, crate::machine::Action::Smoke { .. }));
    if !runs(&world) {
        world.ready();
    }
    assert!(runs(&world));
    world.smoke_ok();
    assert_eq!(world.phase(), Phase::Watching);
}

#[test]
fn a_switch_that_was_stored_is_finished() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.edge.disk_full = true;
    world.smoke_ok();
    world.edge.disk_full = false;
    world.restart();
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Watching, "v1:1.1.open:blue:green:100000:teal:0"));
}

#[test]
fn a_watch_goes_on_with_its_time_and_its_evidence() {
    let mut world = World::new();
    world.watched("v2").good(100).pass(6).restart();
    let view = world.machine.view();
    assert_eq!(view.elapsed.as_secs(), 6);
    assert_eq!(view.components[0].evidence.as_ref().map(|e| e.requests()), Some(100));
    world.good(100).pass(3);
    assert_eq!(world.phase(), Phase::Watching);
    world.pass(2);
    assert_eq!(world.phase(), Phase::Retaining);
}

#[test]
fn the_time_of_one_phase_is_not_another_ones() {
    let mut world = World::new();
    world.watched("v2").good(100).pass(9);
    let checkpoint = world.machine.checkpoint();
    world.good(100).pass(2);
    let saved =
        crate::machine::Saved { document: world.stored.clone(), checkpoint: Some(checkpoint), baselines: Vec::new() };
    let now = crate::machine::Now { time: world.now, unix_millis: 0 };
    let machine = crate::machine::Machine::new(world.settings.clone(), saved, now);
    assert_eq!((machine.document().phase, machine.view().elapsed.as_secs()), (Phase::Retaining, 0));
}

#[test]
fn evidence_over_the_threshold_is_not_used_after_a_restart() {
    let mut world = World::new();
    world.watched("v2").bad(20).restart();
    assert_eq!(world.probe(), None, "it may be of an outage that is over");
    world.bad(20).probed(3).probed(0);
    assert_eq!(world.doc().cause, Some(Cause::Errors { component: "api".into() }));
}

#[test]
fn a_rollback_that_only_an_edge_knows_of_is_learned() {
    for file_only in [false, true] {
        let mut world = World::new();
        world.watched("v2").store_up = false;
        world.order(Order::Rollback { by: "ann".into() }).unwrap();
        world.store_up = true;
        if file_only {
            world.edge.up = false;
        }
        world.restart();
        assert!(world.doc().is_bad(), "file only: {file_only}");
        world.edge.up = true;
        world.pass(4);
        assert_eq!((world.phase(), world.doc().components[0].share.get()), (Phase::Idle, 0));
    }
}

#[test]
fn an_edge_that_is_heard_late_is_learned_from_all_the_same() {
    let mut world = World::new();
    world.watched("v2").store_up = false;
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.store_up = true;
    let knowing = (world.edge.running.clone(), world.edge.saved.clone());
    world.edge.up = false;
    world.edge.saved = world.stored.as_ref().unwrap().policy();
    world.restart().pass(5);
    assert!(!world.doc().is_bad());
    (world.edge.running, world.edge.saved) = knowing;
    world.edge.up = true;
    world.report();
    assert_eq!(world.doc().cause, Some(Cause::Learned));
}

#[test]
fn a_store_of_yesterday_adopts_what_the_edges_route_and_watches_it_again() {
    let mut world = World::new();
    let yesterday = world.stored.clone();
    world.retained("v2");
    world.stored = yesterday;
    world.restart();
    assert_eq!((world.phase(), world.doc().epoch.release), (Phase::Watching, 1));
    assert_eq!(world.doc().components[0].active().version.as_deref(), Some("v2"), "the platform says so");
    assert!(world.started().iter().all(|(colour, version)| (*colour == Green) == (version == "v2")));
    assert_eq!(world.routed(), "v1:1.1.open:blue:green:100000:teal:0");
}

#[test]
fn a_store_of_yesterday_does_not_undo_a_rollback() {
    let mut world = World::new();
    let yesterday = world.stored.clone();
    world.watched("v2");
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.stored = yesterday;
    world.restart().pass(4);
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Idle, true));
    assert_eq!(world.doc().components[0].active().version.as_deref(), Some("v1"));
}
