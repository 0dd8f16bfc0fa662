//! Flags, segments and documents of every shape, for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{
    Condition, Document, Extra, Flag, Kind, Operator, Otherwise, Percentage, Prerequisite, RampPoint, Required, Rule,
    Schedule, Segment, Serve, Test, Timestamp, Variant,
};
use crate::bucketing::{Bucketing, General, Hash};

/// Any JSON that is not too large; also with the names that the model knows.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    json_with(&[
        "name",
        "flags",
        "segments",
        "rules",
        "conditions",
        "variants",
        "values",
        "value",
        "percentage",
        "schedule",
        "ramp",
        "at",
        "bucketing",
        "hash",
        "input",
        "modulo",
        "attribute",
        "operator",
        "segment",
        "weight",
        "prerequisites",
        "flag",
        "any",
        "id",
        "a",
        "on",
        "in",
        "next",
        "teal1",
        "release",
        "25",
        "12.3456",
        "2026-01-01T00:00:00Z",
    ])
}

/// Any JSON that is not too large, in which these words are frequent as names and texts.
pub(crate) fn json_with(words: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    let words = words.to_vec();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        select(words.clone()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let name = prop_oneof![4 => select(words.clone()).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn extra() -> impl Strategy<Value = Extra> {
    prop_oneof![
        Just(Extra::new()),
        json_that_prints_exactly().prop_map(|value| [("later".to_owned(), value)].into_iter().collect())
    ]
}

/// Without floats, whose text need not be read as the same one by every parser.
fn json_that_prints_exactly() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        select(vec![json!(0.5), json!(-1.25), json!({}), json!([])]),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,6}", inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_.-]{0,20}"
}

fn percentage() -> impl Strategy<Value = Percentage> {
    (0..=100_000u32).prop_map(|thousandths| Percentage::from_thousandths(thousandths).unwrap())
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0..=4_102_444_800_000i64).prop_map(Timestamp::from_millis)
}

fn bucketing() -> impl Strategy<Value = Bucketing> {
    let hash = select(Hash::ALL.to_vec()).prop_map(|(hash, _)| hash);
    let general = (hash, select(vec!["{user}", "{name}:{user}"]), 1..=1_000_000_000u32);
    prop_oneof![
        Just(Bucketing::Teal1),
        Just(Bucketing::Unleash),
        Just(Bucketing::Flagd),
        general.prop_map(|(hash, input, modulo)| Bucketing::General(General { hash, input: input.to_owned(), modulo })),
    ]
}

fn stickiness() -> impl Strategy<Value = Vec<String>> {
    vec(select(vec!["user_id", "session", "clinic"]).prop_map(str::to_owned), 0..3)
}

fn condition(segments: bool) -> impl Strategy<Value = Condition> {
    let value = |operator: Operator| match operator {
        Operator::Exists => vec![],
        Operator::In => vec![json!("a"), json!(""), json!(7), json!(-0.5), json!(true)],
        Operator::Equal | Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            vec![json!(18), json!("18.5"), json!(-3)]
        }
        Operator::Before | Operator::After => vec![json!("2026-11-28T09:00:00+07:00"), json!(1_795_849_681_000_i64)],
        Operator::Cidr => vec![json!("10.0.0.0/8"), json!("::1")],
        Operator::Matches => vec![json!("^a.*z$"), json!("[0-9]+")],
        Operator::StartsWith | Operator::EndsWith | Operator::Contains => vec![json!("x"), json!("")],
        _ => vec![json!("1.2.3"), json!("v1"), json!("2.0.0-rc.1")],
    };
    let attribute = (select(Operator::ALL.to_vec()), vec(any::<Index>(), 0..3), "[a-zA-Z_]{1,8}", any::<bool>())
        .prop_map(move |((operator, _), picks, attribute, ignore_case)| {
            let known = value(operator);
            let values = picks.iter().filter(|_| !known.is_empty()).map(|pick| pick.get(&known).clone()).collect();
            Test::Attribute { attribute, operator, values, ignore_case }
        });
    let test =
        if segments { prop_oneof![name().prop_map(Test::Segment), attribute].boxed() } else { attribute.boxed() };
    (test, any::<bool>(), extra()).prop_map(|(test, negate, extra)| Condition { test, negate, extra })
}

fn rule(variants: Vec<String>) -> impl Strategy<Value = Rule> {
    let serve = if variants.is_empty() {
        prop_oneof![Just(Serve::Flag), Just(Serve::Off)].boxed()
    } else {
        let one = select(variants);
        prop_oneof![
            Just(Serve::Flag),
            Just(Serve::Off),
            one.clone().prop_map(Serve::Variant),
            vec((one, 1..1_000u32), 1..4).prop_map(Serve::Split),
        ]
        .boxed()
    };
    let otherwise = prop_oneof![Just(Otherwise::Off), Just(Otherwise::Next)];
    let dealing = (of("[A-Za-z0-9]{1,8}"), of(bucketing()), stickiness());
    (".{0,8}", vec(condition(true), 0..3), percentage(), serve, otherwise, dealing, extra()).prop_map(
        |(name, conditions, percentage, serve, otherwise, (salt, bucketing, stickiness), extra)| Rule {
            name,
            conditions,
            percentage,
            serve,
            otherwise,
            salt,
            bucketing,
            stickiness,
            extra,
        },
    )
}

fn variants() -> impl Strategy<Value = Vec<Variant>> {
    let shape = (json_that_prints_exactly(), 1..1_000u32, extra());
    vec(shape, 0..4).prop_map(|shapes| {
        let names = ["zebra", "a", "m 1", "Ω"].into_iter();
        let variant =
            |(name, (value, weight, extra)): (&str, _)| Variant { name: name.to_owned(), value, weight, extra };
        names.zip(shapes).map(variant).collect()
    })
}

fn prerequisite() -> impl Strategy<Value = Prerequisite> {
    let required = prop_oneof![
        Just(Required::On),
        Just(Required::Off),
        vec(".{1,5}".prop_filter("no control characters", |text| !text.contains(char::is_control)), 1..3)
            .prop_map(Required::OneOf),
    ];
    (name(), required, extra()).prop_map(|(name, required, extra)| Prerequisite {
        flag: format!("p-{name}"),
        required,
        extra,
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let point = (percentage(), extra());
    (proptest::collection::btree_set(moment(), 0..4), vec(point, 4), of(moment()), extra()).prop_map(
        |(times, points, from, extra)| {
            let ramp =
                times.into_iter().zip(points).map(|(at, (percentage, extra))| RampPoint { at, percentage, extra });
            let until = from.map(|from| Timestamp::from_millis(from.millis() + 1));
            Schedule { from, until, ramp: ramp.collect(), extra }
        },
    )
}

/// A flag that is valid.
pub(crate) fn flag() -> impl Strategy<Value = Flag> {
    variants().prop_flat_map(|variants| {
        let names: Vec<String> = variants.iter().map(|variant| variant.name.clone()).collect();
        let off = if names.is_empty() { Just(None).boxed() } else { of(select(names.clone())).boxed() };
        let what = (name(), of("[A-Za-z0-9]{1,8}"), bucketing(), stickiness(), vec(rule(names), 0..4), off);
        let how = (any::<bool>(), percentage(), vec("[a-z]{1,8}", 0..3), vec(prerequisite(), 0..3), schedule());
        let kind = select(Kind::ALL.to_vec()).prop_map(|(kind, _)| kind);
        let about = (0..i64::MAX, ".{0,20}", kind, any::<[bool; 2]>(), any::<u64>(), of(moment()), extra());
        (what, how, about).prop_map(move |(what, how, about)| Flag {
            salt: what.1.unwrap_or_else(|| what.0.clone()),
            name: what.0,
            bucketing: what.2,
            stickiness: what.3,
            rules: what.4,
            variants: variants.clone(),
            off_variant: what.5,
            enabled: how.0,
            rollout_percentage: how.1,
            environments: how.2,
            prerequisites: how.3,
            schedule: how.4,
            id: about.0,
            description: about.1,
            kind: about.2,
            client_visible: about.3[0],
            archived: about.3[1],
            version: about.4,
            created_at: about.5,
            updated_at: about.5,
            extra: about.6,
        })
    })
}

fn segment() -> impl Strategy<Value = Segment> {
    let ids = || vec(".{1,8}", 0..3);
    (name(), ".{0,20}", ids(), ids(), vec(vec(condition(false), 0..3), 0..3), any::<u64>(), extra()).prop_map(
        |(name, description, include, exclude, any, version, extra)| Segment {
            name,
            description,
            include,
            exclude,
            any,
            version,
            extra,
        },
    )
}

/// A document that is valid: its names are unique.
pub(crate) fn document() -> impl Strategy<Value = Document> {
    let parts = (vec(flag(), 0..4), vec(segment(), 0..3), vec(name(), 0..3), vec(name(), 0..3));
    (of(".{0,8}"), any::<u64>(), of(any::<u64>()), parts, extra()).prop_map(
        |(instance, revision, since, (mut flags, mut segments, deleted, deleted_segments), extra)| {
            flags.sort_by(|a, b| a.name.cmp(&b.name));
            flags.dedup_by(|a, b| a.name == b.name);
            segments.sort_by(|a, b| a.name.cmp(&b.name));
            segments.dedup_by(|a, b| a.name == b.name);
            let unreadable = Vec::new();
            Document { instance, revision, since, flags, segments, deleted, deleted_segments, unreadable, extra }
        },
    )
}
