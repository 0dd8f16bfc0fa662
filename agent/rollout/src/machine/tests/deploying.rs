//! From an order to the switch: start, readiness, smoke.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Outcome, Phase};
use crate::machine::event::{Capacity, Event};
use crate::machine::{Action, News};

#[test]
fn a_release_starts_the_idle_colour_and_moves_no_traffic_before_the_smoke_suite_passed() {
    let mut world = World::new();
    world.deploy("v2");
    assert_eq!((world.phase(), world.started().last()), (Phase::Deploying, Some(&(Green, "v2".to_owned()))));
    world.ready();
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Smoke, "v1:1.0.open:blue:green:0:teal:0"));
    world.smoke_ok();
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Watching, "v1:1.1.open:blue:green:100000:teal:0"));
    assert!(world.stopped().is_empty(), "the way back keeps its capacity");
}

#[test]
fn nothing_is_started_or_routed_before_the_store_has_the_release() {
    let mut world = World::new();
    world.store_up = false;
    world.actions.clear();
    world.deploy("v2").report();
    assert!(world.started().is_empty() && world.routes() == 0);
    world.store_back();
    assert_eq!(world.started(), [(Green, "v2".to_owned())]);
}

#[test]
fn no_share_is_routed_before_the_store_has_it() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.store_up = false;
    world.smoke_ok().report();
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Switching, "v1:1.0.open:blue:green:0:teal:0"));
    world.store_back();
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Watching, "v1:1.1.open:blue:green:100000:teal:0"));
}

#[test]
fn what_fails_before_the_switch_ends_the_release_and_leaves_the_old_colour_alone() {
    let check = |name: &str, fail: fn(&mut World), cause: Cause| {
        let mut world = World::new();
        fail(world.deploy("v2"));
        world.pass(4);
        assert_eq!(world.doc().cause, Some(cause.clone()), "{name}");
        assert!(world.said(&News::Ended(Outcome::Aborted, Some(cause))), "{name}");
        assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Green]), "{name}");
        assert_eq!(world.routed(), "v1:1.0.bad:blue:green:0:teal:0", "{name}");
        assert_eq!(world.doc().components[0].active().version.as_deref(), Some("v1"), "{name}");
    };
    let not_ready = |reason: &str| Cause::NotReady { reason: reason.into() };
    let smoke = |reason: &str| Cause::Smoke { reason: reason.into() };
    check(
        "crash loop",
        |w| {
            w.looping(Green, "v2");
        },
        not_ready("api: exit status 1"),
    );
    check(
        "never ready",
        |w| {
            w.pass(21);
        },
        not_ready("not ready after 20 s"),
    );
    check(
        "never ready, and the platform knows why",
        |w| {
            let failure = Some("ImagePullBackOff: no such image".to_owned());
            let version = Some("v2".to_owned());
            let (component, colour) = (0, Green);
            let (release, ready, wanted, crash_looping) = (1, 0, 2, 0);
            let capacity =
                Capacity { component, colour, release, scaled: 0, version, ready, wanted, crash_looping, failure };
            w.send(Event::Capacity(capacity)).pass(21);
        },
        not_ready("not ready after 20 s: api: ImagePullBackOff: no such image"),
    );
    check(
        "smoke fails",
        |w| {
            w.ready().smoke_fails();
        },
        smoke("GET / answered 500"),
    );
    check(
        "smoke says nothing",
        |w| {
            w.ready().pass(21);
        },
        smoke("no result after 20 s"),
    );
    check(
        "gone after the smoke suite",
        |w| {
            w.ready().capacity(0, Green, Some("v2"), 0).smoke_ok().pass(21);
        },
        not_ready("it was ready, and was not any more after the smoke test"),
    );
}

#[test]
fn readiness_of_another_version_does_not_count() {
    let mut world = World::new();
    world.deploy("v2").capacity(0, Green, Some("v1.9"), 2);
    assert_eq!(world.phase(), Phase::Deploying);
}

#[test]
fn the_platforms_words_of_before_do_not_fail_a_second_try() {
    let mut world = World::new();
    world.deploy("v2").looping(Green, "v2").pass(4);
    world.store_up = false;
    world.deploy("v2").report();
    assert_eq!(world.phase(), Phase::Deploying);
}

#[test]
fn an_answer_of_the_smoke_suite_to_another_release_is_ignored() {
    let mut world = World::new();
    world.deploy("v2").ready().send(Event::Smoke { release: 7, result: Err("late".into()) });
    assert_eq!(world.phase(), Phase::Smoke);
}

#[test]
fn a_pause_holds_a_release_before_its_next_step_and_its_time_does_not_count() {
    use crate::machine::event::Order::{Pause, Resume};
    let mut world = World::new();
    world.deploy("v2");
    world.order(Pause { by: "ben".into() }).unwrap();
    world.ready().pass(60);
    assert_eq!(world.phase(), Phase::Deploying);
    world.order(Resume { by: "ben".into() }).unwrap();
    assert_eq!(world.phase(), Phase::Smoke);
    world.order(Pause { by: "ben".into() }).unwrap();
    world.smoke_ok().pass(60);
    assert_eq!(world.phase(), Phase::Smoke);
    world.order(Resume { by: "ben".into() }).unwrap();
    assert_eq!(world.phase(), Phase::Watching);
}

#[test]
fn an_edge_that_does_not_take_the_switch_sends_it_back() {
    let mut world = World::new();
    world.deploy("v2").ready();
    world.edge.disk_full = true;
    world.smoke_ok().pass(4);
    assert_eq!(world.phase(), Phase::Switching);
    world.pass(2);
    assert_eq!(world.doc().cause, Some(Cause::EdgeSilent));
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0", "back needs no disk");
    world.pass(10);
    assert_eq!(world.phase(), Phase::Idle);
}

#[test]
fn a_first_release_switches_all_at_once_and_has_no_way_back() {
    let mut world = World::empty();
    world.settings.steps.clear();
    world.watched("v1");
    assert_eq!((world.phase(), world.routed().as_str()), (Phase::Watching, "v1:1.1.open:blue:green:100000:teal:0"));
    world.bad(10);
    let told = |w: &World| w.news().iter().filter(|n| matches!(n, News::NoWayBack(_))).count();
    world.bad(100).pass(1);
    assert_eq!((world.phase(), told(&world), world.probe()), (Phase::Watching, 1, None));
    assert_eq!(world.machine.view().rollback_unsafe.as_deref(), Some("first release"));
    assert!(!world.actions.iter().any(|a| matches!(a, Action::Stop { colour: Blue, .. })));
}

#[test]
fn what_the_platform_says_late_of_the_release_before_is_not_said_of_the_next() {
    let failed = |release| {
        Event::Capacity(Capacity {
            component: 0,
            colour: Green,
            release,
            scaled: 0,
            version: Some("v2".into()),
            ready: 0,
            wanted: 2,
            crash_looping: 2,
            failure: Some("exit status 1".into()),
        })
    };
    let check = |release, cause: Option<Cause>| {
        let mut world = World::new();
        world.deploy("v2").send(failed(1)).report();
        assert_eq!(world.phase(), Phase::Idle, "aborted");
        world.deploy("v2").send(failed(release));
        assert_eq!(world.doc().cause, cause, "told of release {release}");
        world.ready();
        assert_eq!(world.phase() == Phase::Smoke, cause.is_none(), "told of release {release}");
    };
    check(1, None);
    check(2, Some(Cause::NotReady { reason: "api: exit status 1".into() }));
    check(0, Some(Cause::NotReady { reason: "api: exit status 1".into() }));
}

#[test]
fn what_serves_before_the_first_release_is_its_way_back() {
    let mut world = World::empty();
    let version = |w: &World| w.doc().components[0].stable.version.clone();
    // Nothing ready is no way back, and what is ready on the other colour does not serve.
    world.capacity(0, Blue, Some("v1"), 0).capacity(0, Green, Some("v0"), 2);
    assert_eq!(version(&world), None);
    world.capacity(0, Blue, Some("v1"), 1);
    assert_eq!(version(&world).as_deref(), Some("v1"));
    world.deploy("v2");
    // What is said of the old one meanwhile changes nothing of what it is.
    world.capacity(0, Blue, Some("v9"), 1).ready().smoke_ok();
    assert_eq!((version(&world).as_deref(), world.phase()), (Some("v1"), Phase::Watching));
    world.bad(30).probed(3).probed(0);
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Idle, true));
    assert_eq!(world.doc().components[0].active().version.as_deref(), Some("v1"));
}
