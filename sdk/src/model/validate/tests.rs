//! What is refused although it can be read, and with which words.

use serde_json::{Value, json};

use crate::model::{Flag, Segment, limits};

/// A flag with two variants and these fields is refused in these words.
#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn check(part: Value, expected: &str) {
    let mut json = json!({"name": "a", "variants": [{"name": "x"}, {"name": "y"}]});
    json.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    assert_eq!(Flag::from_value(json).unwrap_err().to_string(), expected);
}

#[expect(clippy::needless_pass_by_value, reason = "cases read better without a `&`")]
fn check_condition(condition: Value, expected: &str) {
    check(json!({"rules": [{"conditions": [condition]}]}), &format!("rules[0].conditions[0].{expected}"));
}

#[test]
fn few_conditions_have_regular_expressions() {
    let conditions = |count| vec![json!({"attribute": "a", "operator": "matches", "value": "x"}); count];
    let half = json!({"conditions": conditions(10)});
    assert!(Flag::from_value(json!({"name": "a", "rules": [half, half]})).is_ok());
    let more = json!({"conditions": conditions(11)});
    let problem = "has 21 conditions with `matches`; at most 20, put the expressions of several into one";
    check(json!({"rules": [half, more]}), &format!("rules: {problem}"));
    let segment = json!({"name": "s", "any": [conditions(10), conditions(11)]});
    assert_eq!(Segment::from_value(segment).unwrap_err().to_string(), format!("any: {problem}"));
}

#[test]
fn names_and_salts_have_few_characters() {
    let rule = "must start with a letter and have at most 100 of a-z, 0-9, `_`, `.` and `-`";
    for name in ["", "A", "1a", "a b", "ä", "-a"] {
        check(json!({"name": name}), &format!("name: {name:?} {rule}"));
    }
    check(json!({"name": "a".repeat(101)}), &format!("name: {:?}... {rule}", "a".repeat(40)));
    assert!(Flag::from_value(json!({"name": "a".repeat(100)})).is_ok());
    check(json!({"salt": ""}), "salt: \"\" must have 1 to 100 of A-Z, a-z, 0-9, `_`, `.` and `-`");
    check(
        json!({"rules": [{"salt": "a:b"}]}),
        "rules[0].salt: \"a:b\" must have 1 to 100 of A-Z, a-z, 0-9, `_`, `.` and `-`",
    );
    assert!(Flag::from_value(json!({"name": "a", "salt": "Größe 7:", "bucketing": "unleash"})).is_ok());
    assert!(Flag::from_value(json!({"name": "a", "salt": "", "bucketing": "flagd"})).is_ok());
    let mixed = json!({"salt": "a b", "bucketing": "unleash", "rules": [{"bucketing": "teal1"}]});
    check(mixed, "rules[0].salt: \"a b\" must have 1 to 100 of A-Z, a-z, 0-9, `_`, `.` and `-`");
    check(json!({"environments": [""]}), "environments[0]: is empty");
    check(json!({"environments": ["a\nb"]}), "environments[0]: has a control character");
    check(json!({"stickiness": ["x".repeat(201)]}), "stickiness[0]: has 201 characters; the most is 200");
}

#[test]
fn variants_are_unique_and_those_that_are_named_exist() {
    check(json!({"variants": [{"name": "x"}, {"name": "x"}]}), "variants: has \"x\" twice");
    check(
        json!({"variants": [{"name": "x", "weight": 0}]}),
        "variants: has no weight above 0; nobody could get any of them",
    );
    let heavy = json!([{"name": "x", "weight": 600_000_000}, {"name": "y", "weight": 600_000_000}]);
    check(json!({"variants": heavy}), "variants: has weights of 1200000000 in all; the most is 1000000000");
    check(json!({"off_variant": "z"}), "off_variant: \"z\" is none of the flag's variants");
    check(json!({"rules": [{"variant": "z"}]}), "rules[0].variant: \"z\" is none of the flag's variants");
    check(
        json!({"rules": [{"variants": {"x": 1, "z": 1}}]}),
        "rules[0].variants[1]: \"z\" is none of the flag's variants",
    );
    check(
        json!({"rules": [{"variants": {"x": 0}}]}),
        "rules[0].variants: has no weight above 0; nobody could get any of them",
    );
    check(json!({"prerequisites": [{"flag": "a"}]}), "prerequisites[0].flag: is the flag itself");
    check(
        json!({"prerequisites": [{"flag": "b", "variants": []}]}),
        "prerequisites[0].variants: is empty; leave it out where any variant will do",
    );
}

#[test]
fn time_goes_forward() {
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    check(
        json!({"schedule": {"from": late, "until": early}}),
        &format!("schedule.until: {early} is not after `from`, {late}"),
    );
    let ramp = json!([{"at": late, "percentage": 1}, {"at": late, "percentage": 2}]);
    check(
        json!({"schedule": {"ramp": ramp}}),
        &format!("schedule.ramp[1].at: {late} is not after the point before, {late}"),
    );
}

#[test]
fn conditions_can_be_compiled() {
    let with = |operator: &str, value: Value| json!({"attribute": "a", "operator": operator, "values": ["1", value]});
    check_condition(
        with("lt", json!("many")),
        "values[1]: \"many\" is not a number; write it in digits, such as 18 or -0.5",
    );
    check_condition(
        with("semver_gte", json!("1.2.x")),
        "values[1]: \"1.2.x\" is not a semantic version; write it as a text such as \"1.4.0\" or \"2.0.0-rc.1\"",
    );
    let problem = "must be left out: `exists` compares with nothing; use `in` to compare";
    check_condition(with("exists", json!("1")), &format!("values: {problem}"));
    check_condition(json!({"attribute": "", "value": 1}), "attribute: is empty");
}

#[test]
fn a_value_that_may_be_somebodys_id_is_not_quoted() {
    let long = "user-7".repeat(200);
    for operator in ["in", "starts_with", "contains"] {
        let condition = json!({"attribute": "user_id", "operator": operator, "values": ["user-6", long]});
        check_condition(condition.clone(), "values[1]: has more than 1000 characters; shorten it");
        let of_segment = json!({"name": "s", "any": [[condition]], "include": [long]});
        let error = Segment::from_value(of_segment).unwrap_err().to_string();
        assert!(!error.contains("user-"), "{error}");
    }
    let staff = json!({"name": "s", "any": [[{"attribute": "badge", "operator": "lt", "value": "nurse-7"}]]});
    let error = Segment::from_value(staff).unwrap_err().to_string();
    assert_eq!(error, "any[0][0].values[0]: is not a number; write it in digits, such as 18 or -0.5");
}

#[test]
fn there_is_a_bound_to_everything() {
    let many = |one: Value, count: usize| Value::Array(vec![one; count + 1]);
    check(json!({"rules": many(json!({}), limits::RULES)}), "rules: has 101 members; the most is 100");
    let conditions = many(json!({"segment": "s"}), limits::CONDITIONS);
    check(json!({"rules": [{"conditions": conditions}]}), "rules[0].conditions: has 51 members; the most is 50");
    check_condition(
        json!({"attribute": "a", "values": many(json!(1), limits::VALUES)}),
        "values: has 10001 values, and this operator takes at most 10000; split them over several rules, or use a segment",
    );
    check(
        json!({"variants": many(json!({"name": "x"}), limits::VARIANTS)}),
        "variants: has 101 members; the most is 100",
    );
    check(
        json!({"environments": many(json!("x"), limits::ENVIRONMENTS)}),
        "environments: has 101 members; the most is 100",
    );
    let prerequisites = many(json!({"flag": "b"}), limits::PREREQUISITES);
    check(json!({"prerequisites": prerequisites}), "prerequisites: has 51 members; the most is 50");
    check(json!({"description": "ä".repeat(10_001)}), "description: has 10001 characters; the most is 10000");
    let large = json!({"name": "x", "value": "a".repeat(limits::VARIANT_BYTES)});
    check(json!({"variants": [large]}), "variants[0].value: has more than 65536 bytes of JSON");
    let nest = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let too_deep = "has lists and objects within each other for more than 32 levels";
    check(json!({"variants": [{"name": "x", "value": nest(33)}]}), &format!("variants[0].value: {too_deep}"));
    check(json!({"later": nest(100)}), &format!("later: {too_deep}"));
    assert!(Flag::from_value(json!({"name": "a", "later": nest(32)})).is_ok());
    let general = |input: &str, modulo: u32| json!({"bucketing": {"hash": "md5", "input": input, "modulo": modulo}});
    check(general("{user}", 0), "bucketing.modulo: is 0; it must be 1 to 1000000000");
    check(general("{name}", 1), "bucketing.input: must have {user} in it, as in {name}:{user}");
}

#[test]
fn segments_hold_people_and_conditions_but_no_segments() {
    let check = |json: Value, expected: &str| {
        assert_eq!(Segment::from_value(json).map_err(|error| error.to_string()).err().as_deref(), Some(expected));
    };
    let group = json!([{"attribute": "clinic", "value": "hcm-3"}]);
    let segment = Segment::from_value(json!({"name": "staff", "include": ["user-1"], "any": [group]})).unwrap();
    assert_eq!((segment.version, segment.any.len()), (1, 1));
    check(json!({"name": "s", "include": [""]}), "include[0]: is empty");
    check(
        json!({"name": "s", "any": [[], [{"segment": "t"}]]}),
        "any[1][0].segment: cannot stand in a segment; write its conditions out",
    );
}
