//! Orders: what is taken, what is refused, and that a refusal changes nothing.

use super::fixture::{World, settings};
use crate::colour::Colour::Blue;
use crate::document::{Outcome, Phase};
use crate::machine::event::Order;
use crate::machine::{Machine, Now, Refusal, Saved};
use crate::settings::Mode;
use crate::time::Time;

fn by() -> String {
    "ann".into()
}

fn refused(world: &mut World, order: Order) -> Refusal {
    let (before, actions) = (world.doc().clone(), world.actions.len());
    let refusal = world.order(order).unwrap_err();
    assert_eq!((world.doc(), world.actions.len()), (&before, actions), "a refusal changes nothing");
    refusal
}

fn deploy(component: &str, version: &str) -> Order {
    Order::Deploy { versions: vec![(component.into(), version.into())], by: by() }
}

#[test]
fn a_deploy_is_refused_with_the_reason() {
    let check = |prepare: fn(&mut World), order: Order, words: &str| {
        let mut world = World::new();
        prepare(&mut world);
        let refusal = refused(&mut world, order).to_string();
        assert!(refusal.contains(words), "{refusal}");
    };
    let nothing = |_: &mut World| {};
    check(nothing, deploy("api", "v1"), "these versions run already, since r-0000");
    check(nothing, deploy("ap", "v2"), "unknown component `ap`: there is api");
    check(nothing, Order::Deploy { versions: vec![], by: by() }, "at least one component");
    for version in ["", "-rf", "a b", "../x", "a..b", "a/b", &"v".repeat(200)] {
        check(nothing, deploy("api", version), "is not a version");
    }
    check(
        |w| {
            w.watched("v2");
        },
        deploy("api", "v3"),
        "r-0001 by ann is under way (watching)",
    );
    check(
        |w| {
            w.deploy("v2");
        },
        deploy("api", "v2"),
        "r-0001 by ann is under way (deploying)",
    );
    let roll_back = |w: &mut World| {
        w.watched("v2").edge.in_flight = 1;
        w.report().order(Order::Rollback { by: by() }).unwrap();
    };
    check(roll_back, deploy("api", "v3"), "under way (rolling back)");
    check(|w| w.order(Order::Pause { by: "ben".into() }).unwrap(), deploy("api", "v2"), "paused by ben");
    let lose_edge = |w: &mut World| {
        w.edge.up = false;
        w.report();
    };
    check(lose_edge, deploy("api", "v2"), "edge `edge` cannot be asked");
    let lose_store = |w: &mut World| {
        w.store_up = false;
        w.order(Order::Pause { by: by() }).unwrap();
        w.order(Order::Resume { by: by() }).unwrap();
    };
    check(lose_store, deploy("api", "v2"), "the store cannot be written");
}

#[test]
fn nothing_is_taken_before_the_edges_have_been_asked() {
    let now = Now { time: Time::ZERO, unix_millis: 0 };
    let mut machine = Machine::new(settings(), Saved::default(), now);
    assert_eq!(machine.order(now, Order::Rollback { by: by() }), Err(Refusal::Starting));
}

#[test]
fn a_way_back_that_the_platform_has_not_spoken_of_yet_is_not_gone() {
    let rollback = || Order::Rollback { by: by() };
    let restarted = || {
        let mut world = World::new();
        world.watched("v2").restart_deaf().report();
        assert!(!world.machine.view().oriented);
        assert_eq!(world.order(rollback()), Err(Refusal::Starting), "an edge alone does not know it");
        world
    };
    let mut spoken_of = restarted();
    spoken_of.capacity(0, Blue, Some("v1"), 2);
    assert!(spoken_of.machine.view().oriented);
    assert_eq!(spoken_of.order(rollback()), Ok(()));
    // Nothing is heard of it in the time that a platform has.
    let mut silent = restarted();
    silent.pass(4);
    assert!(matches!(silent.order(rollback()), Err(Refusal::NoWayBack { .. })));
}

#[test]
fn observe_and_advise_take_no_order_that_moves_something() {
    for (mode, name) in [(Mode::Observe, "observe"), (Mode::Advise, "advise")] {
        let mut world = World::with(|settings| settings.mode = mode);
        for order in
            [deploy("api", "v2"), Order::Rollback { by: by() }, Order::Promote { by: by() }, Order::Abort { by: by() }]
        {
            assert_eq!(refused(&mut world, order), Refusal::Mode(name));
        }
    }
}

#[test]
fn the_levers_say_where_they_make_no_sense() {
    let check = |prepare: fn(&mut World), order: Order, words: &str| {
        let mut world = World::new();
        prepare(&mut world);
        let refusal = refused(&mut world, order).to_string();
        assert!(refusal.contains(words), "{refusal}");
    };
    let (rollback, promote, abort) =
        (|| Order::Rollback { by: by() }, || Order::Promote { by: by() }, || Order::Abort { by: by() });
    let idle = |_: &mut World| {};
    check(idle, rollback(), "no release is under way, and no old colour is kept");
    check(idle, promote(), "nothing to promote");
    check(idle, abort(), "nothing to abort");
    check(
        |w| {
            w.deploy("v2");
        },
        promote(),
        "wait until it is watched",
    );
    check(
        |w| {
            w.watched("v2");
        },
        abort(),
        "use `rollback`",
    );
    check(
        |w| {
            w.retained("v2");
        },
        promote(),
        "nothing to promote",
    );
    check(
        |w| {
            w.retained("v2").pass(61);
        },
        rollback(),
        "no release is under way, and no old colour is kept",
    );
    check(
        |w| {
            w.watched("v2").capacity(0, Blue, Some("v1"), 0);
        },
        rollback(),
        "`api` (v1) has nothing ready",
    );
    let paused = |w: &mut World| {
        w.watched("v2").order(Order::Pause { by: by() }).unwrap();
    };
    check(paused, promote(), "paused by ann");
}

#[test]
fn rollback_and_abort_are_taken_wherever_there_is_a_way_back() {
    let check = |prepare: fn(&mut World), order: Order, outcome: Outcome| {
        let mut world = World::new();
        prepare(&mut world);
        world.order(order).unwrap();
        assert_eq!((world.doc().is_bad(), world.doc().outcome), (true, Some(outcome)));
    };
    let (rollback, abort) = (|| Order::Rollback { by: by() }, || Order::Abort { by: by() });
    check(
        |w| {
            w.deploy("v2");
        },
        abort(),
        Outcome::Aborted,
    );
    check(
        |w| {
            w.deploy("v2").ready();
        },
        abort(),
        Outcome::Aborted,
    );
    check(
        |w| {
            w.deploy("v2");
        },
        rollback(),
        Outcome::Aborted,
    );
    check(
        |w| {
            w.watched("v2");
        },
        rollback(),
        Outcome::RolledBack,
    );
    check(
        |w| {
            w.retained("v2");
        },
        rollback(),
        Outcome::RolledBack,
    );
    check(
        |w| {
            w.watched("v2").order(Order::Pause { by: by() }).unwrap();
        },
        rollback(),
        Outcome::RolledBack,
    );
}

#[test]
fn a_second_rollback_is_no_error_and_no_second_rollback() {
    let mut world = World::new();
    world.watched("v2").edge.in_flight = 1;
    world.report();
    world.order(Order::Rollback { by: by() }).unwrap();
    let epoch = world.doc().epoch;
    world.order(Order::Rollback { by: by() }).unwrap();
    world.order(Order::Abort { by: by() }).unwrap();
    assert_eq!(world.doc().epoch, epoch);
}

#[test]
fn a_promoted_release_is_kept_and_says_whether_it_was_proven() {
    for (requests, outcome) in [(0, Outcome::Kept), (100, Outcome::Completed)] {
        let mut world = World::new();
        world.watched("v2").good(requests);
        world.order(Order::Promote { by: by() }).unwrap();
        assert_eq!((world.phase(), world.doc().outcome), (Phase::Retaining, Some(outcome)));
    }
}

#[test]
fn a_deploy_during_the_retention_ends_it_and_goes_on_from_the_new_colour() {
    let mut world = World::new();
    world.retained("v2").watched("v3");
    assert_eq!(world.routed(), "v1:2.1.open:green:blue:100000:teal:0");
    world.order(Order::Rollback { by: by() }).unwrap();
    assert_eq!(world.doc().components[0].active().version.as_deref(), Some("v2"));
}

#[test]
fn after_a_rollback_the_same_version_may_try_again() {
    let mut world = World::new();
    world.watched("v2");
    world.order(Order::Rollback { by: by() }).unwrap();
    world.pass(1).watched("v2");
    assert_eq!(world.routed(), "v1:2.1.open:blue:green:100000:teal:0");
}
