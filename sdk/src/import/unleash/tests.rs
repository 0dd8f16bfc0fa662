//! What features become, and what the report says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::unleash;
use crate::import::{ImportError, Imported};
use crate::model::{Flag, arbitrary};

#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn import(feature: Value) -> (Flag, Vec<String>) {
    let state = json!({"version": 2, "features": [feature, {"name": "parent", "enabled": true, "strategies": []}],
        "segments": [{"id": 1, "name": "Staff", "constraints": [
            {"contextName": "userId", "operator": "STR_ENDS_WITH", "values": ["@clinic"], "caseInsensitive": true}]}]});
    let Imported { mut document, report, .. } = unleash(state.to_string()).unwrap();
    (document.flags.remove(0), report.iter().map(ToString::to_string).collect())
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn check(feature: Value, expected: Value, findings: &[&str]) {
    let (flag, report) = import(feature);
    let mut value = flag.to_value();
    let object = value.as_object_mut().unwrap();
    for usual in ["id", "version", "bucketing"] {
        object.remove(usual);
    }
    assert_eq!(value, expected);
    assert_eq!(report, findings);
}

#[test]
fn a_single_roll_out_needs_no_rule() {
    let strategy =
        json!({"name": "flexibleRollout", "parameters": {"rollout": "25", "groupId": "g", "stickiness": "default"}});
    check(
        json!({"name": "a", "enabled": true, "type": "kill-switch", "strategies": [strategy]}),
        json!({"name": "a", "enabled": true, "rollout_percentage": 25, "salt": "g", "stickiness": ["user_id", "sessionId"],
            "kind": "operational"}),
        &[],
    );
    check(
        json!({"name": "a", "enabled": true, "strategies": []}),
        json!({"name": "a", "enabled": true, "rollout_percentage": 100, "stickiness": ["user_id", "sessionId"]}),
        &[],
    );
}

#[test]
fn strategies_are_rules_of_which_each_lets_the_next_one_try() {
    check(
        json!({"name": "a", "enabled": true, "strategies": [
        {"name": "userWithId", "parameters": {"userIds": "u1, u2,"}, "segments": [1]},
        {"name": "gradualRolloutSessionId", "title": "Some sessions", "parameters": {"percentage": 5, "groupId": "g"},
         "constraints": [
            {"contextName": "country", "operator": "NOT_IN", "values": ["vn"]},
            {"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2026-11-28T09:00:00.000+07:00"},
            {"contextName": "age", "operator": "NUM_GTE", "value": "18", "inverted": true}
         ]}]}),
        json!({"name": "a", "enabled": true, "rollout_percentage": 0, "salt": "g", "stickiness": "sessionId", "rules": [
            {"name": "userWithId", "otherwise": "next", "conditions": [
                {"segment": "segment-1"}, {"attribute": "user_id", "operator": "in", "values": ["u1", "u2"]}]},
            {"name": "Some sessions", "otherwise": "next", "percentage": 5, "conditions": [
                {"attribute": "country", "operator": "in", "values": ["vn"], "negate": true},
                {"attribute": "current_time", "operator": "after", "values": ["2026-11-28T02:00:00.001Z"]},
                {"attribute": "age", "operator": "gte", "values": [18], "negate": true}]}]}),
        &[],
    );
}

#[test]
fn variants_of_strategies_and_features_become_one_list() {
    let variant = |name: &str, weight: u32, value: &str| json!({"name": name, "weight": weight, "payload": {"type": "number", "value": value}});
    let strategy = |variants: Value| json!({"name": "default", "constraints": [{"contextName": "x", "operator": "IN", "values": ["1"]}], "variants": variants});
    check(
        json!({"name": "a", "enabled": true, "strategies": [
            strategy(json!([variant("v", 1, "1"), variant("w", 2, "2")])), strategy(json!([variant("v", 9, "7")])), strategy(json!([]))]}),
        json!({"name": "a", "enabled": true, "rollout_percentage": 0, "stickiness": ["user_id", "sessionId"],
            "rules": [
                {"name": "default", "otherwise": "next", "variants": {"v": 1, "w": 2}, "conditions": [{"attribute": "x", "operator": "in", "values": ["1"]}]},
                {"name": "default", "otherwise": "next", "variant": "v-2", "conditions": [{"attribute": "x", "operator": "in", "values": ["1"]}]},
                {"name": "default", "otherwise": "next", "conditions": [{"attribute": "x", "operator": "in", "values": ["1"]}]}],
            "variants": [{"name": "v", "value": 1, "weight": 0}, {"name": "w", "value": 2, "weight": 0}, {"name": "v-2", "value": 7, "weight": 0},
                {"name": "disabled", "value": null, "weight": 1}]}),
        &["a: two variants are called \"v\"; one is called \"v-2\""],
    );
    check(
        json!({"name": "a", "enabled": true, "strategies": [], "variants": [
            {"name": "v", "weight": 500, "stickiness": "clinic", "overrides": [{"contextName": "userId", "values": ["u1"]}]},
            {"name": "w", "weight": 500, "payload": {"type": "json", "value": "{\"a\":[1]}"}}]}),
        json!({"name": "a", "enabled": true, "rollout_percentage": 100, "stickiness": "clinic",
            "rules": [{"otherwise": "next", "variant": "v", "conditions": [{"attribute": "user_id", "operator": "in", "values": ["u1"]}]}],
            "variants": [{"name": "v", "value": "v", "weight": 500}, {"name": "w", "value": {"a": [1]}, "weight": 500}]}),
        &[],
    );
}

#[test]
fn what_has_no_counterpart_is_off_and_said() {
    let off = json!({"name": "a", "enabled": true, "rollout_percentage": 0, "stickiness": ["user_id", "sessionId"]});
    let with = |strategy: Value| json!({"name": "a", "enabled": true, "strategies": [strategy]});
    check(
        with(json!({"name": "byMoonPhase"})),
        off.clone(),
        &["a: the strategy \"byMoonPhase\" is not known; it lets nobody in"],
    );
    check(
        with(json!({"name": "default", "segments": [404]})),
        off.clone(),
        &["a: segment 404 does not exist; what it restricts applies to nobody, as in Unleash"],
    );
    let constrained = |operator: &str, value: &str| {
        with(json!({"name": "default", "constraints": [{"contextName": "x", "operator": operator, "value": value}]}))
    };
    check(
        constrained("SOUNDS_LIKE", "x"),
        off.clone(),
        &["a: the operator \"SOUNDS_LIKE\" is not known; what it restricts applies to nobody, as in Unleash"],
    );
    for (operator, value) in [("SEMVER_EQ", "v1.0.0"), ("NUM_GT", "many"), ("DATE_AFTER", "noon"), ("REGEX", "(")] {
        let finding = format!(
            "a: the value that \"x\" is compared with by {operator} is not valid; what it restricts applies to nobody, as in Unleash"
        );
        check(constrained(operator, value), off.clone(), &[&finding]);
    }
    let (flag, report) = import(with(json!({"name": "gradualRolloutRandom", "parameters": {"percentage": "50"}})));
    assert_eq!((flag.rollout_percentage.to_string().as_str(), report.len()), ("50", 1));
    assert!(report[0].starts_with("a: its share or variants are drawn at random for each request"), "{report:?}");
    let many: Vec<Value> = vec![json!({"name": "userWithId", "parameters": {"userIds": "u"}}); 101];
    let (flag, report) = import(json!({"name": "a", "enabled": true, "strategies": many}));
    assert_eq!(flag, Flag { enabled: false, ..Flag::new("a") });
    assert_eq!(
        report,
        ["a: it cannot be said here (rules: has 101 members; the most is 100); it is imported switched off and empty"]
    );
}

#[test]
fn dependencies_are_prerequisites() {
    let depends = |dependency: Value| {
        import(json!({"name": "a", "enabled": true, "strategies": [], "dependencies": [dependency]}))
    };
    let (flag, report) = depends(json!({"feature": "parent", "variants": ["disabled", "v"]}));
    assert_eq!(flag.to_value()["prerequisites"], json!([{"flag": "parent", "variants": ["on", "v"]}]));
    assert!(flag.enabled && report.is_empty());
    let (flag, _) = depends(json!({"feature": "parent", "enabled": false}));
    assert_eq!(flag.to_value()["prerequisites"], json!([{"flag": "parent", "enabled": false}]));
    for (name, finding) in [("gone", "which does not exist"), ("a", "which depends on others itself")] {
        let (flag, report) = depends(json!({"feature": name}));
        assert!(!flag.enabled && flag.prerequisites.is_empty());
        let expected = format!(
            "a: it depends on {name:?}, {finding}; Unleash answers off to everybody, so it is imported switched off"
        );
        assert_eq!(report, [expected]);
    }
}

#[test]
fn what_is_no_unleash_is_refused() {
    let check = |json: &str, expected: &str| assert_eq!(unleash(json).unwrap_err().to_string(), expected);
    check("{}", "this is something else: Unleash's client features have a list `features`, or `events`");
    check("[1]", "this is something else: Unleash's client features have a list `features`, or `events`");
    assert!(matches!(unleash("{"), Err(ImportError::NoJson(_))));
}

proptest! {
    #[test]
    fn whatever_comes_in_valid_flags_come_out(json in arbitrary::json_with(&[
        "features", "segments", "strategies", "constraints", "parameters", "rollout", "groupId", "stickiness", "variants", "weight",
        "payload", "overrides", "contextName", "operator", "values", "value", "inverted", "dependencies", "feature", "name", "id",
        "flexibleRollout", "default", "userWithId", "IN", "NUM_GT", "REGEX", "events", "type",
    ])) {
        let text = json!({"features": [json, {"name": "a", "strategies": [json]}], "segments": [json]}).to_string();
        for imported in [unleash(text).unwrap()].into_iter().chain(unleash(json.to_string())) {
            for flag in &imported.document.flags {
                prop_assert_eq!(flag.validate(), Ok(()));
            }
            for segment in &imported.document.segments {
                prop_assert_eq!(segment.validate(), Ok(()));
            }
        }
    }
}
