//! Conditions: whether the values can be what the operator compares with.

use serde_json::Value;

use super::text::{extra, label, name, short};
use super::{Check, each};
use crate::model::{Condition, ModelError, Operator, Test, limits, operand};

/// Where conditions on segments may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Rule,
    Segment,
}

pub(super) fn condition(condition: &Condition, place: Place) -> Check {
    extra(&condition.extra)?;
    match &condition.test {
        Test::Segment(_) if place == Place::Segment => {
            Err(ModelError::new("segment", "cannot stand in a segment; write its conditions out"))
        }
        Test::Segment(segment) => name("segment", segment),
        Test::Attribute { attribute, operator, values, .. } => {
            label("attribute", attribute)?;
            let most = match operator {
                Operator::Exists => 0,
                Operator::Matches => limits::EXPRESSIONS,
                _ => limits::VALUES,
            };
            each("values", values, most, |value| fits(*operator, value))
        }
    }
}

/// Whether the operator can do something with the value. Values may be users' ids, so no problem quotes one.
fn fits(operator: Operator, value: &Value) -> Check {
    use Operator as O;
    let (fits, wanted) = match operator {
        O::Exists => (false, "nothing"),
        O::In => {
            (matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)), "a text, a number, true or false")
        }
        O::StartsWith | O::EndsWith | O::Contains => (value.is_string(), "a text"),
        O::Matches => return expression(value),
        O::Equal | O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual => {
            (operand::number(value).is_some(), "a number")
        }
        O::SemverEqual | O::SemverLess | O::SemverLessOrEqual | O::SemverGreater | O::SemverGreaterOrEqual => {
            (value.as_str().and_then(operand::version).is_some(), "a semantic version such as 1.2.3")
        }
        O::Before | O::After => {
            (operand::moment(value).is_some(), "a moment such as 2026-11-28T09:00:00Z, or milliseconds since 1970")
        }
        O::Cidr => (value.as_str().and_then(operand::network).is_some(), "a network such as 10.0.0.0/8, or an address"),
    };
    if !fits {
        return Err(ModelError::here(format_args!("does not suit the operator; {wanted} is wanted")));
    }
    value.as_str().map_or(Ok(()), |text| short("", text, limits::VALUE))
}

fn expression(value: &Value) -> Check {
    let text =
        value.as_str().ok_or_else(|| ModelError::here("does not suit the operator; a regular expression is wanted"))?;
    short("", text, limits::EXPRESSION)?;
    match operand::expression(text, false) {
        Ok(_) => Ok(()),
        Err(problem) => Err(ModelError::here(format_args!("is no regular expression: {problem}"))),
    }
}
