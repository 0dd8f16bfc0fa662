//! The way back: at once, whatever else is broken, and once.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Outcome, Phase};
use crate::machine::News;
use crate::machine::event::{Event, Order};

#[test]
fn a_rollback_drains_the_bad_colour_and_then_stops_it() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.in_flight = 3;
    world.report();
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
    world.pass(2);
    assert_eq!((world.phase(), world.stopped()), (Phase::RollingBack, vec![]));
    world.edge.in_flight = 0;
    world.report();
    let cause = Some(Cause::Order { by: "ann".into() });
    assert!(world.said(&News::Ended(Outcome::RolledBack, cause)));
    assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Green]));
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_rollback_up() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.in_flight = 1;
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.pass(4);
    assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Green]));
}

#[test]
fn it_waits_for_neither_store_nor_disk_nor_the_new_colour() {
    let check = |name: &str, break_it: fn(&mut World)| {
        let mut world = World::new();
        world.watched("v2");
        break_it(&mut world);
        if !world.doc().is_bad() {
            world.order(Order::Rollback { by: "ann".into() }).unwrap();
        }
        assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0", "{name}");
    };
    check("store", |w| w.store_up = false);
    check("disk", |w| w.edge.disk_full = true);
    check("new colour", |w| {
        w.capacity(0, Green, Some("v2"), 0);
    });
}

#[test]
fn hard_facts_need_no_statistics() {
    let check = |fail: fn(&mut World), cause: Cause| {
        for kept in [false, true] {
            let mut world = World::new();
            if kept {
                world.retained("v2")
            } else {
                world.watched("v2")
            };
            fail(&mut world);
            assert_eq!((world.doc().cause.clone(), world.probe()), (Some(cause.clone()), None), "kept: {kept}");
        }
    };
    let component = || "api".to_owned();
    check(
        |w| {
            w.capacity(0, Green, Some("v2"), 0);
        },
        Cause::Gone { component: component() },
    );
    check(
        |w| {
            use crate::machine::event::Capacity;
            let looping = Capacity {
                component: 0,
                colour: Green,
                release: 0,
                scaled: 0,
                version: Some("v2".into()),
                ready: 1,
                wanted: 3,
                crash_looping: 2,
                failure: None,
            };
            w.send(Event::Capacity(looping));
        },
        Cause::CrashLoop { component: component() },
    );
}

#[test]
fn bad_stays_bad_whatever_comes_after() {
    let mut world = World::new();
    world.watched("v2");
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.actions.clear();
    world.good(500).smoke_ok().ready().pass(60);
    assert!(world.doc().is_bad() && world.doc().cause == Some(Cause::Order { by: "ann".into() }));
    assert!(!world.news().iter().any(|n| matches!(n, News::Bad(_))), "told once");
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
}

#[test]
fn an_edge_that_is_away_is_waited_for_without_being_asked_all_the_time() {
    let mut world = World::new();
    world.watched("v2");
    world.edge.up = false;
    world.edge.disk_full = true;
    world.report();
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.pass(30);
    assert_eq!(world.phase(), Phase::RollingBack);
    assert_eq!(world.machine.deadline(), None);
    world.edge.up = true;
    world.edge.running = world.doc().policy();
    world.report();
    assert_eq!(world.phase(), Phase::Idle);
}

#[test]
fn errors_of_the_bad_colour_are_no_history() {
    let mut world = World::new();
    world.watched("v2");
    let history = |w: &World| w.machine.baselines()[0].all().counts();
    let before = history(&world);
    world.bad(30).probed(3).probed(0).bad(30);
    assert_eq!(history(&world), before);
    let release = world.doc().epoch.release;
    world.requests_of(release, Blue, 10, false);
    assert_eq!(history(&world).n0, before.n0 + 10);
}

#[test]
fn what_a_dead_or_empty_colour_answers_is_no_history() {
    let mut dead = World::new();
    dead.capacity(0, Blue, Some("v1"), 0).requests_of(0, Blue, 50, true);
    assert_eq!(dead.machine.baselines()[0].all().counts().n0, 30_000);
    let mut empty = World::empty();
    empty.requests_of(0, Blue, 50, true);
    assert_eq!(empty.machine.baselines()[0].all().counts().n0, 30_000);
}
