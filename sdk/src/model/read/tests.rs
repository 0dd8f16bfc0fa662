//! What is read, what is refused and with which words, and that nothing is lost between reading and writing.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bucketing::Bucketing;
use crate::model::arbitrary;
use crate::model::{Condition, Document, Flag, Kind, Operator, Part, Percentage, Required, Serve, Test, limits};

fn flag(value: Value) -> Flag {
    Flag::from_value(value).unwrap()
}

#[test]
fn a_name_is_enough_and_a_flag_that_is_not_switched_on_is_off() {
    assert_eq!(flag(json!({"name": "telehealth"})), Flag { enabled: false, ..Flag::new("telehealth") });
    let document = Document::from_json(r#"{"flags":[{"name":"telehealth","enabled":true,"rollout_percentage":25}]}"#);
    let expected = Flag { rollout_percentage: Percentage::from_whole(25).unwrap(), ..Flag::new("telehealth") };
    assert_eq!(document, Ok(Document { flags: vec![expected], ..Document::default() }));
}

#[test]
fn short_forms_mean_the_same_as_long_ones() {
    let check = |short: Value, long: Value| {
        let (mut short, mut long) = (short, long);
        for one in [&mut short, &mut long] {
            one["name"] = "a".into();
        }
        assert_eq!(flag(short), flag(long));
    };
    check(json!({"rollout_percentage": "12.5"}), json!({"rollout_percentage": 12.5}));
    check(json!({"rollout_percentage": 25.0}), json!({"rollout_percentage": 25}));
    check(json!({"stickiness": "clinic"}), json!({"stickiness": ["clinic"]}));
    check(json!({"salt": null, "rules": null}), json!({"salt": "a", "rules": []}));
    check(json!({"variants": [{"name": "x"}]}), json!({"variants": [{"name": "x", "value": "x", "weight": 1}]}));
    check(
        json!({"rules": [{"conditions": [{"attribute": "plan", "value": "gold"}]}]}),
        json!({"rules": [{"conditions": [{"attribute": "plan", "operator": "in", "values": ["gold"]}],
            "percentage": 100, "otherwise": "off"}]}),
    );
    check(
        json!({"prerequisites": [{"flag": "b"}, {"flag": "c", "enabled": false}]}),
        json!({"prerequisites": [{"flag": "b", "enabled": true, "variants": null}, {"flag": "c", "enabled": false}]}),
    );
}

#[test]
fn all_that_a_flag_can_say_is_read() {
    let read = flag(json!({
        "id": 7, "name": "price-page", "description": "Which prices", "enabled": true, "rollout_percentage": 0.001,
        "salt": "prices", "bucketing": "unleash", "stickiness": ["session", "user_id"], "environments": ["prod"],
        "rules": [
            {"name": "staff", "conditions": [{"segment": "staff", "negate": true}], "variant": "new"},
            {"conditions": [{"attribute": "age", "operator": "gte", "value": 18, "ignore_case": true}],
             "variants": {"old": 9, "new": 1}, "percentage": "5", "otherwise": "next", "salt": "s",
             "bucketing": {"hash": "crc32", "input": "{name}{user}", "modulo": 100}, "stickiness": "clinic"},
            {"off": true}
        ],
        "variants": [{"name": "old", "value": {"price": 1.5}, "weight": 3}, {"name": "new", "value": null}],
        "off_variant": "old", "prerequisites": [{"flag": "billing", "variants": ["a"]}],
        "schedule": {"from": "2026-11-28T09:00:00+07:00", "ramp": [{"at": "2026-11-28T02:00:00Z", "percentage": 10}]},
        "client_visible": true, "kind": "experiment", "archived": true, "version": 3,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z", "owner": "billing team"
    }));
    assert_eq!((read.id, read.kind, read.version, read.bucketing), (7, Kind::Experiment, 3, Bucketing::Unleash));
    assert_eq!(read.rollout_percentage.thousandths(), 1);
    assert_eq!(read.rules[0].serve, Serve::Variant("new".into()));
    assert_eq!(read.rules[0].conditions[0], Condition { negate: true, ..Condition::segment("staff") });
    assert_eq!(read.rules[1].serve, Serve::Split(vec![("old".into(), 9), ("new".into(), 1)]));
    assert!(matches!(&read.rules[1].conditions[0].test, Test::Attribute { operator: Operator::GreaterOrEqual, .. }));
    assert_eq!(read.rules[2].serve, Serve::Off);
    assert_eq!(read.variants[1].value, Value::Null);
    assert_eq!(read.prerequisites[0].required, Required::OneOf(vec!["a".into()]));
    assert_eq!(read.schedule.from, Some(read.schedule.ramp[0].at));
    assert_eq!(read.extra["owner"], "billing team");
}

#[test]
fn a_split_without_an_order_takes_the_order_of_the_variants() {
    let read = |split: Value| {
        flag(
            json!({"name": "a", "variants": [{"name": "z"}, {"name": "b"}, {"name": "m"}], "rules": [{"variants": split}]}),
        )
    };
    let expected = |parts: &[(&str, u32)]| Serve::Split(parts.iter().map(|(name, w)| ((*name).into(), *w)).collect());
    assert_eq!(read(json!({"b": 1, "z": 2})).rules[0].serve, expected(&[("z", 2), ("b", 1)]));
    let listed = read(json!([{"name": "b", "weight": 1}, {"name": "z", "weight": 2}, {"name": "b", "weight": 3}]));
    assert_eq!(listed.rules[0].serve, expected(&[("b", 1), ("z", 2), ("b", 3)]));
    assert_eq!(flag(listed.to_value()), listed);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    let check = |part: Value, expected: &str| {
        let mut json = json!({"name": "a"});
        json.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let document = Document::from_value(json!({"flags": [{"name": "b"}, json]})).unwrap();
        let errors: Vec<String> = document.unreadable.iter().map(|one| one.error.to_string()).collect();
        assert_eq!(errors, [format!("flags[1].{expected}")]);
        assert_eq!(document.flags.len(), 1, "{expected}");
    };
    check(
        json!({"rules": [{"percentage": "12.3456"}]}),
        r#"rules[0].percentage: "12.3456" has more than three decimals; the finest share is 0.001"#,
    );
    check(
        json!({"rollout_percentage": 1e-9}),
        "rollout_percentage: 1e-9 has more than three decimals; the finest share is 0.001",
    );
    check(json!({"rollout_percentage": 1e30}), "rollout_percentage: 1e+30 is more than 100");
    check(
        json!({"rollout_percentage": -1}),
        "rollout_percentage: -1 is not a percentage; write digits, such as 25 or 12.5",
    );
    check(
        json!({"rollout_percentage": true}),
        "rollout_percentage: is true or false; a percentage such as 25 or 12.5 is wanted",
    );
    check(json!({"name": 7}), "name: is a number; a text is wanted");
    check(json!({"name": null}), "name: is missing");
    check(json!({"enabled": "yes"}), "enabled: is a text; true or false is wanted");
    check(json!({"id": -1}), "id: is -1; a whole number from 0 on is wanted");
    check(json!({"kind": "relase"}), r#"kind: "relase" is none of release, experiment, operational, permission"#);
    check(json!({"bucketing": "teal2"}), r#"bucketing: "teal2" is none of teal1, unleash, flagd"#);
    check(
        json!({"bucketing": {"hash": "md5", "input": "{user}", "modulo": 7, "seed": 1}}),
        r#"bucketing."seed": is not known; a bucketing has `hash`, `input` and `modulo`"#,
    );
    check(json!({"rules": {}}), "rules: is an object; a list is wanted");
    check(
        json!({"rules": [{"off": true, "variant": "a"}]}),
        "rules[0]: serves several things; give one of `variant`, `variants` and `off`",
    );
    check(
        json!({"rules": [{"conditions": [{}]}]}),
        "rules[0].conditions[0]: names neither an `attribute` nor a `segment`",
    );
    check(json!({"rules": [{"conditions": [{"attribute": "a"}]}]}), "rules[0].conditions[0].values: is missing");
    check(
        json!({"rules": [{"conditions": [{"segment": "a", "operator": "in"}]}]}),
        "rules[0].conditions[0].operator: does not go with `segment`; make it a condition of its own",
    );
    check(
        json!({"rules": [{"conditions": [{"attribute": "a", "values": [[]]}]}]}),
        "rules[0].conditions[0].values[0]: is a list; a text, a number, true or false is wanted",
    );
    check(
        json!({"variants": [{"name": "a", "weight": -1}]}),
        "variants[0].weight: is -1; a whole number from 0 on is wanted",
    );
    check(
        json!({"variants": [{"name": "a", "weight": 5_000_000_000_u64}]}),
        "variants[0].weight: is 5000000000, which is too large",
    );
    check(
        json!({"schedule": {"from": "tomorrow"}}),
        r#"schedule.from: "tomorrow" is not a moment; write it as 2026-11-28T09:00:00Z or 2026-11-28T16:00:00+07:00"#,
    );
    check(
        json!({"prerequisites": [{"flag": "c", "enabled": false, "variants": ["a"]}]}),
        "prerequisites[0].variants: cannot be served by a flag that is off",
    );
}

#[test]
fn a_document_that_is_none_is_an_error() {
    let check = |text: &str, expected: &str| {
        let error = Document::from_json(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    };
    check("", "the document is no JSON: EOF");
    check("[]", "the document is no JSON object such as {\"flags\": []}");
    check("{\"flags\": [", "the document is no JSON: EOF");
    check("{\"flags\": {}}", "flags: is an object; a list is wanted");
    check("{\"format\": 0}", "format: is 0; formats count from 1");
    check("{\"revision\": -1}", "revision: is -1;");
    check(&"[".repeat(100_000), "the document is no JSON: recursion limit exceeded");
    check(&" ".repeat(limits::DOCUMENT_BYTES + 1), "the document has 67108865 bytes; the most is 67108864");
    let flags = vec![json!({}); limits::FLAGS + 1];
    let error = Document::from_value(json!({"flags": flags})).unwrap_err();
    assert_eq!(error.to_string(), "flags: has 100001 members; the most is 100000");
}

#[test]
fn one_unreadable_part_hinders_no_other_and_is_not_lost() {
    let json = json!({"format": 9, "revision": 3, "later": [1], "flags": [
        {"name": "a", "version": 1}, {"name": "a", "version": 2}, {"name": "b", "bucketing": "teal9"}, 7, {"name": "c"}
    ], "segments": [{"name": "S"}, {"name": "s"}]});
    let document = Document::from_value(json).unwrap();
    let names: Vec<&str> = document.flags.iter().map(|flag| flag.name.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    let said: Vec<_> =
        document.unreadable.iter().map(|one| (one.part, one.name.as_deref(), one.error.to_string())).collect();
    let said: Vec<_> = said.iter().map(|(part, name, error)| (*part, *name, error.as_str())).collect();
    assert_eq!(
        said,
        [
            (Part::Flag, Some("a"), r#"flags[1].name: "a" is there twice; only the first counts"#),
            (Part::Flag, Some("b"), r#"flags[2].bucketing: "teal9" is none of teal1, unleash, flagd"#),
            (Part::Flag, None, "flags[3]: is a number; an object is wanted"),
            (
                Part::Segment,
                Some("S"),
                r#"segments[0].name: "S" must start with a letter and have at most 100 of a-z, 0-9, `_`, `.` and `-`"#
            ),
        ]
    );
    let again = Document::from_json(document.to_json()).unwrap();
    assert_eq!(again.flags, document.flags);
    assert_eq!(again.unreadable.len(), document.unreadable.len());
    assert_eq!(again.extra["later"], json!([1]));
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same(document in arbitrary::document()) {
        let value = document.to_value();
        prop_assert_eq!(&Document::from_json(document.to_json()).unwrap().to_value(), &value);
        prop_assert_eq!(Document::from_value(value).unwrap(), document);
    }

    #[test]
    fn fields_that_are_not_known_survive_at_every_level(document in arbitrary::document()) {
        let mut value = document.to_value();
        mark(&mut value);
        let read = Document::from_value(value.clone()).unwrap();
        prop_assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        prop_assert_eq!(read.to_value(), value);
    }

    #[test]
    fn no_json_makes_it_panic(json in arbitrary::json()) {
        let _ = Flag::from_value(json.clone());
        let _ = Document::from_value(json!({"flags": [json], "segments": [json]}));
        let _ = Document::from_value(json);
    }

    #[test]
    fn a_valid_document_with_something_exchanged_is_read_or_refused(
        document in arbitrary::document(), place in any::<prop::sample::Index>(), json in arbitrary::json(),
    ) {
        let mut value = document.to_value();
        let count = places(&mut value, &mut |_| {});
        let (wanted, mut at) = (place.index(count), 0);
        places(&mut value, &mut |here| {
            if at == wanted {
                *here = json.clone();
            }
            at += 1;
        });
        if let Ok(read) = Document::from_value(value) {
            let again = Document::from_value(read.to_value()).unwrap();
            prop_assert_eq!(again.flags, read.flags);
            prop_assert_eq!(again.segments, read.segments);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::from_json(bytes);
    }
}

/// Adds a field that nobody knows to every object that keeps such fields.
fn mark(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(mark),
        Value::Object(fields) => {
            // Objects whose fields have names of others' choosing, or that refuse what they do not know.
            let closed = ["value", "variants", "bucketing", "later"];
            for (name, field) in fields.iter_mut() {
                if !(closed.contains(&name.as_str()) && field.is_object()) && name != "value" {
                    mark(field);
                }
            }
            // A part of a split has no room for more.
            if !(fields.len() == 2 && fields.contains_key("weight")) {
                fields.insert("from_the_future".to_owned(), json!({"deep": [1, null]}));
            }
        }
        _ => {}
    }
}

/// Visits every value within a value, and says how many there are.
fn places(value: &mut Value, visit: &mut impl FnMut(&mut Value)) -> usize {
    visit(value);
    1 + match value {
        Value::Array(members) => members.iter_mut().map(|member| places(member, visit)).sum(),
        Value::Object(fields) => fields.values_mut().map(|field| places(field, visit)).sum(),
        _ => 0,
    }
}
