//! Conditions.

use serde_json::Value;

use super::fields::{Fields, Read, one_of, text, truth, wanted};
use crate::model::{Condition, ModelError, Operator, Test};

pub(super) fn condition(value: Value) -> Read<Condition> {
    let mut fields = Fields::of(value)?;
    let test = match fields.take("segment", text)? {
        Some(segment) => segment_alone(&mut fields, segment)?,
        None => attribute(&mut fields)?,
    };
    let negate = fields.take_or("negate", false, truth)?;
    Ok(Condition { test, negate, extra: fields.rest() })
}

fn segment_alone(fields: &mut Fields, segment: String) -> Read<Test> {
    for name in ["attribute", "operator", "values", "value"] {
        if fields.take(name, Ok)?.is_some() {
            return Err(ModelError::new(name, "does not go with `segment`; make it a condition of its own"));
        }
    }
    Ok(Test::Segment(segment))
}

fn attribute(fields: &mut Fields) -> Read<Test> {
    let attribute = fields.take("attribute", text)?;
    let attribute = attribute.ok_or_else(|| ModelError::here("names neither an `attribute` nor a `segment`"))?;
    let operator = fields.take_or("operator", Operator::In, |value| one_of(value, &Operator::ALL))?;
    let ignore_case = fields.take_or("ignore_case", false, truth)?;
    let several = fields.take("values", |value| super::fields::list(value, plain))?;
    let one = fields.take("value", plain)?;
    let values = match (several, one) {
        (Some(_), Some(_)) => return Err(ModelError::new("value", "stands beside `values`; one of them is enough")),
        (Some(values), None) => values,
        (None, Some(value)) => vec![value],
        (None, None) if operator == Operator::Exists => Vec::new(),
        (None, None) => return Err(ModelError::new("values", "is missing")),
    };
    Ok(Test::Attribute { attribute, operator, values, ignore_case })
}

/// What an attribute can be compared with.
fn plain(value: Value) -> Read<Value> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value),
        other => Err(wanted("a text, a number, true or false", &other)),
    }
}
