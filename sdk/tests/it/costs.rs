//! What a question costs where a clock is not needed to tell: allocations. Only those of the thread that asks are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use allocation_counter::{AllocationInfo, measure};
use serde_json::json;
use teal_flags::model::{Document, Timestamp};
use teal_flags::{Attribute, Context, Flags, Handle, Layer, Name, OwnedContext, Subject};

teal_flags::flags! {
    mod flag {
        on = false;
        off = true;
        half = false;
        by_clinic = false;
        by_rule("by-rule") = false;
        in_segment("in-segment") = false;
        needs_half("needs-half") = false;
        layout = false;
        unleash = false;
        unknown = true;
    }
}

/// A flag of every kind.
fn document(revision: u64) -> Document {
    let adults = json!({"attribute": "age", "operator": "gte", "values": [18]});
    let paying = json!({"attribute": "plan", "operator": "in", "values": ["pro", "team"]});
    let beta = json!({"attribute": "mail", "operator": "ends_with", "values": ["@EXAMPLE.COM"], "ignore_case": true});
    let pattern = json!({"attribute": "mail", "operator": "matches", "values": ["^user-[0-9]+@"]});
    let layouts = json!([
        {"name": "wide", "value": {"columns": 3}, "weight": 1},
        {"name": "narrow", "value": "one column", "weight": 2},
    ]);
    let mut json = json!({
        "revision": revision,
        "segments": [{
            "name": "beta", "include": ["user-1"], "exclude": ["user-2"], "any": [[beta], [pattern]],
        }],
        "flags": [
            {"name": "on", "enabled": true, "rollout_percentage": 100},
            {"name": "off", "enabled": false},
            {"name": "half", "enabled": true, "rollout_percentage": 50},
            {"name": "by_clinic", "enabled": true, "rollout_percentage": 50, "stickiness": ["clinic"]},
            {"name": "by-rule", "enabled": true, "rollout_percentage": 0,
                "rules": [{"conditions": [adults, paying], "percentage": 50}]},
            {"name": "in-segment", "enabled": true, "rollout_percentage": 0, "rules": [{"conditions": [{"segment": "beta"}]}]},
            {"name": "needs-half", "enabled": true, "rollout_percentage": 100,
                "prerequisites": [{"flag": "half"}]},
            {"name": "layout", "enabled": true, "rollout_percentage": 100, "variants": layouts},
            {"name": "unleash", "enabled": true, "rollout_percentage": 50, "bucketing": "unleash"},
        ],
    });
    for flag in json["flags"].as_array_mut().unwrap() {
        flag["version"] = json!(revision);
    }
    Document::from_value(json).unwrap()
}

fn flags() -> Flags {
    let flags = Flags::new(None);
    let document = document(1);
    assert_eq!(document.unreadable, []);
    let applied = flags.apply(Layer::Live, document, Timestamp::from_millis(0));
    assert_eq!(applied.problems, []);
    flags
}

/// What a thread has allocated in so many rounds, the first of which, not counted, gives it its place.
fn allocated(rounds: usize, mut ask: impl FnMut()) -> AllocationInfo {
    ask();
    measure(|| (0..rounds).for_each(|_| ask()))
}

/// Every question about a flag that needs no text of its own.
fn ask<S: Subject + Copy>(flags: &Flags, user: S, flag: impl Name + Copy, handle: &Handle, text: &Arc<str>) {
    let (pinned, snapshot) = (flags.pin(), flags.snapshot());
    let answers = [
        flags.is_enabled(user, flag),
        handle.is_enabled(user),
        pinned.is_enabled(user, flag),
        snapshot.is_enabled(user, flag),
        flags.is_enabled_or(user, flag, flag.default()),
        handle.is_enabled_or(user, flag.default()),
    ];
    std::hint::black_box(answers);
    std::hint::black_box((flags.evaluate(user, flag), pinned.evaluate(user, flag), snapshot.evaluate(user, flag)));
    std::hint::black_box((flags.bool(user, flag, true), flags.integer(user, flag, 1), flags.float(user, flag, 0.5)));
    std::hint::black_box(flags.text(user, flag, Arc::clone(text)));
}

/// The users that are asked for: borrowed, owned, by number, shared, nobody.
fn ask_for_everybody(flags: &Flags, flag: impl Name + Copy, handle: &Handle, users: &Users) {
    let text = &users.text;
    for attributes in [&users.child[..], &users.adult[..]] {
        for id in ["user-1", "user-2", "0192f3c4-7d1e-7a30-9c55-3f0e8a6b2d41", ""] {
            ask(flags, Context::new(id, attributes), flag, handle, text);
        }
        ask(flags, Context::anonymous(attributes), flag, handle, text);
    }
    ask(flags, &users.owned, flag, handle, text);
    ask(flags, &users.shared, flag, handle, text);
    ask(flags, "user-7", flag, handle, text);
    ask(flags, 7_u64, flag, handle, text);
    ask(flags, -1_i128, flag, handle, text);
    ask(flags, Some("user-7"), flag, handle, text);
    ask(flags, (), flag, handle, text);
}

struct Users {
    child: Vec<(&'static str, Attribute<'static>)>,
    adult: Vec<(&'static str, Attribute<'static>)>,
    owned: OwnedContext,
    shared: Arc<OwnedContext>,
    text: Arc<str>,
}

impl Users {
    fn new() -> Self {
        let owned = json!({"age": 40, "plan": "team", "clinic": "hcm-3", "mail": "User-7@Example.com"});
        let owned = OwnedContext::from_json(Some("user-7"), owned.as_object().into_iter().flatten());
        Self {
            child: vec![("age", 7.into()), ("clinic", 12.into()), ("mail", "child@example.org".into())],
            adult: vec![("age", "41.5".into()), ("plan", "pro".into()), ("mail", "user-9@example.org".into())],
            shared: Arc::new(owned.clone()),
            owned,
            text: Arc::from("a default"),
        }
    }
}

#[test]
fn no_question_allocates() {
    let (flags, users) = (flags(), Users::new());
    for declared in flag::ALL {
        let handle = flags.handle(*declared);
        let by_name = allocated(3, || ask_for_everybody(&flags, declared.text(), &handle, &users));
        assert_eq!(by_name, AllocationInfo::default(), "{} by name", declared.text());
        let as_declared = allocated(3, || ask_for_everybody(&flags, *declared, &handle, &users));
        assert_eq!(as_declared, AllocationInfo::default(), "{} as declared", declared.text());
    }
}

#[test]
fn no_question_allocates_while_updates_arrive() {
    let (flags, users, stop) = (flags(), Users::new(), AtomicBool::new(false));
    let handles: Vec<Handle> = flag::ALL.iter().map(|flag| flags.handle(*flag)).collect();
    let everything = || {
        for (declared, handle) in flag::ALL.iter().zip(&handles) {
            ask_for_everybody(&flags, declared.text(), handle, &users);
            ask_for_everybody(&flags, *declared, handle, &users);
        }
    };
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut revision = 1;
            while !stop.load(Ordering::Relaxed) {
                revision += 1;
                flags.apply(Layer::Live, document(revision), Timestamp::from_millis(0));
            }
        });
        everything();
        let mut seen = 0;
        // Until the thread has been through twenty updates.
        while seen < 20 && !writer.is_finished() {
            let before = flags.revision().revision;
            let info = measure(everything);
            assert_eq!((info.count_total, info.bytes_total), (0, 0), "allocated in a question beside updates");
            seen += u32::from(flags.revision().revision != before);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(flags.revision().revision > 20);
}
