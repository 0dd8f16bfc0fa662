//! What holds of all values and attributes.

use std::cmp::Ordering;
use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::number::Number;
use super::super::version::Version;
use super::{Matcher, matches};
use crate::context::OwnedAttribute;
use crate::model::Operator;

/// Texts of the kinds that operators read.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,20}",
        "[abAB]{0,3}",
        "[-+]?[0-9]{1,20}([.][0-9]{0,3})?(e[0-9]{1,3})?",
        "v?[0-9]{1,2}([.][0-9]{1,2}){0,3}(-[a-z0-9.]{0,6})?",
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:00:00(Z|[+]07:00)",
        "[0-9]{1,3}[.][0-9]{1,3}[.]0[.]1(/[0-9]{1,2})?|::[0-9a-f]{1,4}(/[0-9]{1,3})?",
        "[a(|)*+?.{}0-9\\[\\]^$\\\\]{0,12}",
        "true|false|True",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let small = any::<f64>().prop_map(|float| json!(float));
    prop_oneof![
        text().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        small,
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([1])),
        Just(json!({"a": "b"})),
    ]
}

fn attribute() -> impl Strategy<Value = OwnedAttribute> {
    prop_oneof![
        text().prop_map(OwnedAttribute::Text),
        (-3..3_i64).prop_map(OwnedAttribute::Integer),
        any::<i64>().prop_map(OwnedAttribute::Integer),
        any::<f64>().prop_map(OwnedAttribute::Float),
        (-6..6_i8).prop_map(|halves| OwnedAttribute::Float(f64::from(halves) / 2.0)),
        any::<bool>().prop_map(OwnedAttribute::Bool),
        prop::collection::vec(text(), 0..4).prop_map(OwnedAttribute::Texts),
    ]
}

/// `in` as its documentation says it, one value after the other.
fn naive(values: &[Value], attribute: &OwnedAttribute) -> bool {
    let number = |text: &str| Number::read(text);
    let truth = |text: &str| text.parse::<bool>().ok();
    let equal = |value: &Value| match (attribute, value) {
        (OwnedAttribute::Text(text), Value::String(value)) => text == value,
        (OwnedAttribute::Text(text), Value::Number(value)) => number(text) == Number::of_json(value),
        (OwnedAttribute::Text(text), Value::Bool(value)) => truth(text) == Some(*value),
        (OwnedAttribute::Integer(whole), Value::String(value)) => number(value) == Some(Number::Whole(*whole)),
        (OwnedAttribute::Integer(whole), Value::Number(value)) => Number::of_json(value) == Some(Number::Whole(*whole)),
        (OwnedAttribute::Float(float), Value::String(value)) => {
            Number::of_float(*float).is_some_and(|float| number(value) == Some(float))
        }
        (OwnedAttribute::Float(float), Value::Number(value)) => {
            Number::of_float(*float).is_some_and(|float| Number::of_json(value) == Some(float))
        }
        (OwnedAttribute::Bool(truth), Value::Bool(value)) => truth == value,
        (OwnedAttribute::Bool(own), Value::String(value)) => truth(value) == Some(*own),
        _ => false,
    };
    match attribute {
        OwnedAttribute::Texts(members) => {
            members.iter().any(|member| naive(values, &OwnedAttribute::Text(member.clone())))
        }
        _ => values.iter().any(equal),
    }
}

fn reference(text: &str) -> Option<semver::Version> {
    text.parse().ok()
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        operator in prop::sample::select(Operator::ALL.map(|(operator, _)| operator).to_vec()),
        values in prop::collection::vec(value(), 0..5),
        attribute in attribute(),
        ignore_case: bool,
    ) {
        if let Ok(matcher) = Matcher::compile(operator, &values, ignore_case) {
            matcher.matches(attribute.borrow());
        }
    }

    #[test]
    fn one_value_suffices_with_every_operator_and_a_list_is_its_members(
        operator in prop::sample::select(Operator::ALL.map(|(operator, _)| operator).to_vec()),
        values in prop::collection::vec(value(), 1..6),
        members in prop::collection::vec(text(), 0..4),
        attribute in attribute(),
        ignore_case: bool,
    ) {
        let compile = |values: &[Value]| Matcher::compile(operator, values, ignore_case);
        let each: Vec<_> = values.iter().filter_map(|value| compile(std::slice::from_ref(value)).ok()).collect();
        let usable: Vec<Value> = values.iter().filter(|value| compile(std::slice::from_ref(value)).is_ok()).cloned().collect();
        prop_assume!(!usable.is_empty());
        let all = compile(&usable).unwrap();
        let any = |attribute: &OwnedAttribute| each.iter().any(|one| one.matches(attribute.borrow()));
        prop_assert_eq!(all.matches(attribute.borrow()), any(&attribute));
        let one_by_one = members.iter().any(|member| any(&OwnedAttribute::Text(member.clone())));
        prop_assert_eq!(all.matches(OwnedAttribute::Texts(members).borrow()), one_by_one);
    }

    #[test]
    fn in_is_what_its_definition_says(values in prop::collection::vec(value(), 0..20), attribute in attribute()) {
        let values: Vec<Value> =
            values.into_iter().filter(|value| !(value.is_null() || value.is_array() || value.is_object())).collect();
        prop_assert_eq!(matches("in", &json!(values), attribute.borrow(), false), naive(&values, &attribute));
    }

    #[test]
    fn ignoring_case_is_comparing_lower_case(
        name in prop::sample::select(vec!["in", "starts_with", "ends_with", "contains"]),
        values in prop::collection::vec("[aAbBăĂİσΣ]{0,3}", 0..12),
        text in "[aAbBăĂİσΣ]{0,4}",
    ) {
        let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
        let lowered: Vec<String> = values.iter().map(|value| lower(value)).collect();
        let expected = matches(name, &json!(lowered), lower(&text).as_str(), false);
        prop_assert_eq!(matches(name, &json!(values), text.as_str(), true), expected);
    }

    #[test]
    fn versions_stand_as_the_crate_semver_has_them(
        left in "[0-2][.][0-2][.]([0-2]|11)(-[a-b0-1]{1,2}([.][a0-1-]{1,2}){0,2})?([+][a0]{1,2})?",
        right in "[0-2][.][0-2][.]([0-2]|11)(-[a-b0-1]{1,2}([.][a0-1-]{1,2}){0,2})?",
    ) {
        let (ours, theirs) = (Version::read(&left), reference(&left));
        prop_assert_eq!(ours.is_some(), theirs.is_some());
        if let (Some(ours), Some(theirs), Some(right), Some(theirs_right)) =
            (ours, theirs, Version::read(&right), reference(&right))
        {
            prop_assert_eq!(ours.precedence(&right), theirs.cmp_precedence(&theirs_right));
        }
    }

    #[test]
    fn numbers_are_in_one_order(whole: i64, other: i64, float: f64) {
        let numbers = [Some(Number::Whole(whole)), Some(Number::Whole(other)), Number::of_float(float)];
        for left in numbers.into_iter().flatten() {
            for right in numbers.into_iter().flatten() {
                prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
                for third in numbers.into_iter().flatten() {
                    if left <= right && right <= third {
                        prop_assert!(left <= third);
                    }
                }
            }
        }
    }

    #[test]
    fn whole_and_broken_numbers_are_compared_exactly(near in -1000..1000_i64, shift in 0..53_u32, halves in -3..3_i8) {
        let whole = near << shift;
        let float = f64::from(halves) / 2.0 + f64::from(i32::try_from(near).unwrap());
        let expected = (i128::from(whole) * 2).cmp(&(i128::from(near) * 2 + i128::from(halves)));
        let float = Number::of_float(float).unwrap();
        prop_assert_eq!(Number::Whole(whole).cmp(&float), expected);
        prop_assert_eq!(Number::Whole(whole) == float, expected == Ordering::Equal);
    }

    #[test]
    fn many_networks_contain_what_one_of_them_does(
        networks in prop::collection::vec((0..4_u8, 0..4_u8, 0..=32_u8), 0..8),
        address in (0..4_u8, 0..4_u8),
    ) {
        let written: Vec<String> = networks.iter().map(|(a, b, length)| format!("{a}.0.{b}.0/{length}")).collect();
        let address = IpAddr::from([address.0, 0, address.1, 0]).to_string();
        let expected = written.iter().any(|one| matches("cidr", &json!([one]), address.as_str(), false));
        prop_assert_eq!(matches("cidr", &json!(written), address.as_str(), false), expected);
    }
}
