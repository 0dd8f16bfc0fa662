//! The watch: what ends it, what does not, and what comes after.

use std::time::Duration;

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::colour::Share;
use crate::document::{Cause, Outcome, Phase};
use crate::machine::News;
use crate::machine::event::{Feed, Order};
use crate::settings::{OnUnknown, Step};

#[test]
fn a_healthy_release_is_kept_and_after_its_retention_the_old_colour_stops() {
    let mut world = World::new();
    world.watched("v2");
    for _ in 0..10 {
        world.good(30).pass(1);
    }
    assert!(world.said(&News::Ended(Outcome::Completed, None)));
    world.pass(59);
    assert_eq!((world.phase(), world.stopped()), (Phase::Retaining, vec![]));
    world.pass(2);
    assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Blue]));
    assert_eq!(world.doc().components[0].active().colour, Green);
}

#[test]
fn a_retention_does_not_end_while_the_new_colour_has_nothing_ready() {
    let mut world = World::new();
    world.retained("v2").pass(30).capacity(0, Blue, Some("v1"), 0).capacity(0, Green, Some("v2"), 0).pass(60);
    assert_eq!((world.phase(), world.stopped()), (Phase::Retaining, vec![]));
    world.capacity(0, Green, Some("v2"), 2).pass(1);
    assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Blue]));
}

#[test]
fn a_retention_does_not_end_while_an_edge_serves_from_the_old_colour() {
    let mut world = World::new();
    let old = world.edge.running.clone();
    world.retained("v2");
    let new = std::mem::replace(&mut world.edge.running, old);
    world.report().pass(61);
    assert_eq!((world.phase(), world.stopped()), (Phase::Retaining, vec![]));
    world.edge.running = new;
    world.report().pass(1);
    assert_eq!((world.phase(), world.stopped()), (Phase::Idle, vec![Blue]));
}

#[test]
fn steps_are_each_watched_on_their_own() {
    let mut world = World::with(|settings| {
        let step = |percent| Step { share: Share::percent(percent), hold: Duration::from_secs(5) };
        settings.steps = vec![step(10), step(50)];
    });
    world.watched("v2");
    let mut routed = vec![world.routed()];
    for _ in 0..40 {
        world.good(30).pass(1);
        if routed.last() != Some(&world.routed()) {
            routed.push(world.routed());
        }
    }
    let share = |step, share: &str| format!("v1:1.{step}.open:blue:green:{share}:teal:0");
    assert_eq!(routed, [share(1, "10000"), share(2, "50000"), share(3, "100000")]);
    assert_eq!(world.doc().outcome, Some(Outcome::Completed));
}

#[test]
fn what_is_not_known_at_the_end_of_the_longest_watch_is_handled_as_the_policy_says() {
    let check = |on_unknown, phase, outcome, cause: Option<Cause>| {
        let mut world = World::with(|settings| settings.on_unknown = on_unknown);
        world.watched("v2").good(5).pass(29);
        assert_eq!(world.phase(), Phase::Watching, "{on_unknown:?}");
        assert!(world.said(&News::Extended), "{on_unknown:?}");
        world.edge.in_flight = 1;
        world.pass(1);
        assert_eq!((world.phase(), world.doc().outcome), (phase, outcome), "{on_unknown:?}");
        assert_eq!(world.doc().cause, cause, "{on_unknown:?}");
    };
    check(OnUnknown::Keep, Phase::Retaining, Some(Outcome::Kept), None);
    check(OnUnknown::Rollback, Phase::RollingBack, Some(Outcome::RolledBack), Some(Cause::Unproven));
    check(OnUnknown::Ask, Phase::Held, None, None);
}

#[test]
fn unproven_with_no_way_back_is_a_humans() {
    let mut world = World::with(|settings| settings.on_unknown = OnUnknown::Rollback);
    world.watched("v2").capacity(0, Blue, Some("v1"), 0).pass(31);
    assert_eq!((world.phase(), world.doc().is_bad()), (Phase::Held, false));
}

#[test]
fn a_partial_share_is_never_raised_without_proof() {
    let hold = Duration::from_secs(5);
    let mut world = World::with(|settings| settings.steps = vec![Step { share: Share::percent(10), hold }]);
    world.watched("v2").pass(31);
    assert_eq!((world.phase(), world.doc().share), (Phase::Held, Share::percent(10)));
    world.order(Order::Promote { by: "ann".into() }).unwrap();
    assert_eq!((world.phase(), world.doc().share), (Phase::Watching, Share::ALL));
}

#[test]
fn silence_a_lost_feed_and_an_edge_that_says_nothing_prove_nothing() {
    let mut silent = World::with(|settings| settings.watch_max = Duration::from_secs(300));
    silent.watched("v2").good(100).pass(9);
    silent.now = silent.now + Duration::from_secs(40);
    silent.report();
    assert_eq!(silent.phase(), Phase::Watching, "nothing was seen for 40 s");

    let mut blind = World::new();
    blind.edge.feed = Feed::Lost;
    blind.watched("v2").good(100).pass(12);
    assert_eq!(blind.phase(), Phase::Watching, "the feed is lost");
    blind.edge.feed = Feed::Live;
    blind.good(1).report();
    assert_eq!(blind.phase(), Phase::Retaining);

    let mut quiet = World::new();
    quiet.watched("v2").good(100).pass(4);
    quiet.now = quiet.now + Duration::from_secs(8);
    quiet.good(1);
    assert_eq!(quiet.phase(), Phase::Watching, "no report for 8 s");
}

#[test]
fn blocks_that_come_twice_and_lines_of_an_earlier_release_do_not_count() {
    use crate::machine::event::{Block, Event, Observation};
    let mut world = World::new();
    world.watched("v2");
    let counted = |w: &World| w.machine.view().components[0].evidence.as_ref().map_or(0, |e| e.requests());
    let request = Observation::new(0, Green, 1, true);
    let block = Block { observer: 0, sequence: 1_000, requests: vec![request] };
    world.send(Event::Requests(block.clone())).send(Event::Requests(block.clone()));
    world.send(Event::Requests(Block { sequence: 999, ..block }));
    assert_eq!(counted(&world), 1);
    let late = Observation { release: 0, ..request };
    world.send(Event::Requests(Block { sequence: 1_001, requests: vec![late; 50], observer: 0 }));
    assert_eq!((counted(&world), world.probe()), (1, None));
    let nowhere = Observation { component: 9, ..request };
    world.send(Event::Requests(Block { sequence: 1_002, requests: vec![nowhere], observer: 0 }));
    assert_eq!(counted(&world), 1);
}

#[test]
fn a_pause_stops_the_watch_but_not_its_judgement() {
    let mut world = World::new();
    world.watched("v2");
    world.order(Order::Pause { by: "ben".into() }).unwrap();
    world.good(100).pass(60);
    assert_eq!(world.phase(), Phase::Watching);
    world.bad(20).probed(3).probed(0);
    assert_eq!(world.doc().cause, Some(Cause::Errors { component: "api".into() }));
}

#[test]
fn clocks_that_go_backwards_change_nothing() {
    let mut world = World::new();
    world.watched("v2").good(100).pass(5);
    let before = world.now;
    world.now = crate::time::Time::ZERO;
    world.unix_millis -= 86_400_000;
    world.good(10).report();
    assert_eq!(world.phase(), Phase::Watching);
    world.now = before;
    world.good(10).pass(6);
    assert_eq!(world.phase(), Phase::Retaining);
}
