//! Operands of JsonLogic: attributes and literals.

use serde_json::Value;

use super::Unsaid;

/// One side of a comparison.
pub(super) enum Operand<'a> {
    /// An attribute, by our name.
    Attribute(&'a str),
    /// flagd's own clock, in seconds.
    Clock,
    /// A text, number, bool, null or list.
    Literal(&'a Value),
}

/// An operation: its name and what it works on. A single operand may stand without a list.
pub(super) fn operation(json: &Value) -> Option<(&str, &[Value])> {
    let object = json.as_object().filter(|object| object.len() == 1)?;
    let (name, operands) = object.iter().next()?;
    Some((name, operands.as_array().map_or(std::slice::from_ref(operands), Vec::as_slice)))
}

pub(super) fn operand(json: &Value) -> Result<Operand<'_>, Unsaid> {
    match operation(json) {
        Some(("var", operands)) => variable(operands),
        Some((name, _)) => Err(Unsaid(format!("what `{name}` computes cannot be compared"))),
        None if json.is_object() => Err(Unsaid("an object is no operation".to_owned())),
        None => Ok(Operand::Literal(json)),
    }
}

fn variable(operands: &[Value]) -> Result<Operand<'_>, Unsaid> {
    let name = operands.first().and_then(Value::as_str).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Unsaid("an attribute without a name".to_owned()))?;
    if operands.get(1).is_some_and(|default| !default.is_null()) {
        return Err(Unsaid(format!("the attribute {name:?} has a default")));
    }
    match name {
        "targetingKey" => Ok(Operand::Attribute("user_id")),
        "$flagd.timestamp" => Ok(Operand::Clock),
        _ if name.starts_with("$flagd.") => Err(Unsaid(format!("{name:?} cannot be compared"))),
        _ => Ok(Operand::Attribute(name)),
    }
}

/// Something that a condition can be compared with.
pub(super) fn is_plain(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

/// What JsonLogic takes for true.
pub(super) fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(members) => !members.is_empty(),
        Value::Object(_) => true,
    }
}
