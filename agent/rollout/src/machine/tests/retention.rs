//! The old colour is kept by stages: full for a minute, one instance for another, then stopped.

use std::time::Duration;

use super::fixture::World;
use crate::colour::Colour::{self, Blue, Green};
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::event::{Capacity, Event, Order};
use crate::machine::{Action, News, Refusal};
use crate::retention::{Replicas, Stage};
use crate::settings::Mode;

const MINUTE: u64 = 60;

fn one(seconds: u64) -> Stage {
    Stage { length: Duration::from_secs(seconds), replicas: Replicas::Count(1) }
}

fn full(seconds: u64) -> Stage {
    Stage::full(Duration::from_secs(seconds))
}

fn staged(stages: &[Stage]) -> World {
    World::with(|settings| settings.retain = stages.to_vec())
}

/// The platform's word on a colour: so many ready of those that are wanted, as of this order to scale.
fn told(world: &mut World, colour: Colour, (ready, wanted): (u32, u32), scaled: u32) {
    let version = Some(if colour == Blue { "v1" } else { "v2" }.to_owned());
    let (release, crash_looping, failure) = (1, 0, None);
    let (component, version) = (0, version);
    let capacity = Capacity { component, colour, release, scaled, version, ready, wanted, crash_looping, failure };
    world.send(Event::Capacity(capacity)).report();
}

/// `v2` is kept, and `v1` has been reduced to one instance, as it was ordered.
fn reduced() -> World {
    let mut world = staged(&[full(MINUTE), one(MINUTE)]);
    world.retained("v2").pass(MINUTE + 1);
    assert_eq!(world.scaled(), [(Blue, Replicas::Count(1), 1)]);
    told(&mut world, Blue, (1, 1), 1);
    world
}

fn rollback(world: &mut World) -> Result<(), Refusal> {
    world.order(Order::Rollback { by: "ann".into() })
}

/// What the edge routes by, without epoch and salt.
fn routed(world: &World) -> String {
    let policy = world.routed();
    let words: Vec<&str> = policy.split(':').collect();
    words[2..words.len() - 2].join(":")
}

/// Whether traffic was taken back, and where it goes.
fn back(world: &World) -> (bool, String) {
    (world.doc().is_bad(), routed(world))
}

fn cause() -> Cause {
    Cause::Order { by: "ann".into() }
}

#[test]
fn each_stage_is_ordered_once_and_stored_before_it_is_ordered() {
    let mut world = staged(&[full(MINUTE), one(MINUTE), full(MINUTE), one(MINUTE)]);
    world.retained("v2").pass(MINUTE - 2);
    assert_eq!(world.scaled(), []);
    world.pass(3);
    assert_eq!(world.scaled(), [(Blue, Replicas::Count(1), 1)]);
    let stored = world.stored.clone().unwrap().kept.unwrap();
    assert_eq!((stored.stage, stored.order, stored.full["api"].instances), (1, 1, 2));
    world.pass(30);
    assert_eq!(world.scaled().len(), 1);
    told(&mut world, Blue, (1, 1), 1);
    world.pass(30);
    assert_eq!(world.scaled()[1..], [(Blue, Replicas::Full, 2)]);
    told(&mut world, Blue, (2, 2), 2);
    world.pass(MINUTE);
    assert_eq!(world.scaled()[2..], [(Blue, Replicas::Count(1), 3)]);
    world.pass(MINUTE);
    assert_eq!((world.phase(), world.stopped(), world.doc().kept.clone()), (Phase::Idle, vec![Blue], None));
}

#[test]
fn nothing_is_reduced_before_the_store_has_it_in_a_pause_or_while_it_may_be_needed() {
    let check = |what: &str, prepare: fn(&mut World), mend: fn(&mut World)| {
        let mut world = staged(&[full(MINUTE), one(10 * MINUTE)]);
        world.retained("v2").pass(MINUTE - 1);
        prepare(&mut world);
        world.pass(10);
        assert_eq!(world.scaled(), [], "{what}");
        mend(&mut world);
        world.pass(10);
        assert_eq!(world.scaled(), [(Blue, Replicas::Count(1), 1)], "{what}");
    };
    check(
        "no store",
        |w| w.store_up = false,
        |w| {
            w.store_back();
        },
    );
    check(
        "a pause",
        |w| w.order(Order::Pause { by: "ann".into() }).unwrap(),
        |w| w.order(Order::Resume { by: "ann".into() }).unwrap(),
    );
    check(
        "an edge that serves from it",
        |w| w.edge.running.routes[0].share = crate::colour::Share::percent(50),
        |w| {
            w.edge.running.routes[0].share = crate::colour::Share::ALL;
        },
    );
}

#[test]
fn where_a_stage_would_not_shrink_it_nothing_is_ordered() {
    let mut world = staged(&[Stage { replicas: Replicas::Count(2), ..one(MINUTE) }]);
    world.retained("v2").pass(30);
    assert_eq!((world.scaled(), world.doc().kept.clone()), (vec![], None));
    rollback(&mut world).unwrap();
    assert_eq!(routed(&world), "blue:green:0");
}

#[test]
fn a_restart_in_the_middle_gives_the_same_order_again() {
    let mut world = reduced();
    world.restart().pass(2);
    assert_eq!(world.scaled(), [(Blue, Replicas::Count(1), 1)]);
    assert_eq!(world.started(), [(Green, "v2".to_owned())], "what is kept in few is not started in full");
    rollback(&mut world).unwrap();
    world.restart().pass(2);
    assert_eq!(world.scaled(), [(Blue, Replicas::Full, 2)]);
    told(&mut world, Blue, (2, 2), 2);
    assert_eq!(world.doc().outcome, Some(Outcome::RolledBack));
}

#[test]
fn a_rollback_scales_up_first_and_moves_traffic_when_all_of_it_is_ready() {
    let mut world = reduced();
    assert_eq!(world.machine.view().rollback_unsafe, None);
    rollback(&mut world).unwrap();
    assert!(world.said(&News::ScalingUp(cause())));
    assert_eq!(world.scaled()[1..], [(Blue, Replicas::Full, 2)]);
    // Of before the order, and of its beginning.
    for (ready, wanted, scaled) in [(1, 1, 1), (2, 2, 1), (1, 2, 2)] {
        told(&mut world, Blue, (ready, wanted), scaled);
        world.pass(1);
        assert_eq!(back(&world), (false, "blue:green:100000".into()));
    }
    assert_eq!(world.machine.view().scale_up.unwrap().under_way, Some(Duration::from_secs(3)));
    rollback(&mut world).unwrap();
    assert!(matches!(world.try_deploy("v3"), Err(Refusal::ComingBack { release: 1 })));
    told(&mut world, Blue, (2, 2), 2);
    assert_eq!(back(&world), (true, "blue:green:0".into()));
    world.pass(4);
    assert_eq!((world.phase(), world.stopped(), world.scaled().len()), (Phase::Idle, vec![Green], 2));
    assert_eq!(world.doc().cause, Some(cause()));
}

#[test]
fn an_edge_has_to_see_as_many_servers_as_before() {
    let mut world = reduced();
    rollback(&mut world).unwrap();
    world.edge.up = false;
    told(&mut world, Blue, (2, 2), 2);
    assert_eq!(world.phase(), Phase::Retaining);
    world.edge.up = true;
    world.report();
    assert!(world.doc().is_bad());
}

#[test]
fn an_order_in_the_moment_it_is_reduced_does_not_go_by_what_was_ready_before() {
    let mut world = staged(&[full(MINUTE), one(MINUTE)]);
    world.retained("v2").pass(MINUTE + 1);
    rollback(&mut world).unwrap();
    assert_eq!((world.phase(), world.scaled().len()), (Phase::Retaining, 2));
    told(&mut world, Blue, (2, 2), 2);
    assert!(world.doc().is_bad());
}

#[test]
fn what_does_not_come_is_told_and_traffic_stays() {
    let mut world = reduced();
    rollback(&mut world).unwrap();
    told(&mut world, Blue, (1, 2), 2);
    world.pass(21);
    assert!(world.said(&News::NotScaledUp("not at full capacity after 20 s".into())));
    assert_eq!(back(&world), (false, "blue:green:100000".into()));
    // It is not reduced again in this stage: what comes late makes the next order quick.
    assert_eq!(world.scaled().len(), 2);
    told(&mut world, Blue, (2, 2), 2);
    rollback(&mut world).unwrap();
    assert!(world.doc().is_bad());
}

#[test]
fn the_next_order_to_go_back_scales_up_once_more() {
    let mut world = reduced();
    for _ in 0..2 {
        rollback(&mut world).unwrap();
        told(&mut world, Blue, (1, 1), 1);
        world.pass(21);
    }
    let full = (Blue, Replicas::Full, 2);
    assert_eq!(world.scaled()[1..], [full, full], "the platform may have lost the first one");
    // It was two when it served, whatever the platform remembers.
    let numbers = world.actions.iter().filter_map(|action| match action {
        Action::Scale { full, .. } => Some(*full),
        _ => None,
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn who_only_looks_on_reduces_and_stops_nothing() {
    let mut world = staged(&[full(MINUTE), one(MINUTE)]);
    world.retained("v2");
    world.settings.mode = Mode::Observe;
    world.restart().pass(3 * MINUTE);
    assert_eq!((world.phase(), world.scaled(), world.stopped()), (Phase::Idle, vec![], vec![]));
}

#[test]
fn an_order_to_go_back_ends_with_its_release() {
    let check = |change: fn(&mut Document), is_ordered: bool| {
        let mut world = reduced();
        world.store_up = false;
        rollback(&mut world).unwrap();
        let mut theirs = world.doc().clone();
        theirs.revision += 1;
        change(&mut theirs);
        world.send(Event::Document(Box::new(theirs)));
        assert_eq!((world.machine.asked_back.is_some(), world.doc().is_coming_back()), (is_ordered, is_ordered));
    };
    // Another agent wrote something else at the same moment, or the retention had just ended.
    check(|theirs| theirs.kept.as_mut().unwrap().back = None, true);
    check(|theirs| (theirs.phase, theirs.kept) = (Phase::Idle, None), false);
    check(
        |theirs| {
            theirs.epoch.release += 1;
            theirs.kept.as_mut().unwrap().back = None;
        },
        false,
    );
}

#[test]
fn what_will_not_come_is_not_waited_for() {
    let mut world = reduced();
    rollback(&mut world).unwrap();
    let why = "Deployment api-blue does not run v1 any more";
    world.send(Event::Capacity(Capacity {
        component: 0,
        colour: Blue,
        release: 1,
        scaled: 1,
        version: Some("v1".into()),
        ready: 1,
        wanted: 0,
        crash_looping: 0,
        failure: Some(why.into()),
    }));
    assert!(world.said(&News::NotScaledUp(format!("api: {why}"))));
}

#[test]
fn the_retention_stands_still_while_it_scales_up() {
    let mut world = reduced();
    world.pass(50);
    rollback(&mut world).unwrap();
    world.pass(15);
    assert_eq!((world.phase(), world.stopped()), (Phase::Retaining, vec![]));
}

#[test]
fn a_few_serve_at_once_where_the_new_colour_has_nothing_ready() {
    let mut world = reduced();
    told(&mut world, Green, (0, 2), 0);
    assert_eq!(back(&world), (true, "blue:green:0".into()));
    assert_eq!(world.scaled()[1..], [(Blue, Replicas::Full, 2)]);
    let mut world = reduced();
    rollback(&mut world).unwrap();
    told(&mut world, Green, (0, 2), 0);
    assert!(world.doc().is_bad());
}

#[test]
fn a_new_colour_in_a_crash_loop_that_still_serves_is_left_when_the_old_one_is_full() {
    let mut world = reduced();
    let looping = Capacity {
        component: 0,
        colour: Green,
        release: 1,
        scaled: 0,
        version: Some("v2".into()),
        ready: 1,
        wanted: 3,
        crash_looping: 2,
        failure: None,
    };
    world.send(Event::Capacity(looping)).report();
    assert_eq!((world.phase(), world.scaled().len()), (Phase::Retaining, 2));
    told(&mut world, Blue, (1, 2), 2);
    world.pass(25);
    // It did not come in time, and is not ordered over and over; when it comes traffic goes back all the same.
    assert_eq!((world.phase(), world.scaled().len()), (Phase::Retaining, 2));
    told(&mut world, Blue, (2, 2), 2);
    assert!(world.doc().is_bad());
}

#[test]
fn of_two_components_only_the_one_with_nothing_ready_goes_to_a_few() {
    let mut world = World::with(|settings| {
        settings.retain = vec![one(MINUTE)];
        let api = settings.components[0].clone();
        settings.components.push(crate::settings::ComponentSettings { name: "web".into(), ..api });
    });
    world.retained("v2").pass(1);
    let said = |world: &mut World, component, colour, ready, wanted, scaled| {
        let version = Some(if colour == Blue { "v1" } else { "v2" }.to_owned());
        let (release, crash_looping, failure) = (1, 0, None);
        let capacity = Capacity { component, colour, release, scaled, version, ready, wanted, crash_looping, failure };
        world.send(Event::Capacity(capacity)).report();
    };
    for id in [0, 1] {
        said(&mut world, id, Blue, 1, 1, 1);
    }
    said(&mut world, 0, Green, 0, 2, 0);
    assert_eq!(routed(&world), "blue:green:0:blue:green:100000");
    assert!(world.said(&News::Emergency { component: "web".into() }));
    for id in [0, 1] {
        said(&mut world, id, Blue, 2, 2, 2);
    }
    world.pass(6);
    assert_eq!(routed(&world), "blue:green:0:blue:green:0");
}

#[test]
fn a_hand_that_moved_traffic_to_a_few_is_right_and_the_rest_follows() {
    let mut world = reduced();
    world.edit("v1:1.1.open:blue:green:0:teal:0");
    assert_eq!(back(&world), (true, "blue:green:0".into()));
    assert_eq!(world.scaled()[1..], [(Blue, Replicas::Full, 2)]);
}

#[test]
fn a_new_release_starts_from_a_reduced_colour_in_full() {
    let mut world = reduced();
    world.deploy("v3");
    assert_eq!(world.started().last(), Some(&(Blue, "v3".to_owned())));
    assert_eq!((world.phase(), world.doc().kept.clone()), (Phase::Deploying, None));
}

#[test]
fn with_a_store_that_fails_an_order_that_needs_it_is_refused_and_says_what_does_not() {
    let mut world = reduced();
    world.store_up = false;
    world.order(Order::Pause { by: "ann".into() }).unwrap();
    assert_eq!(rollback(&mut world), Err(Refusal::CannotScaleUp));
}

#[test]
fn how_long_it_will_take_is_what_it_took_to_start() {
    let mut world = staged(&[one(10 * MINUTE)]);
    world.deploy("v2").pass(7).ready().smoke_ok();
    assert_eq!(world.doc().ready_in["api-green"], 7_000);
    let mut world = reduced();
    let takes = |world: &World| world.machine.view().scale_up.map(|it| it.takes);
    assert_eq!(takes(&world), Some(None), "blue was never started by Teal");
    rollback(&mut world).unwrap();
    world.pass(4);
    told(&mut world, Blue, (2, 2), 2);
    assert_eq!((takes(&world), world.doc().ready_in["api-blue"]), (None, 4_000));
}

#[test]
fn an_order_that_another_agent_carried_out_and_nobody_stored_is_overtaken() {
    let mut world = reduced();
    told(&mut world, Blue, (1, 1), 7);
    told(&mut world, Green, (0, 2), 0);
    assert_eq!(world.scaled()[1..], [(Blue, Replicas::Full, 8)]);
}

#[test]
fn a_document_of_an_older_agent_is_read() {
    let document = World::new().doc().clone();
    let mut value = serde_json::to_value(&document).unwrap();
    assert!(value.get("kept").is_none() && value.get("ready_in").is_none());
    assert_eq!(serde_json::from_value::<Document>(value.take()).unwrap(), document);
}
