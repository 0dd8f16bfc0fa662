//! How many values a condition may have, and how long they may be: what keeps the time of a match bounded.

use serde_json::Value;

use super::Wrong;
use crate::model::{Operator, limits};

/// Refuses too many values and too long ones.
pub(super) fn check(operator: Operator, values: &[Value]) -> Result<(), Wrong> {
    let (count, length) = match operator {
        Operator::Exists if !values.is_empty() => {
            return Err(Wrong::all("must be left out: `exists` compares with nothing; use `in` to compare"));
        }
        Operator::Contains => (limits::SEARCHED, limits::VALUE),
        Operator::Matches => (limits::EXPRESSIONS, limits::EXPRESSION),
        _ => (limits::VALUES, limits::VALUE),
    };
    if values.len() > count {
        let problem = format_args!(
            "has {} values, and this operator takes at most {count}; split them over several rules, or use a segment",
            values.len()
        );
        return Err(Wrong::all(problem));
    }
    let too_long = |value: &Value| value.as_str().is_some_and(|text| text.chars().nth(length).is_some());
    match values.iter().position(too_long) {
        Some(index) => {
            Err(Wrong::value(index, &values[index], format_args!("has more than {length} characters; shorten it")))
        }
        None => Ok(()),
    }
}
