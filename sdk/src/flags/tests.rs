//! Threads ask while updates arrive.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::context::{Attribute, Scratch, Subject};
use crate::model::{Condition, Flag, Operator, Percentage, Rule};
use crate::{Context, ErrorCode, Known, Reason};

fn document(revision: u64, flags: Vec<Flag>) -> Document {
    Document { revision, flags, ..Document::default() }
}

fn flags(list: Vec<Flag>) -> Flags {
    let flags = Flags::new(None);
    flags.apply(Layer::Live, document(1, list), Timestamp::default());
    flags
}

fn told(flags: &Flags) -> Vec<String> {
    let tell = |exposure: Exposure| {
        let what = exposure.variant.as_deref().unwrap_or(if exposure.defaulted { "default" } else { "none" });
        format!("{} v{} {what} {}", exposure.flag, exposure.version, exposure.count)
    };
    flags.take_exposures().into_iter().map(tell).collect()
}

crate::flags! {
    #[expect(unreachable_pub, reason = "a module of one's own is meant to be seen from outside")]
    mod flag {
        telehealth = false;
        billing = true;
        new_editor("new-editor") = true;
    }
}

#[test]
fn without_flags_the_default_counts() {
    let flags = Flags::new(None);
    assert!(!flags.is_enabled("user-7", "telehealth"));
    assert!(flags.is_enabled_or("user-7", "telehealth", true));
    assert!(!flags.is_enabled("user-7", &flag::telehealth));
    assert!(flags.is_enabled("user-7", &flag::billing));
    assert!(flags.handle(&flag::billing).is_enabled("user-7"));
    assert_eq!(flags.evaluate("user-7", "telehealth").error, Some(ErrorCode::FlagNotFound));
    assert_eq!(flag::ALL.iter().map(|flag| flag.text()).collect::<Vec<_>>(), ["telehealth", "billing", "new-editor"]);
}

#[test]
fn a_share_needs_somebody_and_all_and_none_do_not() {
    let half = Flag { rollout_percentage: Percentage::from_whole(50).unwrap(), ..Flag::new("half") };
    let none = Flag { rollout_percentage: Percentage::NONE, ..Flag::new("none") };
    let flags = flags(vec![half, none, Flag::new("all")]);
    for nobody in [None, Some("")] {
        assert!(flags.is_enabled_or(nobody, "half", true) && !flags.is_enabled_or(nobody, "half", false));
        assert!(flags.is_enabled(nobody, "all") && !flags.is_enabled_or(nobody, "none", true));
    }
    assert_eq!(flags.evaluate((), "half").error, Some(ErrorCode::TargetingKeyMissing));
    assert_eq!(flags.evaluate("user-7", "half").reason, Reason::Split);
    let on = (0..1000_u32).filter(|user| flags.is_enabled(user, "half")).count();
    assert!((430..570).contains(&on), "{on}");
}

#[test]
fn every_way_to_ask_gives_the_same_answer() {
    let rule = Rule {
        percentage: Percentage::from_whole(50).unwrap(),
        ..Rule::new(vec![Condition::new("clinic", Operator::In, ["hcm-3"])])
    };
    let ruled = Flag { rules: vec![rule], rollout_percentage: Percentage::NONE, ..Flag::new("telehealth") };
    let share = Flag { rollout_percentage: Percentage::from_whole(25).unwrap(), ..Flag::new("new-editor") };
    let flags = flags(vec![ruled, share]);
    let handles = [flags.handle("telehealth"), flags.handle(&flag::new_editor)];
    let attributes = [("clinic", "hcm-3".into())];
    for id in 0..500 {
        let id = format!("user-{id}");
        let user = Context::new(&id, &attributes);
        for (declared, handle) in [&flag::telehealth, &flag::new_editor].into_iter().zip(&handles) {
            let expected = flags.is_enabled(user, declared.text());
            assert_eq!(flags.is_enabled(user, declared), expected);
            assert_eq!(handle.is_enabled(user), expected);
            assert_eq!(flags.pin().is_enabled(user, declared), expected);
            assert_eq!(flags.snapshot().is_enabled(user, declared), expected);
            assert_eq!(flags.evaluate(user, declared).enabled, Some(expected));
            assert_eq!(flags.bool(user, declared, !expected).value, expected);
        }
    }
}

#[test]
fn the_first_rule_that_matches_decides_a_plain_switch_in_either_way() {
    let rule = |percentage| Rule { percentage, ..Rule::new(vec![Condition::new("clinic", Operator::In, ["hcm-3"])]) };
    for (first, second) in [(Percentage::NONE, Percentage::ALL), (Percentage::ALL, Percentage::NONE)] {
        let flags = flags(vec![Flag { rules: vec![rule(first), rule(second)], ..Flag::new("a") }]);
        let attributes = [("clinic", "hcm-3".into())];
        let user = Context::new("user-7", &attributes);
        assert_eq!(flags.is_enabled(user, "a"), first == Percentage::ALL);
        assert_eq!(flags.evaluate(user, "a").enabled, Some(first == Percentage::ALL));
    }
}

#[test]
fn a_pinned_snapshot_does_not_move_and_a_handle_does() {
    let flags = flags(vec![Flag::new("a")]);
    let (pinned, early, late) = (flags.pin(), flags.handle("a"), flags.handle("b"));
    flags.apply(
        Layer::Live,
        document(2, vec![Flag { enabled: false, ..Flag::new("a") }, Flag::new("b")]),
        Timestamp::default(),
    );
    assert!(pinned.is_enabled("user-7", "a") && !early.is_enabled("user-7") && !flags.is_enabled("user-7", "a"));
    assert!(late.is_enabled("user-7") && !pinned.is_enabled("user-7", "b"));
}

#[test]
fn what_is_known_and_what_is_not_can_be_listed() {
    let flags = Flags::new(Some("prod"));
    let told = |flags: &Flags| {
        let tell = |known: Known| {
            let Known { name, version, layer, enabled, usable } = known;
            format!("{name} v{version} {layer:?} enabled {enabled} usable {usable}")
        };
        flags.known().into_iter().map(tell).collect::<Vec<_>>()
    };
    let missing =
        |flags: &Flags| flags.missing(flag::ALL).into_iter().map(|flag| flag.text().to_owned()).collect::<Vec<_>>();
    assert_eq!(missing(&flags), ["telehealth", "billing", "new-editor"]);
    let elsewhere = Flag { environments: vec!["dev".into()], version: 7, ..Flag::new("billing") };
    flags.apply(Layer::File, document(0, vec![Flag::new("telehealth"), elsewhere]), Timestamp::default());
    let nowhere = Rule::new(vec![Condition::segment("nowhere")]);
    let live = vec![
        Flag { version: 2, enabled: false, ..Flag::new("telehealth") },
        Flag { rules: vec![nowhere], ..Flag::new("broken") },
    ];
    flags.apply(Layer::Live, document(1, live), Timestamp::default());
    let _ = flags.handle("asked-for-and-never-told");
    assert_eq!(
        told(&flags),
        [
            "billing v7 File enabled false usable true",
            "broken v1 Live enabled false usable false",
            "telehealth v2 Live enabled false usable true",
        ]
    );
    assert_eq!(missing(&flags), ["new-editor"]);
    let gone = Document { revision: 2, since: Some(1), deleted: vec!["telehealth".into()], ..Document::default() };
    flags.apply(Layer::Live, gone, Timestamp::default());
    assert_eq!(told(&flags).pop().as_deref(), Some("telehealth v1 File enabled true usable true"));
}

#[test]
fn one_declaration_serves_several_flags() {
    let one = flags(vec![Flag::new("unrelated"), Flag::new("telehealth")]);
    let other = flags(vec![Flag { enabled: false, ..Flag::new("telehealth") }]);
    for _ in 0..3 {
        assert!(one.is_enabled("user-7", &flag::telehealth) && !other.is_enabled("user-7", &flag::telehealth));
    }
}

#[test]
fn answers_are_counted_by_version_and_variant() {
    let flags =
        flags(vec![Flag::new("a"), Flag { rollout_percentage: Percentage::from_whole(50).unwrap(), ..Flag::new("b") }]);
    flags.is_enabled("user-7", "a");
    flags.handle("a").is_enabled("user-7");
    flags.pin().is_enabled("user-7", "a");
    let _ = flags.snapshot().is_enabled("user-7", "a");
    flags.is_enabled((), "b");
    thread::scope(|scope| drop(scope.spawn(|| flags.is_enabled("user-7", "a"))));
    let _ = flags.evaluate("user-7", "a");
    assert_eq!(told(&flags), ["a v1 on 5", "b v1 default 1"]);
    flags.apply(
        Layer::Live,
        document(2, vec![Flag { enabled: false, version: 2, ..Flag::new("a") }]),
        Timestamp::default(),
    );
    flags.is_enabled("user-7", "a");
    assert_eq!(told(&flags), ["a v2 off 1"]);
}

#[test]
fn nothing_is_lost_or_counted_twice_while_updates_arrive() {
    const ASKED: u64 = 20_000;
    let flags = flags(vec![Flag::new("a")]);
    let is_over = AtomicBool::new(false);
    let updates = thread::scope(|scope| {
        let updater = scope.spawn(|| {
            let mut revision = 1;
            let mut counted = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                revision += 1;
                let flag = Flag { enabled: revision % 2 == 0, version: revision, ..Flag::new("a") };
                flags.apply(Layer::Live, document(revision, vec![flag]), Timestamp::default());
                counted.extend(flags.take_exposures());
            }
            counted
        });
        let askers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..ASKED {
                        flags.is_enabled("user-7", "a");
                    }
                })
            })
            .collect();
        askers.into_iter().for_each(|asker| asker.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        updater.join().unwrap()
    });
    let mut all = updates;
    all.extend(flags.take_exposures());
    assert_eq!(all.iter().map(|exposure| exposure.count).sum::<u64>(), 3 * ASKED);
    let fits = |exposure: &Exposure| {
        let on = if exposure.version == 1 || exposure.version.is_multiple_of(2) { "on" } else { "off" };
        exposure.variant.as_deref() == Some(on)
    };
    assert!(all.iter().all(fits), "an answer is counted for the version that gave it");
}

#[test]
fn old_snapshots_are_freed_by_updates_and_their_counts_used_again() {
    let flags = flags(vec![Flag::new("a")]);
    for revision in 2..200 {
        let flag = Flag { version: revision, ..Flag::new("a") };
        flags.apply(Layer::Live, document(revision, vec![flag]), Timestamp::default());
        flags.is_enabled("user-7", "a");
    }
    let control = lock(&flags.shared.control);
    assert!(control.earlier.len() <= 2, "{} earlier snapshots", control.earlier.len());
    assert!(control.slots.capacity() <= 16, "{} counts", control.slots.capacity());
}

#[test]
fn a_thread_that_asked_once_keeps_one_snapshot_and_not_the_counts_of_all_later_ones() {
    let flags = flags(vec![Flag::new("a")]);
    let (asked, has_asked) = std::sync::mpsc::channel();
    let (end, is_over) = std::sync::mpsc::channel::<()>();
    thread::scope(|scope| {
        let flags = &flags;
        scope.spawn(move || {
            flags.is_enabled("user-7", "a");
            asked.send(()).unwrap();
            let _ = is_over.recv();
        });
        has_asked.recv().unwrap();
        for revision in 2..200 {
            let flag = Flag { version: revision, ..Flag::new("a") };
            flags.apply(Layer::Live, document(revision, vec![flag]), Timestamp::default());
            flags.is_enabled("user-7", "a");
        }
        let control = lock(&flags.shared.control);
        assert!(control.earlier.len() <= 3, "{} earlier snapshots", control.earlier.len());
        assert!(control.slots.capacity() <= 16, "{} counts", control.slots.capacity());
        drop(end);
    });
    assert_eq!(flags.take_exposures().iter().map(|exposure| exposure.count).sum::<u64>(), 199);
}

/// Asks another flag while it is asked for an attribute.
struct Curious<'a>(&'a Flags);

impl Subject for Curious<'_> {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        Some("user-7")
    }

    fn attribute(&self, _: &str) -> Option<Attribute<'_>> {
        self.0.apply(Layer::Live, document(2, vec![Flag::new("other")]), Timestamp::default());
        Some(Attribute::Text(if self.0.is_enabled("user-7", "other") { "yes" } else { "no" }))
    }
}

#[test]
fn a_user_may_ask_and_even_update_while_being_asked() {
    let rule = Rule::new(vec![Condition::new("x", Operator::In, ["yes"])]);
    let flags = flags(vec![Flag { rules: vec![rule], rollout_percentage: Percentage::NONE, ..Flag::new("a") }]);
    assert!(flags.is_enabled(Curious(&flags), "a"));
    assert!(flags.is_enabled("user-7", "other"));
}
