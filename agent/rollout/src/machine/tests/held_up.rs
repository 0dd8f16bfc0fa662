//! Requests that were held up, by the edge, the machine or the network: neither colour's fault, and told of late.

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Phase};
use crate::machine::event::{Arm, Observation};
use crate::machine::{Action, News};

const SUSPECTED: fn() -> News = || News::OutageSuspected { component: "api".into() };

/// A request that began so many milliseconds ago: `w` waited too long, `x` was answered with an error, `.` well.
fn request(letter: u8, age_ms: u32) -> Observation {
    let seen = Observation::new(0, Green, 1, letter != b'.');
    Observation { group: 1, wait_ms: Some(age_ms), waited: letter == b'w', age_ms, ..seen }
}

impl World {
    /// Requests that all began so long ago, told of at once.
    fn tell(&mut self, age_ms: u32, letters: &str) -> &mut Self {
        self.observed(letters.bytes().map(|letter| request(letter, age_ms)).collect())
    }

    fn suspected(&self) -> usize {
        self.news().into_iter().filter(|news| **news == SUSPECTED()).count()
    }
}

/// As a machine that did much else showed it live, at 3,000 requests a second: for half a second connections were not made,
/// and then at the second try. Users were answered well, if late.
#[test]
fn what_was_held_up_together_is_judged_once_however_its_lines_come() {
    let mut world = World::new();
    world.watched("v2").good(5_000);
    world.tell(510, "wwwwwwwwww");
    assert_eq!(world.probe().unwrap().1, Arm::Old);
    world.pass_ms(3).probed(3);
    assert_eq!(world.probe().unwrap().1, Arm::New);
    world.pass_ms(3).probed(12);
    for age_ms in [512, 520, 535] {
        world.tell(age_ms, "www").pass_ms(5).tell(age_ms, "..ww.w.w.w.ww..w..ww").tell(2, ".....").pass_ms(5);
    }
    assert_eq!((world.phase(), world.suspected()), (Phase::Watching, 1));
    let evidence = world.machine.view().components[0].evidence.clone().unwrap();
    assert_eq!((evidence.bad(), evidence.requests()), (0, 15), "what began since counts");
    assert_eq!(evidence.excused().bad, 6 + 3 * 14);
}

#[test]
fn what_begins_after_it_is_judged_as_ever() {
    let mut world = World::new();
    world.watched("v2").good(5_000);
    world.tell(510, "wwwwwwwwww").pass_ms(3).probed(3).pass_ms(3).probed(12).pass_ms(20);
    world.tell(8, "xxxxxxxxxx").probed(3).probed(0);
    assert_eq!(world.doc().cause, Some(Cause::Errors { component: "api".into() }));
}

#[test]
fn waits_among_answers_are_no_verdict_before_the_candidate_was_asked_as_often_as_their_rate_needs() {
    let check = |letters: &str, questions: Option<u8>| {
        let mut world = World::new();
        world.watched("v2").good(500);
        while world.probe().is_none() {
            world.tell(1_100, letters);
        }
        while world.phase() == Phase::Watching && world.probe().unwrap().1 == Arm::Old {
            let (requests, _) = world.asked().unwrap();
            world.pass_ms(1).probed(requests);
        }
        assert_eq!(world.probe().unwrap().1 == Arm::New, questions.is_some(), "{letters}");
        if let Some(questions) = questions {
            assert_eq!(world.asked().unwrap().0, questions, "{letters}");
            world.probed(questions);
        }
        let spared = questions.is_some();
        assert_eq!((world.doc().is_bad(), world.suspected()), (!spared, usize::from(spared)), "{letters}");
    };
    check("..w", Some(18));
    check("..x", None);
    check("..w..w..x", Some(18));
    check("..w..x..x", None);
}

/// One request in fifty for a while: that is nothing that could be over.
#[test]
fn waits_that_go_on_need_no_question_to_the_candidate() {
    let mut world = World::new();
    world.watched("v2").good(500);
    while world.probe().is_none() {
        world.pass_ms(500).tell(1_100, &format!("{}w", ".".repeat(49)));
    }
    while world.phase() == Phase::Watching {
        assert_eq!(world.probe().unwrap().1, Arm::Old);
        let (requests, _) = world.asked().unwrap();
        world.pass_ms(1).probed(requests);
    }
    assert_eq!(world.suspected(), 0);
}

#[test]
fn a_candidate_that_goes_on_holding_requests_up_is_taken_back() {
    let mut world = World::new();
    world.watched("v2").good(500);
    for round in 0..3 {
        world.pass_ms(1_200).tell(1_100, "..w..w..w..w..w..w..w..w..w..w");
        while world.phase() == Phase::Watching && !world.machine.confirm.is_quiet() {
            let (requests, _) = world.asked().unwrap();
            world.pass_ms(1).probed(requests);
        }
        assert_eq!(world.suspected(), 2.min(round + 1));
    }
    assert_eq!(world.probe().unwrap().2, Blue, "the third time only the old colour is asked");
    assert!(world.doc().is_bad());
}

/// They have no line yet that would say which route they are of, and the smoke suite may be what still answers.
#[test]
fn what_hangs_in_flight_is_asked_for_on_the_configured_routes() {
    let check = |group: u8, asked: usize| {
        let mut world = World::new();
        world.watched("v2").good(50);
        let silent = Observation { group, waited: true, age_ms: 1_000, ..Observation::new(0, Green, 1, true) };
        world.observed(vec![silent; 10]);
        let groups = world.actions.iter().rev().find_map(|action| match action {
            Action::Probe(probe) => Some(probe.groups.len()),
            _ => None,
        });
        assert_eq!(groups, Some(asked), "group {group}");
        world.probed(3).probed(0);
        assert!(world.doc().is_bad());
    };
    check(0, 32);
    check(7, 1);
}

/// Its connections came together when the hold-up was over: it takes a moment to get through them.
#[test]
fn a_candidate_that_answers_some_is_asked_again() {
    let check = |answers: &[u8], bad: bool| {
        let mut world = World::new();
        world.watched("v2").good(500).tell(1_100, "wwwwwwwwww").pass_ms(400).probed(3);
        for passed in answers {
            assert_eq!((world.phase(), world.probe().unwrap().1), (Phase::Watching, Arm::New), "{answers:?}");
            world.pass_ms(100).probed(*passed);
        }
        while world.phase() == Phase::Watching && world.suspected() == 0 {
            assert_eq!(world.probe().unwrap().1, Arm::Old, "{answers:?}");
            let (requests, _) = world.asked().unwrap();
            world.probed(requests);
        }
        assert_eq!((world.doc().is_bad(), world.suspected()), (bad, usize::from(!bad)), "{answers:?}");
    };
    check(&[12], false);
    check(&[4, 7, 12], false);
    check(&[0], true);
    check(&[4, 4, 4, 4], true);
    check(&[4, 0], true);
}

/// Neither was enough for a verdict: that the second one was is no reason to believe both.
#[test]
fn two_hold_ups_long_after_each_other_are_doubted() {
    let mut world = World::new();
    world.watched("v2").good(50).tell(1_100, "w..w..w");
    for _ in 0..8 {
        world.pass_ms(1_000).tell(5, "..");
    }
    assert_eq!(world.probe(), None);
    while world.probe().is_none() {
        world.tell(1_100, "..w");
    }
    while world.phase() == Phase::Watching && world.probe().unwrap().1 == Arm::Old {
        let (requests, _) = world.asked().unwrap();
        world.pass_ms(1).probed(requests);
    }
    let (requests, _) = world.asked().unwrap();
    world.pass_ms(1).probed(requests);
    assert_eq!((world.phase(), world.suspected()), (Phase::Watching, 1));
}

#[test]
fn a_shared_windows_last_requests_are_set_aside_with_it() {
    let mut world = World::new();
    world.watched("v2").good(500).bad(20);
    world.probed(0);
    for _ in 0..40 {
        if world.said(&News::SharedOutageOver) {
            break;
        }
        world.pass_ms(60).probed(3);
    }
    world.tell(700, "wwwwwwww").tell(700, "xxxxxxxx");
    assert!(world.machine.confirm.is_quiet());
    world.tell(0, "xxxxxxxx");
    assert!(!world.machine.confirm.is_quiet());
}
