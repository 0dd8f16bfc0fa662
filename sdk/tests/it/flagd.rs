//! Flags imported from flagd answer as JsonLogic says, interpreted plainly beside them.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use teal_flags::import::flagd;
use teal_flags::model::Timestamp;
use teal_flags::{Flags, Layer, OwnedAttribute, OwnedContext};

/// What JsonLogic computes, of the operations that are imported.
fn interpret(json: &Value, context: &Value) -> Value {
    let Some(object) = json.as_object() else { return json.clone() };
    let (name, operands) = object.iter().next().unwrap();
    let operands = operands.as_array().map_or(std::slice::from_ref(operands), Vec::as_slice);
    let value = |at: usize| operands.get(at).map_or(Value::Null, |operand| interpret(operand, context));
    let text = |at: usize| value(at).as_str().map(str::to_owned);
    let number = |at: usize| value(at).as_f64();
    match name.as_str() {
        "var" => context.get(operands[0].as_str().unwrap()).cloned().unwrap_or(Value::Null),
        "==" => json!(value(0) == value(1)),
        "!=" => json!(value(0) != value(1)),
        "!" => json!(!truthy(&value(0))),
        "!!" => json!(truthy(&value(0))),
        "and" => operands.iter().map(|one| interpret(one, context)).find(|one| !truthy(one)).unwrap_or(json!(true)),
        "or" => operands.iter().map(|one| interpret(one, context)).find(truthy).unwrap_or(json!(false)),
        "in" => match value(1) {
            Value::Array(members) => json!(members.contains(&value(0))),
            Value::String(whole) => json!(text(0).is_some_and(|part| whole.contains(&part))),
            _ => json!(false),
        },
        "starts_with" => json!(text(0).zip(text(1)).is_some_and(|(whole, part)| whole.starts_with(&part))),
        "ends_with" => json!(text(0).zip(text(1)).is_some_and(|(whole, part)| whole.ends_with(&part))),
        "<" if operands.len() == 3 => json!(number(0) < number(1) && number(1) < number(2)),
        "<" => json!(number(0) < number(1)),
        ">=" => json!(number(0) >= number(1)),
        "if" => {
            let pair = operands.chunks_exact(2).find(|pair| truthy(&interpret(&pair[0], context)));
            let rest = operands.chunks_exact(2).remainder().first();
            pair.map(|pair| &pair[1]).or(rest).map_or(Value::Null, |chosen| interpret(chosen, context))
        }
        other => panic!("{other} is not interpreted"),
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

fn words() -> impl Strategy<Value = Value> {
    select(vec!["a", "b", "ab", "ba"]).prop_map(Value::from)
}

/// Something true or false.
fn condition() -> impl Strategy<Value = Value> {
    let attribute = || select(vec!["x", "y"]).prop_map(|name| json!({"var": name}));
    let leaf = prop_oneof![
        (select(vec!["==", "!="]), attribute(), words()).prop_map(|(name, left, right)| json!({name: [left, right]})),
        (select(vec!["==", "!="]), words(), attribute()).prop_map(|(name, left, right)| json!({name: [left, right]})),
        (select(vec!["==", "!="]), attribute()).prop_map(|(name, left)| json!({name: [left, null]})),
        (select(vec!["starts_with", "ends_with"]), attribute(), words()).prop_map(|(name, l, r)| json!({name: [l, r]})),
        (attribute(), vec(words(), 0..3)).prop_map(|(left, right)| json!({"in": [left, right]})),
        (words(), attribute()).prop_map(|(left, right)| json!({"in": [left, right]})),
        (select(vec!["<", ">="]), 0..4).prop_map(|(name, right)| json!({name: [{"var": "n"}, right]})),
        (select(vec!["<", ">="]), 0..4).prop_map(|(name, left)| json!({name: [left, {"var": "n"}]})),
        (0..3, 2..5).prop_map(|(low, high)| json!({"<": [low, {"var": "n"}, high]})),
        attribute().prop_map(|attribute| json!({"!!": [attribute]})),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(|members| json!({"and": members})),
            vec(inner.clone(), 1..3).prop_map(|members| json!({"or": members})),
            inner.clone().prop_map(|inner| json!({"!": inner})),
            (inner.clone(), inner.clone(), inner).prop_map(|(c, yes, no)| json!({"if": [c, yes, no]})),
        ]
    })
}

/// Something that says a variant.
fn targeting() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(vec!["red", "blue", "grey"]).prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        condition()
            .prop_filter("a variant or a condition", |json| json.is_object())
            .prop_map(|one| json!({"!": [one]})),
    ];
    leaf.prop_recursive(3, 8, 5, |inner| {
        (vec((condition(), inner.clone()), 1..3), of(inner)).prop_map(|(pairs, otherwise)| {
            let pairs = pairs.into_iter().flat_map(|(condition, variant)| [condition, variant]);
            json!({"if": pairs.chain(otherwise).collect::<Vec<_>>()})
        })
    })
}

fn context() -> impl Strategy<Value = Value> {
    (of(words()), of(words()), 0..5).prop_map(|(x, y, n)| {
        let present = [("x", x), ("y", y), ("n", Some(json!(n)))].into_iter();
        present.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<serde_json::Map<_, _>>().into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn imported_flags_answer_as_json_logic_says(targeting in targeting(), contexts in vec(context(), 8)) {
        let variants = json!({"red": 1, "blue": 2, "grey": 3, "true": 4, "false": 5});
        let flag = json!({"state": "ENABLED", "variants": variants, "defaultVariant": "grey", "targeting": targeting});
        let imported = flagd(json!({"flags": {"f": flag}}).to_string()).unwrap();
        let is_off = imported.report.iter().any(|finding| finding.instead.starts_with("it is imported switched off"));
        prop_assume!(!is_off);
        let flags = Flags::new(None);
        flags.apply(Layer::File, imported.document, Timestamp::from_millis(0));
        for context in contexts {
            let expected = match interpret(&targeting, &context) {
                Value::Null => "grey".to_owned(),
                Value::String(name) => name,
                other => other.to_string(),
            };
            let attributes = context.as_object().unwrap().iter();
            let attributes = attributes.map(|(name, value)| (name.clone(), OwnedAttribute::from_json(value).unwrap()));
            let user = OwnedContext { id: None, attributes: attributes.collect() };
            let answer = flags.evaluate(user, "f");
            prop_assert_eq!(answer.variant.as_deref(), Some(expected.as_str()), "{}", context);
        }
    }
}
