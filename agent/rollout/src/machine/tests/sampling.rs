//! Probes of a candidate that few others ask: when they are sent, what they can do, and what they cannot.

use std::time::Duration;

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::criteria::Probes;
use crate::document::{Cause, Outcome, Phase};
use crate::machine::event::{Arm, Event, Order};
use crate::machine::{Action, News};
use crate::statistics::Counts;

fn probed() -> World {
    World::with(|settings| {
        settings.components[0].criteria.probes = Some(Probes { below: 1.0, every: Duration::from_secs(1) });
    })
}

/// Every request of the questions to the old colour passes.
fn old_does_well(world: &mut World) -> &mut World {
    loop {
        let (round, ..) = world.probe().unwrap();
        let (requests, _) = world.asked().unwrap();
        world.probed(requests);
        if world.probe().unwrap().0 == round {
            return world;
        }
    }
}

fn counts(world: &World) -> Counts {
    world.machine.view().components[0].samples.as_ref().map(|samples| samples.counts()).unwrap()
}

#[test]
fn without_traffic_each_second_brings_a_probe_and_the_release_is_never_proven_by_them() {
    let mut world = probed();
    world.watched("v2").pass(29);
    assert_eq!((world.phase(), counts(&world)), (Phase::Watching, Counts { n0: 29, k0: 0 }));
    assert!(world.said(&News::Extended));
    let ask = |round| Action::Sample { round, component: 0, colour: Green, release: 1 };
    assert!(world.actions.contains(&ask(1)) && world.actions.contains(&ask(29)));
    world.pass(2);
    assert_eq!(world.doc().outcome, Some(Outcome::Kept));
    let sent = world.samples();
    world.pass(10);
    assert_eq!(world.samples(), sent, "nobody is judged any more");
}

#[test]
fn a_candidate_with_traffic_of_its_own_is_not_probed() {
    let mut world = probed();
    world.watched("v2");
    for _ in 0..11 {
        world.good(2).pass(1);
    }
    assert_eq!((world.samples(), world.doc().outcome), (0, Some(Outcome::Completed)));
    let mut unprobed = World::new();
    unprobed.watched("v2").pass(20);
    assert_eq!((unprobed.samples(), unprobed.machine.view().components[0].samples.is_some()), (0, false));
}

#[test]
fn probes_that_fail_take_the_release_back_once_the_old_colour_does_better() {
    let mut world = probed();
    world.sampled = Some(false);
    world.watched("v2").pass(6);
    assert_eq!(world.probe(), None);
    world.pass(1);
    assert_eq!((world.probe(), counts(&world)), (Some((1, Arm::Old, Blue)), Counts { n0: 7, k0: 7 }));
    let about_the_check = |action: &Action| matches!(action, Action::Probe(p) if p.sampled && p.groups.is_empty());
    assert!(world.actions.iter().any(about_the_check));
    old_does_well(&mut world);
    assert_eq!(world.doc().cause, Some(Cause::Errors { component: "api".into() }));
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
}

#[test]
fn in_a_shared_outage_nothing_is_probed_and_what_was_seen_is_set_aside() {
    let mut world = probed();
    world.sampled = Some(false);
    world.watched("v2").pass(7).probed(0).probed(0);
    assert!(world.said(&News::SharedOutage { component: "api".into() }));
    let sent = world.samples();
    world.pass(5);
    assert_eq!(world.samples(), sent);
    world.sampled = Some(true);
    while !world.said(&News::SharedOutageOver) {
        old_does_well(&mut world).pass(1);
    }
    assert_eq!((world.phase(), counts(&world).k0), (Phase::Watching, 0));
    world.pass(3);
    assert!(world.samples() > sent, "it goes on after it");
}

#[test]
fn a_pause_and_a_hold_stop_no_probes() {
    let mut world = probed();
    world.watched("v2");
    world.order(Order::Pause { by: "ben".into() }).unwrap();
    world.pass(5);
    assert_eq!(world.samples(), 5);
    let mut held = World::with(|settings| {
        settings.components[0].criteria.probes = Some(Probes { below: 1.0, every: Duration::from_secs(1) });
        settings.on_unknown = crate::settings::OnUnknown::Ask;
    });
    held.watched("v2").pass(35);
    assert_eq!(held.phase(), Phase::Held);
    held.sampled = Some(false);
    while held.probe().is_none() {
        held.pass(1);
    }
    old_does_well(&mut held);
    assert!(held.doc().is_bad(), "what breaks while a human is awaited is taken back");
}

#[test]
fn an_answer_that_nobody_waits_for_counts_nothing_and_a_lost_one_is_not_waited_for() {
    let mut world = probed();
    world.sampled = None;
    world.watched("v2").pass(5);
    assert_eq!(world.samples(), 1, "one at a time");
    let answer = |release, round| Event::Sampled { release, component: 0, round, passed: false, wait: Duration::ZERO };
    world.send(answer(0, 1)).send(answer(1, 2)).send(Event::Sampled {
        release: 1,
        component: 7,
        round: 1,
        passed: false,
        wait: Duration::ZERO,
    });
    assert_eq!(counts(&world), Counts::default());
    world.send(answer(1, 1)).send(answer(1, 1));
    assert_eq!(counts(&world), Counts { n0: 1, k0: 1 });
    world.pass(16);
    assert_eq!((world.samples(), counts(&world).n0), (3, 1), "the second was lost after 15 s");
}

#[test]
fn what_probes_have_shown_outlives_the_agent() {
    let mut world = probed();
    world.watched("v2").pass(5).restart();
    assert_eq!(counts(&world), Counts { n0: 5, k0: 0 });
    world.sampled = Some(false);
    while world.probe().is_none() {
        world.pass(1);
    }
    assert!(counts(&world).n0 <= 15, "{:?}", counts(&world));
    old_does_well(&mut world);
    assert!(world.doc().is_bad());
}
