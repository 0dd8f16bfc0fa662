//! Confirm: the old colour is asked first, and a shared outage is waited out.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Phase};
use crate::machine::News;
use crate::machine::event::Arm;

const ERRORS: fn() -> Option<Cause> = || Some(Cause::Errors { component: "api".into() });

fn over_the_threshold() -> World {
    let mut world = World::new();
    world.watched("v2").good(50).bad(20);
    world
}

#[test]
fn an_old_colour_that_does_well_takes_traffic_back_at_once() {
    let mut world = over_the_threshold();
    assert_eq!(world.probe(), Some((1, Arm::Old, Blue)));
    assert_eq!(world.phase(), Phase::Watching);
    world.probed(2);
    assert_eq!(world.doc().cause, ERRORS());
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
}

#[test]
fn an_old_colour_that_does_badly_is_compared_with_the_new_one() {
    let check = |old, new, cause: Option<Cause>| {
        let mut world = over_the_threshold();
        world.probed(old);
        assert_eq!(world.probe(), Some((2, Arm::New, Green)));
        world.probed(new);
        assert_eq!(world.doc().cause, cause, "old {old}, new {new}");
        assert_eq!(world.machine.view().shared_outage.is_some(), cause.is_none(), "old {old}, new {new}");
    };
    check(1, 0, ERRORS());
    check(0, 0, None);
    check(1, 1, None);
    check(0, 3, None);
}

#[test]
fn a_shared_outage_is_waited_out_and_its_evidence_set_aside() {
    let mut world = over_the_threshold();
    world.probed(0).probed(0);
    assert!(world.said(&News::SharedOutage { component: "api".into() }));
    for _ in 0..20 {
        world.bad(50).pass(1);
        world.probed(0);
    }
    assert_eq!(world.phase(), Phase::Watching, "its time does not count");
    for _ in 0..30 {
        world.now = world.now + std::time::Duration::from_millis(60);
        world.report();
        if world.said(&News::SharedOutageOver) {
            break;
        }
        world.probed(3);
    }
    assert!(world.said(&News::SharedOutageOver));
    let evidence = world.machine.view().components[0].evidence.clone().unwrap();
    assert_eq!((evidence.requests(), evidence.is_bad()), (0, false));
    world.bad(20).probed(3);
    assert_eq!(world.doc().cause, ERRORS(), "a bad release is caught all the same");
}

#[test]
fn an_outage_that_does_not_end_becomes_a_humans() {
    let mut world = over_the_threshold();
    world.probed(0).probed(0);
    for _ in 0..31 {
        world.pass(1).probed(0);
    }
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Held, false));
}

#[test]
fn an_answer_to_an_older_question_is_ignored_and_a_lost_one_asked_anew() {
    use crate::machine::event::Event;
    let mut world = over_the_threshold();
    world.send(Event::Probed { round: 0, arm: Arm::Old, passed: 3 });
    world.send(Event::Probed { round: 1, arm: Arm::New, passed: 0 });
    assert_eq!(world.phase(), Phase::Watching);
    world.pass(4);
    assert_eq!(world.probe(), Some((1, Arm::Old, Blue)), "evidence of before the silence is not used");
    world.bad(20);
    assert_eq!(world.probe(), Some((2, Arm::Old, Blue)));
}

#[test]
fn without_confirm_nobody_is_asked() {
    let mut world = World::with(|settings| settings.confirm = false);
    world.watched("v2").bad(20);
    assert_eq!((world.doc().cause.clone(), world.probe()), (ERRORS(), None));
}

#[test]
fn with_nothing_ready_to_go_back_to_it_is_told_once_and_done_as_soon_as_there_is() {
    let mut world = World::new();
    world.watched("v2").capacity(0, Blue, Some("v1"), 0).bad(20).pass(2);
    assert_eq!(world.news().iter().filter(|n| matches!(n, News::NoWayBack(_))).count(), 1);
    assert_eq!((world.phase(), world.probe()), (Phase::Watching, None));
    world.capacity(0, Blue, Some("v1"), 2).pass(1).probed(3);
    assert_eq!(world.doc().cause, ERRORS());
}
