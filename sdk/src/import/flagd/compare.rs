//! Comparisons of an attribute with a literal.

use serde_json::Value;

use super::Unsaid;
use super::logic::Logic;
use super::operand::{Operand, is_plain, operand};
use crate::import::fits;
use crate::model::{Condition, Operator, Test};

pub(super) fn test(attribute: &str, operator: Operator, values: Vec<Value>, negate: bool) -> Logic {
    let test = Test::Attribute { attribute: attribute.to_owned(), operator, values, ignore_case: false };
    Logic::Test(Condition { test, negate, ..Condition::segment("") })
}

/// Equality, either way round; `None` if it has no counterpart. Nothing is equal to null but what is missing.
pub(super) fn equal(left: &Value, right: &Value, negate: bool) -> Result<Option<Logic>, Unsaid> {
    Ok(match (operand(left)?, operand(right)?) {
        (Operand::Attribute(attribute), Operand::Literal(value))
        | (Operand::Literal(value), Operand::Attribute(attribute)) => match value {
            Value::Null => Some(test(attribute, Operator::Exists, vec![], !negate)),
            value => is_plain(value).then(|| test(attribute, Operator::In, vec![value.clone()], negate)),
        },
        _ => None,
    })
}

/// `<`, `<=`, `>` and `>=` of numbers, either way round.
pub(super) fn order(name: &str, left: &Value, right: &Value, negate: bool) -> Result<Option<Logic>, Unsaid> {
    let (subject, value, name) = match (operand(left)?, operand(right)?) {
        (Operand::Literal(value), subject) => (subject, value, turned(name)),
        (subject, Operand::Literal(value)) => (subject, value, name),
        _ => return Ok(None),
    };
    let operator = match name {
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        _ => Operator::GreaterOrEqual,
    };
    Ok(match subject {
        Operand::Attribute(attribute) if fits(operator, value) => {
            Some(test(attribute, operator, vec![value.clone()], negate))
        }
        Operand::Clock => value.as_i64().and_then(|seconds| clock(operator, seconds, negate)),
        _ => None,
    })
}

/// The same relation with its sides exchanged.
fn turned(name: &str) -> &'static str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        _ => "<=",
    }
}

/// flagd's clock counts whole seconds, ours milliseconds: it is after second 7 from 8.000 on.
fn clock(operator: Operator, seconds: i64, negate: bool) -> Option<Logic> {
    let (operator, seconds) = match operator {
        Operator::Less => (Operator::Before, seconds),
        Operator::LessOrEqual => (Operator::Before, seconds.checked_add(1)?),
        Operator::Greater => (Operator::After, seconds.checked_add(1)?),
        _ => (Operator::After, seconds),
    };
    let moment = Value::from(seconds.checked_mul(1000)?);
    Some(test("current_time", operator, vec![moment], negate))
}

/// `sem_ver`; `^` is "of the same major version", `~` "of the same minor version".
pub(super) fn version(attribute: &str, relation: &str, version: &str, negate: bool) -> Option<Logic> {
    let value = Value::from(version);
    if !fits(Operator::SemverEqual, &value) {
        return None;
    }
    let single = |operator, negate| Some(test(attribute, operator, vec![value.clone()], negate));
    match relation {
        "=" => single(Operator::SemverEqual, negate),
        "!=" => single(Operator::SemverEqual, !negate),
        "<" => single(Operator::SemverLess, negate),
        "<=" => single(Operator::SemverLessOrEqual, negate),
        ">" => single(Operator::SemverGreater, negate),
        ">=" => single(Operator::SemverGreaterOrEqual, negate),
        "^" | "~" => {
            let core = version.trim_start_matches(['v', 'V']).split(['-', '+']).next()?;
            let mut numbers = core.split('.').map(|number| number.parse::<u64>().ok());
            let (major, minor) = (numbers.next()??, numbers.next().unwrap_or(Some(0))?);
            let (low, high) = if relation == "^" {
                (format!("{major}.0.0-0"), format!("{}.0.0-0", major.checked_add(1)?))
            } else {
                (format!("{major}.{minor}.0-0"), format!("{major}.{}.0-0", minor.checked_add(1)?))
            };
            let low = test(attribute, Operator::SemverGreaterOrEqual, vec![low.into()], negate);
            Some(Logic::all(vec![low, test(attribute, Operator::SemverLess, vec![high.into()], negate)], negate))
        }
        _ => None,
    }
}
