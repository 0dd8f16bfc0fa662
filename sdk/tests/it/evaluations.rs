//! `tests/vectors/evaluations.json` holds, and covers what it is said to cover.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teal_flags::model::{Document, Operator};
use teal_flags::{Evaluation, FlagValue, Flags, Layer, OwnedContext, Resolved};

fn groups() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../vectors/evaluations.json")).unwrap();
    assert_eq!(file["format"], 1);
    file["groups"].as_array().unwrap().clone()
}

fn cases(group: &Value) -> &[Value] {
    group["cases"].as_array().unwrap()
}

#[test]
fn every_evaluation_is_what_it_was_when_the_vectors_were_written() {
    for group in groups() {
        let flags = Flags::new(group["environment"].as_str());
        let document = Document::from_value(group["document"].clone()).unwrap();
        assert_eq!(document.unreadable, [], "{}", group["name"]);
        flags.apply(Layer::File, document, group["now"].as_str().unwrap().parse().unwrap());
        for case in cases(&group) {
            assert_eq!(answer(&flags, case), case["expected"], "{}: {case}", group["name"]);
            if case["type"].is_null() {
                assert_eq!(switch(&flags, case), case["expected"]["enabled"].as_bool(), "{}: {case}", group["name"]);
            }
        }
    }
}

/// On or off, as `is_enabled` has it, which goes another way than whole answers; `None`: the caller's default.
fn switch(flags: &Flags, case: &Value) -> Option<bool> {
    let (flag, user) = (case["flag"].as_str().unwrap(), &case["user"]);
    let user = OwnedContext::from_json(user["id"].as_str(), user["attributes"].as_object().unwrap());
    let [no, yes] = [false, true].map(|default| flags.is_enabled_or(&user, flag, default));
    (no == yes).then_some(yes)
}

fn answer(flags: &Flags, case: &Value) -> Value {
    let flag = case["flag"].as_str().unwrap();
    let user = &case["user"];
    let user = OwnedContext::from_json(user["id"].as_str(), user["attributes"].as_object().unwrap());
    let default = &case["default"];
    match case["type"].as_str() {
        None => whole(&flags.evaluate(&user, flag)),
        Some("bool") => told(flags.bool(&user, flag, default.as_bool().unwrap())),
        Some("integer") => told(flags.integer(&user, flag, default.as_i64().unwrap())),
        Some("float") => told(flags.float(&user, flag, default.as_f64().unwrap())),
        Some("json") => told(flags.json(&user, flag, default.clone())),
        Some(_) => {
            let Resolved { value, variant, reason, error, version } =
                flags.text(&user, flag, default.as_str().unwrap());
            told(Resolved { value: value.to_string(), variant, reason, error, version })
        }
    }
}

fn whole(evaluation: &Evaluation) -> Value {
    json!({
        "enabled": evaluation.enabled,
        "value": evaluation.value.as_ref().map(FlagValue::to_json),
        "variant": evaluation.variant.as_deref(),
        "reason": evaluation.reason.as_str(),
        "error": evaluation.error.map(|error| error.as_str()),
    })
}

fn told<T: Into<Value>>(resolved: Resolved<T>) -> Value {
    let Resolved { value, variant, reason, error, .. } = resolved;
    json!({
        "value": value.into(),
        "variant": variant.as_deref(),
        "reason": reason.as_str(),
        "error": error.map(|error| error.as_str()),
    })
}

#[test]
fn the_vectors_are_many_and_leave_no_operator_reason_or_error_out() {
    let groups = groups();
    let all: Vec<&Value> = groups.iter().flat_map(cases).collect();
    assert!(all.len() >= 300, "{} evaluations", all.len());
    let seen =
        |field: &str| -> BTreeSet<&str> { all.iter().filter_map(|case| case["expected"][field].as_str()).collect() };
    let reasons = ["DEFAULT", "DISABLED", "ERROR", "SPLIT", "STATIC", "TARGETING_MATCH"];
    assert_eq!(seen("reason"), reasons.into());
    let errors = ["FLAG_NOT_FOUND", "PARSE_ERROR", "TARGETING_KEY_MISSING", "TYPE_MISMATCH"];
    assert_eq!(seen("error"), errors.into());

    // Each operator, and its opposite, both holding and not holding.
    let mut answers = BTreeSet::new();
    for group in &groups {
        for flag in group["document"]["flags"].as_array().unwrap() {
            let condition = &flag["rules"][0]["conditions"][0];
            let operator = condition["operator"].as_str().or_else(|| condition["attribute"].as_str().map(|_| "in"));
            let asked = cases(group).iter().filter(|case| case["flag"] == flag["name"]);
            let reasons = asked.filter_map(|case| case["expected"]["reason"].as_str());
            let negated = condition["negate"] == true;
            answers.extend(reasons.map(|reason| (operator.unwrap_or("segment"), negated, reason)));
        }
    }
    for (_, name) in Operator::ALL {
        for negated in [false, true] {
            for reason in ["TARGETING_MATCH", "DEFAULT"] {
                assert!(answers.contains(&(name, negated, reason)), "{name}, negated {negated}: {reason}");
            }
        }
    }
}
