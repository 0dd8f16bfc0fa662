//! What definitions become, and what the report says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::flagd;
use crate::import::ImportError;
use crate::model::{Flag, arbitrary};

#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn import(flag: Value) -> (Flag, Vec<String>) {
    let definitions = json!({"flags": {"a": flag}, "$evaluators": {
        "staff": {"ends_with": [{"var": "email"}, "@clinic"]},
        "again": {"$ref": "again"}
    }});
    let mut imported = flagd(definitions.to_string()).unwrap();
    (imported.document.flags.remove(0), imported.report.iter().map(ToString::to_string).collect())
}

/// A flag with this targeting becomes a flag with these rules.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn check(targeting: Value, rules: Value, findings: &[&str]) {
    let (flag, report) = import(json!({"state": "ENABLED", "variants": {"red": "f00", "blue": "00f", "grey": "888"},
        "defaultVariant": "grey", "targeting": targeting}));
    assert!(flag.enabled, "{report:?}");
    let written = flag.to_value().get("rules").cloned().unwrap_or(json!([]));
    assert_eq!(written, rules);
    assert_eq!(report, findings);
}

/// A condition becomes alternatives, each a list of conditions.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn check_condition(condition: Value, alternatives: Value) {
    let rules: Vec<Value> =
        alternatives.as_array().unwrap().iter().map(|one| json!({"conditions": one, "variant": "red"})).collect();
    check(json!({"if": [condition, "red"]}), rules.into(), &[]);
}

#[test]
fn without_targeting_everybody_gets_the_default() {
    for targeting in [json!(null), json!({})] {
        let (flag, report) =
            import(json!({"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": targeting, "metadata": {"description": "Video"}}));
        assert_eq!(
            flag.to_value(),
            json!({"id": 0, "version": 1, "name": "a", "description": "Video", "enabled": true, "rollout_percentage": 100,
            "variants": [{"name": "off", "value": false, "weight": 1}, {"name": "on", "value": true, "weight": 0}]})
        );
        assert!(report.is_empty());
    }
    assert!(!import(json!({"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"})).0.enabled);
    let (flag, report) = import(json!({"variants": {"on": true}, "defaultVariant": null}));
    assert_eq!(flag.rollout_percentage.thousandths(), 0);
    assert_eq!(
        report,
        [
            "a: it has no default variant; where no rule decides it is off: callers get their defaults, and `is_enabled` is false"
        ]
    );
}

#[test]
fn each_way_through_the_ifs_is_a_rule() {
    let is = |name: &str, value: &str| json!({"==": [{"var": name}, value]});
    let condition = |name: &str, value: &str| json!({"attribute": name, "operator": "in", "values": [value]});
    check(
        json!({"if": [
            {"or": [is("x", "1"), is("y", "2")]}, {"if": [is("z", "3"), "red", "blue"]},
            {"$ref": "staff"}, null,
            true, "blue"
        ]}),
        json!([
            {"conditions": [condition("x", "1"), condition("z", "3")], "variant": "red"},
            {"conditions": [condition("y", "2"), condition("z", "3")], "variant": "red"},
            {"conditions": [condition("x", "1")], "variant": "blue"},
            {"conditions": [condition("y", "2")], "variant": "blue"},
            {"conditions": [{"attribute": "email", "operator": "ends_with", "values": ["@clinic"]}]},
            {"variant": "blue"}
        ]),
        &[],
    );
    check(
        json!({"if": [is("x", "1"), "red", "grey"]}),
        json!([{"conditions": [condition("x", "1")], "variant": "red"}, {"variant": "grey"}]),
        &[],
    );
    check(
        json!({"if": [is("x", "1"), "pink"]}),
        json!([{"conditions": [condition("x", "1")], "off": true}]),
        &[
            "a: its targeting names the variant \"pink\", which does not exist; it is off there: callers get their defaults, as with flagd, and `is_enabled` is false",
        ],
    );
    let (flag, _) = import(
        json!({"variants": {"true": true, "false": false}, "defaultVariant": "false", "targeting": is("x", "1")}),
    );
    let rules = json!([{"conditions": [condition("x", "1")], "variant": "true"}, {"variant": "false"}]);
    assert_eq!(flag.to_value()["rules"], rules);
}

#[test]
fn conditions_are_written_out() {
    let one = |operator: &str, value: Value| json!({"attribute": "x", "operator": operator, "values": [value]});
    let not = |mut condition: Value| {
        condition["negate"] = true.into();
        condition
    };
    let x = || json!({"var": "x"});
    check_condition(json!({"!=": ["1", x()]}), json!([[not(one("in", json!("1")))]]));
    check_condition(json!({"==": [x(), null]}), json!([[{"attribute": "x", "operator": "exists", "negate": true}]]));
    check_condition(
        json!({"in": [x(), ["a", "b"]]}),
        json!([[{"attribute": "x", "operator": "in", "values": ["a", "b"]}]]),
    );
    check_condition(json!({"starts_with": [{"var": ["x"]}, "a"]}), json!([[one("starts_with", json!("a"))]]));
    check_condition(
        json!({"==": [{"var": "targetingKey"}, "u"]}),
        json!([[{"attribute": "user_id", "operator": "in", "values": ["u"]}]]),
    );
    check_condition(json!({">": [18, x()]}), json!([[one("lt", json!(18))]]));
    check_condition(json!({"<=": [1, x(), 9]}), json!([[one("gte", json!(1)), one("lte", json!(9))]]));
    check_condition(json!({"!": {"<": [1, x(), 9]}}), json!([[not(one("gt", json!(1)))], [not(one("lt", json!(9)))]]));
    check_condition(json!({"sem_ver": [x(), "!=", "1.2.3"]}), json!([[not(one("semver_eq", json!("1.2.3")))]]));
    check_condition(
        json!({"sem_ver": [x(), "^", "v1.2.3"]}),
        json!([[one("semver_gte", json!("1.0.0-0")), one("semver_lt", json!("2.0.0-0"))]]),
    );
    check_condition(
        json!({"sem_ver": [x(), "~", "1.2.3"]}),
        json!([[one("semver_gte", json!("1.2.0-0")), one("semver_lt", json!("1.3.0-0"))]]),
    );
    check_condition(
        json!({"<=": [{"var": "$flagd.timestamp"}, 7]}),
        json!([[{"attribute": "current_time", "operator": "before", "values": [8000]}]]),
    );
    check_condition(
        json!({"!": [{"and": [{"==": [x(), 1]}, {"!": {"==": [x(), 2]}}]}]}),
        json!([[not(one("in", json!(1)))], [one("in", json!(2))]]),
    );
    check_condition(
        json!({"if": [{"==": [x(), 1]}, {"==": [x(), 2]}, false]}),
        json!([[one("in", json!(1)), one("in", json!(2))]]),
    );
}

#[test]
fn fractions_keep_their_order_and_what_is_hashed() {
    let parts = json!([["red", 50], ["blue", 30], ["red"]]);
    let split = |own: Option<Value>| {
        let all: Vec<Value> = own.into_iter().chain(parts.as_array().unwrap().clone()).collect();
        json!({"fractional": all})
    };
    let rule = |salt: &str, attribute: &str| {
        json!([{"bucketing": "flagd", "salt": salt, "stickiness": attribute,
            "variants": [{"name": "red", "weight": 50}, {"name": "blue", "weight": 30}, {"name": "red", "weight": 1}]}])
    };
    let finding = "a: users without \"email\" are dealt all the same by flagd; here they take the caller's default";
    check(split(None), rule("a", "user_id"), &[]);
    check(split(Some(json!(null))), rule("a", "user_id"), &[]);
    check(split(Some(json!({"var": "email"}))), rule("", "email"), &[finding]);
    check(
        split(Some(json!({"cat": [{"var": "$flagd.flagKey"}, "-", {"var": "email"}]}))),
        rule("a-", "email"),
        &[finding],
    );
}

#[test]
fn what_cannot_be_said_is_off_and_said() {
    let check = |targeting: Value, problem: &str| {
        let (flag, report) = import(json!({"variants": {"red": 1}, "defaultVariant": "red", "targeting": targeting}));
        assert!(!flag.enabled && flag.rules.is_empty() && flag.variants.len() == 1);
        let rest = "it is imported switched off, so that callers get their defaults";
        assert_eq!(report, [format!("a: it cannot be said here ({problem}); {rest}")]);
    };
    check(json!({"map": [1]}), "`map` does not say a variant");
    check(json!({"if": [{"%": [{"var": "x"}, 2]}, "red"]}), "`%` has no counterpart");
    check(json!({"if": [{"==": [{"var": ["x", 1]}, 2]}, "red"]}), "the attribute \"x\" has a default");
    check(json!({"if": [{"==": [{"cat": ["x", "y"]}, 2]}, "red"]}), "what `cat` computes cannot be compared");
    check(json!({"$ref": "gone"}), "there is no evaluator \"gone\"");
    check(json!({"$ref": "again"}), "the evaluator \"again\" refers to itself");
    check(
        json!({"fractional": [{"cat": [{"var": "x"}, {"var": "y"}]}, ["red", 1]]}),
        "users are dealt by more than one attribute",
    );
    let many: Vec<Value> = (0..101).map(|value| json!({"==": [{"var": "x"}, value]})).collect();
    check(json!({"if": [{"or": many}, "red"]}), "written out it takes more than 100 rules of 50 conditions");
    let pairs: Vec<Value> =
        (0..12).map(|at| json!({"or": [{"==": [{"var": "x"}, at]}, {"==": [{"var": "y"}, at]}]})).collect();
    check(json!({"if": [{"and": pairs}, "red"]}), "written out it takes more than 100 rules of 50 conditions");
}

#[test]
fn what_is_no_flagd_is_refused() {
    let check = |json: &str, expected: ImportError| assert_eq!(flagd(json).unwrap_err(), expected);
    check("{\"flags\": []}", ImportError::Unknown("flagd's definitions have an object `flags`"));
    assert!(matches!(flagd("{"), Err(ImportError::NoJson(_))));
}

proptest! {
    #[test]
    fn whatever_comes_in_valid_flags_come_out(json in arbitrary::json_with(&[
        "flags", "$evaluators", "variants", "defaultVariant", "targeting", "state", "if", "==", "!=", "!", "!!", "and", "or", "in",
        "starts_with", "sem_ver", "fractional", "cat", "var", "$ref", "a", "red", "<", ">=", "^", "1.2.3", "$flagd.flagKey",
        "$flagd.timestamp", "targetingKey",
    ])) {
        let flag = json!({"variants": {"red": 1, "a": json}, "defaultVariant": "red", "targeting": json});
        let text = json!({"flags": {"a": flag, "b": json}, "$evaluators": {"a": json, "red": json}}).to_string();
        for flag in &flagd(text).unwrap().document.flags {
            prop_assert_eq!(flag.validate(), Ok(()));
        }
        let _ = flagd(json.to_string());
    }
}
