//! Several agents: who leads, what a follower does by itself, and what becomes of two that write at once.

use std::time::Duration;

use super::fixture::World;
use crate::colour::Colour::{Blue, Green};
use crate::document::{Cause, Document, Outcome, Phase};
use crate::machine::event::{Backend, EdgeReport, Event, Feed, Order};
use crate::machine::{Action, News, Refusal};
use crate::policy::Verdict;

/// Two edges, of which this agent routes the first; it leads for an hour.
fn leading() -> World {
    let mut world = following();
    lead(&mut world, 3600);
    world
}

fn following() -> World {
    let mut world = World::with(|settings| {
        settings.edges = vec!["edge".into(), "other".into()];
        settings.own = Some(vec![0]);
    });
    other_edge(&mut world);
    world
}

fn lead(world: &mut World, seconds: u64) {
    let until = Some(world.now + Duration::from_secs(seconds));
    world.send(Event::Lead { until });
}

/// The other agent's edge does as this one's.
fn other_edge(world: &mut World) {
    let backend = |colour| Backend { component: 0, colour, up: 2, in_flight: 0 };
    world.send(Event::Edge(EdgeReport {
        edge: 1,
        running: Some(world.edge.running.clone()),
        saved: Some(world.edge.saved.clone()),
        manual: false,
        feed: Feed::Live,
        backends: vec![backend(Blue), backend(Green)],
    }));
}

fn hear(world: &mut World, change: impl FnOnce(&mut Document)) {
    let mut theirs = world.doc().clone();
    theirs.revision += 1;
    change(&mut theirs);
    world.send(Event::Document(Box::new(theirs)));
}

/// As the leader stored it: `v2` on green gets everything and is being watched.
fn watched_elsewhere(world: &mut World) {
    hear(world, |theirs| {
        theirs.epoch.release += 1;
        theirs.epoch.step = 1;
        theirs.phase = Phase::Watching;
        theirs.share = crate::colour::Share::ALL;
        let component = &mut theirs.components[0];
        component.candidate.colour = Green;
        component.candidate.version = Some("v2".into());
        component.share = crate::colour::Share::ALL;
    });
    world.capacity(0, Green, Some("v2"), 2);
}

fn selected(world: &World) -> Vec<crate::colour::Colour> {
    let select = |action: &Action| match action {
        Action::Select { colour, .. } => Some(*colour),
        _ => None,
    };
    world.actions.iter().filter_map(select).collect()
}

#[test]
fn an_agent_that_was_never_told_leads_only_where_it_is_alone() {
    assert!(World::new().try_deploy("v2").is_ok());
    let mut world = following();
    assert_eq!(world.try_deploy("v2"), Err(Refusal::NotLeading));
    lead(&mut world, 10);
    assert!(world.try_deploy("v2").is_ok());
}

#[test]
fn a_lead_ends_by_the_clock_whatever_else_is_heard() {
    let mut world = following();
    lead(&mut world, 10);
    world.now = world.now + Duration::from_secs(10);
    assert_eq!(world.try_deploy("v2"), Err(Refusal::NotLeading));
    let order = |order| following().order(order);
    for refused in [Order::Promote { by: "a".into() }, Order::Abort { by: "a".into() }, Order::Pause { by: "a".into() }]
    {
        assert_eq!(order(refused), Err(Refusal::NotLeading));
    }
    assert_eq!(order(Order::Rollback { by: "a".into() }), Err(Refusal::NothingToRollBack), "it is taken anywhere");
}

#[test]
fn a_follower_routes_its_own_edge_by_what_is_stored_and_orders_nothing_else() {
    let mut world = following();
    world.actions.clear();
    watched_elsewhere(&mut world);
    assert_eq!(world.routed(), "v1:1.1.open:blue:green:100000:teal:0");
    assert!(world.actions.iter().all(|action| matches!(action, Action::Route { edge: 0, .. })), "{:?}", world.actions);
    world.good(50);
    world.pass(100);
    assert_eq!(world.phase(), Phase::Watching, "it does not go on by itself");
}

#[test]
fn a_follower_takes_its_own_edge_back_at_once_and_says_so() {
    let mut world = following();
    watched_elsewhere(&mut world);
    world.store_up = false;
    world.bad(20).probed(3).probed(0);
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
    assert!(world.said(&News::Bad(Cause::Errors { component: "api".into() })));
    hear(&mut world, |theirs| {
        theirs.epoch.verdict = Verdict::Open;
        theirs.phase = Phase::Retaining;
        theirs.revision += 5;
    });
    assert!(world.doc().is_bad(), "bad wins over what is open");
    let written = world.actions.iter().rev().find_map(|action| match action {
        Action::Persist(document) => Some(document.revision),
        _ => None,
    });
    assert_eq!(written, Some(world.doc().revision), "on top of theirs");
}

#[test]
fn what_another_calls_bad_is_taken_back_without_a_word() {
    let mut world = following();
    watched_elsewhere(&mut world);
    world.actions.clear();
    hear(&mut world, |theirs| {
        theirs.epoch.verdict = Verdict::Bad;
        theirs.phase = Phase::RollingBack;
        theirs.outcome = Some(Outcome::RolledBack);
        theirs.components[0].share = crate::colour::Share::NONE;
    });
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
    assert!(world.news().is_empty(), "{:?}", world.news());
}

#[test]
fn another_edge_that_is_back_is_believed_before_the_store_says_so() {
    let mut world = following();
    watched_elsewhere(&mut world);
    let running = "v1:1.1.bad:blue:green:0:teal:0".parse().ok();
    let report =
        |running| EdgeReport { edge: 1, running, saved: None, manual: false, feed: Feed::Live, backends: Vec::new() };
    world.send(Event::Edge(report(running)));
    assert!(world.doc().is_bad());
    assert_eq!(world.routed(), "v1:1.1.bad:blue:green:0:teal:0");
}

#[test]
fn a_document_that_is_old_changes_nothing() {
    let mut world = following();
    watched_elsewhere(&mut world);
    let before = world.doc().clone();
    hear(&mut world, |theirs| {
        theirs.revision -= 1;
        theirs.epoch.step = 0;
        theirs.phase = Phase::Deploying;
    });
    assert_eq!(*world.doc(), before);
}

#[test]
fn who_begins_to_lead_gives_the_orders_of_the_phase_once_the_store_has_heard_of_it() {
    let mut world = following();
    watched_elsewhere(&mut world);
    world.store_up = false;
    world.actions.clear();
    lead(&mut world, 3600);
    assert!(world.started().is_empty() && selected(&world).is_empty(), "what it knows may be old");
    world.store_back();
    assert_eq!(world.started().len(), 2);
    other_edge(&mut world);
    assert_eq!(selected(&world), [Green]);
}

/// While the store was away the other agent's edge may have taken refuge on the new colour, and nobody could tell.
#[test]
fn a_stop_waits_for_a_word_of_every_edge_that_is_younger_than_the_stored_document() {
    let mut world = following();
    watched_elsewhere(&mut world);
    lead(&mut world, 3600);
    let on_new = world.edge.clone();
    world.order(Order::Rollback { by: "ann".into() }).unwrap();
    world.store_up = false;
    other_edge(&mut world);
    assert_eq!(world.phase(), Phase::Idle, "both edges are back and drained");
    world.now = world.now + Duration::from_secs(3);
    world.actions.retain(|action| !matches!(action, Action::Stop { .. }));
    world.store_back();
    assert!(world.stopped().is_empty(), "what the other edge said is from before");
    let back = std::mem::replace(&mut world.edge, on_new);
    other_edge(&mut world);
    assert!(world.stopped().is_empty(), "it serves from there");
    world.edge = back;
    other_edge(&mut world);
    assert_eq!(world.stopped(), [Green]);
}

#[test]
fn who_begins_to_lead_tells_of_an_emergency_that_goes_on() {
    let mut world = following();
    watched_elsewhere(&mut world);
    world.capacity(0, Blue, Some("v1"), 0).bad(20);
    hear(&mut world, |theirs| {
        theirs.epoch.verdict = Verdict::Bad;
        theirs.phase = Phase::RollingBack;
        theirs.outcome = Some(Outcome::RolledBack);
        theirs.emergency = vec!["api".into()];
    });
    let emergency = News::Emergency { component: "api".into() };
    assert!(!world.said(&emergency), "that is for the one that leads");
    lead(&mut world, 3600);
    assert!(world.said(&emergency));
}

#[test]
fn a_leader_that_lost_its_lead_drops_what_waited_for_the_store() {
    let mut world = leading();
    world.actions.clear();
    world.store_up = false;
    world.deploy("v2");
    world.send(Event::Lead { until: None });
    world.store_back();
    assert!(world.started().is_empty());
    assert_eq!(world.doc().phase, Phase::Deploying);
    assert_eq!(world.routed(), "v1:1.0.open:blue:green:0:teal:0", "its edge goes by what is stored");
}

#[test]
fn a_release_whose_number_another_took_never_was() {
    let mut world = leading();
    let base = world.doc().clone();
    world.store_up = false;
    world.deploy("v2");
    let mut theirs = base;
    theirs.revision += 1;
    theirs.epoch.step = 1;
    theirs.epoch.verdict = Verdict::Bad;
    theirs.phase = Phase::RollingBack;
    world.send(Event::Document(Box::new(theirs)));
    assert_eq!((world.doc().epoch.release, world.phase()), (0, Phase::RollingBack));
    assert!(world.said(&News::Ended(Outcome::Aborted, None)));
}

#[test]
fn a_release_goes_on_top_of_what_does_not_contradict_it() {
    let mut world = leading();
    let mut theirs = world.doc().clone();
    world.store_up = false;
    world.deploy("v2");
    theirs.revision += 1;
    world.send(Event::Document(Box::new(theirs)));
    world.store_back();
    assert_eq!((world.doc().epoch.release, world.phase()), (1, Phase::Deploying));
    assert_eq!(world.started().last(), Some(&(Green, "v2".into())));
}

#[test]
fn no_two_agents_give_out_the_same_step() {
    let steps = |own: Vec<usize>| -> Vec<u32> {
        let world = World::with(|settings| {
            settings.edges = vec!["edge".into(), "other".into()];
            settings.own = Some(own);
        });
        (0..20).map(|step| world.machine.step_after(step)).collect()
    };
    let (first, second, none) = (steps(vec![0]), steps(vec![1]), steps(Vec::new()));
    assert!(first.iter().all(|step| !second.contains(step) && !none.contains(step)));
    assert!(second.iter().all(|step| !none.contains(step)));
    assert_eq!(World::new().machine.step_after(7), 8);
}

#[test]
fn the_service_follows_once_every_edge_is_there_and_is_put_right_after_a_drift() {
    let mut world = World::new();
    assert_eq!(selected(&world), [Blue], "at a start");
    world.deploy("v2").ready();
    assert_eq!(selected(&world), [Blue]);
    world.smoke_ok();
    assert_eq!(selected(&world), [Blue, Green]);
    world.send(Event::Drift { component: 0, colour: Some(Blue) });
    assert!(world.said(&News::SelectorDrift { component: "api".into() }));
    assert_eq!(selected(&world), [Blue, Green, Green]);
    world.order(Order::Pause { by: "ann".into() }).unwrap();
    world.send(Event::Drift { component: 0, colour: None });
    assert_eq!(selected(&world).len(), 3, "not in a pause");
    world.order(Order::Resume { by: "ann".into() }).unwrap();
    assert_eq!(selected(&world), [Blue, Green, Green, Green]);
    world.bad(20).probed(3).probed(0);
    assert_eq!(selected(&world).last(), Some(&Blue), "after the rollback");
}

#[test]
fn each_of_several_agents_spends_its_part_of_alpha() {
    let threshold = |world: &World| world.machine.evidence(0).unwrap().log_threshold();
    let mut shared = following();
    watched_elsewhere(&mut shared);
    let mut alone = World::new();
    alone.watched("v2");
    let (of_two, of_one) = (threshold(&shared), threshold(&alone));
    assert!((of_two - of_one - 2.0_f64.ln()).abs() < 1e-9, "{of_two} {of_one}");
}
