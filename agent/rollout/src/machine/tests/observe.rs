//! `observe` and `advise`: everything is judged, nothing is touched.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Outcome, Phase};
use crate::machine::{Action, News};
use crate::settings::Mode;

fn observing() -> World {
    let mut world = World::with(|settings| settings.mode = Mode::Observe);
    for _ in 0..5 {
        world.requests_of(0, Blue, 50, false).pass(1);
    }
    world
}

/// Somebody else's script writes the map; nothing of ours is overwritten by it.
fn moved_by_a_script(world: &mut World, policy: &str) {
    world.edge.running = policy.parse().unwrap();
    world.edge.saved = world.edge.running.clone();
    world.report();
}

fn touches_nothing(world: &World) {
    let touches = |action: &&Action| {
        matches!(action, Action::Route { .. } | Action::Start { .. } | Action::Stop { .. } | Action::Smoke { .. })
    };
    assert_eq!(world.actions.iter().find(touches), None);
}

#[test]
fn somebody_elses_bad_release_is_judged_and_left_where_it_is() {
    let mut world = observing();
    moved_by_a_script(&mut world, "v1:0.0.open:blue:green:100000:teal:0");
    assert!(world.said(&News::Observed));
    world.requests_of(0, Green, 30, true);
    if world.probe().is_some() {
        world.probed(3).probed(0);
    }
    assert!(world.said(&News::WouldRollBack(Cause::Errors { component: "api".into() })));
    world.pass(120);
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Idle, false));
    touches_nothing(&world);
}

#[test]
fn the_versions_of_somebody_elses_release_are_what_the_platform_says() {
    let mut world = observing();
    let versions = |w: &World| {
        let component = &w.doc().components[0];
        [&component.stable, &component.candidate].map(|slot| slot.version.clone().unwrap_or_default())
    };
    world.capacity(0, Blue, Some("v7"), 1).capacity(0, Green, Some("v8"), 1);
    moved_by_a_script(&mut world, "v1:0.0.open:blue:green:100000:teal:0");
    assert_eq!(versions(&world), ["v7", "v8"]);
    // Another one in its place, and what has gone.
    world.capacity(0, Green, Some("v9"), 1).capacity(0, Blue, None, 0);
    assert_eq!(versions(&world), ["v7", "v9"]);
    touches_nothing(&world);
}

#[test]
fn a_bad_release_that_stays_is_no_history() {
    let mut world = observing();
    moved_by_a_script(&mut world, "v1:0.0.open:blue:green:100000:teal:0");
    world.requests_of(0, Green, 30, true).probed(3).probed(0);
    let before = world.machine.baselines()[0].all().counts();
    world.requests_of(0, Green, 30, true);
    assert_eq!(world.machine.baselines()[0].all().counts(), before);
}

#[test]
fn somebody_elses_good_release_ends_as_proven() {
    let mut world = observing();
    moved_by_a_script(&mut world, "v1:0.0.open:blue:green:100000:teal:0");
    for _ in 0..11 {
        world.requests_of(0, Green, 50, false).pass(1);
    }
    assert!(world.said(&News::Ended(Outcome::Completed, None)));
    assert_eq!(world.phase(), Phase::Idle);
    touches_nothing(&world);
}

#[test]
fn dead_processes_and_hands_on_the_map_are_none_of_its_business() {
    let mut world = observing();
    world.capacity(0, Blue, Some("v1"), 0).edit("v1:0.0.open:blue:green:30000:teal:0").pass(40);
    world.restart().pass(40);
    touches_nothing(&world);
}
