//! Confirm: the old colour is asked first, and a shared outage is waited out.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Phase};
use crate::machine::News;
use crate::machine::event::{Arm, Event, Observation};
use crate::settings::ComponentSettings;

const ERRORS: fn() -> Option<Cause> = || Some(Cause::Errors { component: "api".into() });
const SUSPECTED: fn() -> News = || News::OutageSuspected { component: "api".into() };

/// Everything fails, all of a sudden.
fn over_the_threshold() -> World {
    let mut world = World::new();
    world.watched("v2").good(50).bad(20);
    world
}

/// One in three fails, until a verdict falls.
fn over_the_threshold_now_and_then() -> World {
    let mut world = World::new();
    world.watched("v2").good(50);
    while world.probe().is_none() {
        world.good(2).bad(1);
    }
    world
}

#[test]
fn failures_among_successes_are_taken_back_once_the_old_colour_does_well() {
    let mut world = over_the_threshold_now_and_then();
    assert_eq!(world.probe(), Some((1, Arm::Old, Blue)));
    let mut rounds = 0;
    while world.phase() == Phase::Watching {
        let (requests, enough) = world.asked().unwrap();
        assert!((3..=8).contains(&requests) && enough <= requests);
        assert_eq!(world.probe().unwrap().1, Arm::Old);
        world.probed(requests);
        rounds += 1;
    }
    assert_eq!((rounds, world.doc().cause.clone()), (3, ERRORS()));
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
}

#[test]
fn a_candidate_that_fails_all_at_once_is_asked_too() {
    let check = |passed, cause: Option<Cause>| {
        let mut world = over_the_threshold();
        assert_eq!((world.probe(), world.asked()), (Some((1, Arm::Old, Blue)), Some((3, 2))));
        world.probed(3);
        assert_eq!((world.probe(), world.asked()), (Some((2, Arm::New, Green)), Some((12, 11))));
        assert_eq!(world.phase(), Phase::Watching);
        world.probed(passed);
        assert_eq!(world.doc().cause, cause, "new {passed}");
        assert_eq!(world.said(&SUSPECTED()), cause.is_none(), "new {passed}");
    };
    check(0, ERRORS());
    check(1, ERRORS());
    check(2, ERRORS());
    check(11, None);
    check(12, None);
}

#[test]
fn where_not_all_is_clear_the_old_colour_is_asked_again_about_what_the_candidate_showed() {
    let check = |old, new, asked| {
        let mut world = over_the_threshold();
        world.probed(old).probed(new);
        assert_eq!((world.probe(), world.asked()), (Some((3, Arm::Old, Blue)), Some(asked)), "old {old}, new {new}");
        assert_eq!(world.phase(), Phase::Watching);
        while world.phase() == Phase::Watching {
            let (requests, _) = world.asked().unwrap();
            world.probed(requests);
        }
        assert_eq!((world.doc().cause.clone(), world.probe().unwrap().1), (ERRORS(), Arm::Old), "old {old}, new {new}");
    };
    check(2, 0, (3, 2));
    check(3, 6, (8, 8));
    check(3, 10, (8, 8));
}

#[test]
fn a_candidate_that_does_not_answer_in_time_is_taken_back() {
    let mut world = over_the_threshold();
    world.probed(3).pass_ms(59);
    assert_eq!(world.phase(), Phase::Watching);
    world.pass_ms(1);
    assert_eq!(world.doc().cause, ERRORS());
    let mut world = over_the_threshold();
    world.pass_ms(80).probed(3).pass_ms(159);
    assert_eq!(world.phase(), Phase::Watching, "it has twice as long as the old colour took");
    world.pass_ms(1);
    assert_eq!(world.doc().cause, ERRORS());
}

#[test]
fn a_candidate_that_answers_nothing_but_probes_is_taken_back_with_its_third_streak() {
    let mut world = over_the_threshold();
    for _ in 0..2 {
        world.probed(3).probed(12).bad(6);
    }
    assert_eq!(world.news().into_iter().filter(|news| **news == SUSPECTED()).count(), 2);
    world.probed(3);
    assert_eq!(world.doc().cause, ERRORS());
}

#[test]
fn after_a_suspected_outage_the_watch_begins_to_judge_anew() {
    let mut world = over_the_threshold();
    world.probed(3).probed(12);
    let evidence = world.machine.view().components[0].evidence.clone().unwrap();
    assert_eq!((evidence.requests(), evidence.is_bad(), evidence.excused().bad > 0), (0, false, true));
    for _ in 0..40 {
        world.good(40).pass(1);
    }
    assert_eq!(world.phase(), Phase::Retaining);
}

#[test]
fn an_old_colour_that_fails_like_the_candidate_opens_a_shared_window() {
    let check = |answers: &[u8], shared: bool| {
        let mut world = over_the_threshold();
        for passed in answers {
            assert_eq!((world.phase(), world.probe().unwrap().1), (Phase::Watching, Arm::Old), "{answers:?}");
            world.probed(*passed);
        }
        assert_eq!(world.machine.view().shared_outage.is_some(), shared, "{answers:?}");
        assert_eq!(world.probe().unwrap().1 == Arm::New, !shared, "{answers:?}");
    };
    check(&[0], true);
    check(&[1, 0], true);
    check(&[1, 1, 0], true);
    check(&[1, 3], false);
    check(&[2], false);
    let mut world = over_the_threshold();
    world.pass_ms(100).probed(1);
    assert!(world.machine.view().shared_outage.is_some(), "what took so long leans to an outage");
}

#[test]
fn an_old_colour_that_fails_as_often_as_the_candidate_is_no_better() {
    let mut world = over_the_threshold_now_and_then();
    let (requests, _) = world.asked().unwrap();
    world.probed(requests - 4);
    assert!(world.said(&News::SharedOutage { component: "api".into() }));
    let mut world = over_the_threshold_now_and_then();
    while world.phase() == Phase::Watching && world.machine.view().shared_outage.is_none() {
        let (requests, _) = world.asked().unwrap();
        let failed = u8::from(world.probe().unwrap().0 == 1);
        world.pass_ms(10).probed(requests - failed);
    }
    assert_eq!(world.doc().cause, ERRORS(), "a stray failure of the old colour holds nothing up");
}

#[test]
fn a_shared_outage_is_waited_out_and_its_evidence_set_aside() {
    let mut world = over_the_threshold();
    world.probed(0);
    assert!(world.said(&News::SharedOutage { component: "api".into() }));
    for _ in 0..20 {
        world.bad(50).pass(1);
        world.probed(0);
    }
    assert_eq!(world.phase(), Phase::Watching, "its time does not count");
    for _ in 0..30 {
        world.pass_ms(60);
        if world.said(&News::SharedOutageOver) {
            break;
        }
        world.probed(3);
    }
    assert!(world.said(&News::SharedOutageOver));
    let evidence = world.machine.view().components[0].evidence.clone().unwrap();
    assert_eq!((evidence.requests(), evidence.is_bad()), (0, false));
    world.bad(20).probed(3).probed(0);
    assert_eq!(world.doc().cause, ERRORS(), "a bad release is caught all the same");
}

#[test]
fn a_shared_window_stays_open_while_the_old_colour_fails_now_and_then() {
    let mut world = over_the_threshold();
    world.probed(0);
    for round in 0..60 {
        world.pass_ms(60).probed(if round % 10 < 7 { 3 } else { 0 });
    }
    assert!(world.machine.view().shared_outage.is_some());
}

#[test]
fn an_outage_that_does_not_end_becomes_a_humans() {
    let mut world = over_the_threshold();
    world.probed(0);
    for _ in 0..31 {
        world.pass(1).probed(0);
    }
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Held, false));
}

#[test]
fn an_answer_to_an_older_question_is_ignored_and_a_lost_one_asked_anew() {
    let mut world = over_the_threshold();
    world.send(Event::Probed { round: 0, arm: Arm::Old, passed: 3 });
    world.send(Event::Probed { round: 1, arm: Arm::New, passed: 0 });
    assert_eq!((world.phase(), world.probe()), (Phase::Watching, Some((1, Arm::Old, Blue))));
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
    world.capacity(0, Blue, Some("v1"), 2).pass(1).probed(3).probed(0);
    assert_eq!(world.doc().cause, ERRORS());
}

/// What cannot be taken back is told, again and again; what can is not to wait for it.
#[test]
fn a_component_without_a_way_back_does_not_keep_another_one_waiting() {
    let mut world = World::with(|settings| {
        let web = ComponentSettings { name: "web".into(), ..settings.components[0].clone() };
        settings.components.push(web);
    });
    world.watched("v2").good(50).capacity(0, Blue, Some("v1"), 0);
    let bad = |component| Observation { group: 1, ..Observation::new(component, Green, 1, true) };
    world.observed(vec![bad(0); 20]);
    assert!(world.said(&News::NoWayBack(ERRORS().unwrap())));
    world.observed(vec![bad(1); 20]).pass_ms(60).probed(3).probed(0);
    assert_eq!(world.doc().cause, Some(Cause::Errors { component: "web".into() }));
}
