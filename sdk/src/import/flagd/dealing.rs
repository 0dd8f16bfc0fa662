//! `fractional`: who gets what part.

use serde_json::Value;

use super::Unsaid;
use super::operand::{Operand, operand, operation};
use super::targeting::What;
use crate::import::report::Report;

/// What a user is dealt by: murmur3 of the salt and the attribute, nothing between them.
#[derive(Clone)]
pub(super) struct Dealing {
    pub(super) salt: String,
    pub(super) attribute: String,
}

/// Reads the operands of `fractional`: what is hashed, where it is said, and the parts.
pub(super) fn fractional(operands: &[Value], key: &str, report: &mut Report) -> Result<What, Unsaid> {
    let (own, parts) = match operands.split_first() {
        Some((Value::Array(_), _)) => (None, operands),
        Some((Value::Null, parts)) => (None, parts),
        Some((own, parts)) => (Some(own), parts),
        None => return Err(Unsaid("`fractional` has no parts".to_owned())),
    };
    let dealing = match own {
        None => Dealing { salt: key.to_owned(), attribute: "user_id".to_owned() },
        Some(own) => hashed(own, key)?,
    };
    if dealing.attribute != "user_id" {
        report.find(
            format_args!("users without {:?} are dealt all the same by flagd", dealing.attribute),
            "here they take the caller's default",
        );
    }
    let split = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(What::Split(split, dealing))
}

/// `{"var": a}`, or `{"cat": [text or flag key ..., {"var": a}]}` with one attribute at the end.
fn hashed(json: &Value, key: &str) -> Result<Dealing, Unsaid> {
    let (before, last) = match operation(json) {
        Some(("cat", operands)) => {
            let (last, before) = operands.split_last().ok_or_else(|| Unsaid("`cat` of nothing".to_owned()))?;
            (before, last)
        }
        _ => (&[][..], json),
    };
    let mut salt = String::new();
    for part in before {
        match (part, operation(part)) {
            (Value::String(text), _) => salt.push_str(text),
            (_, Some(("var", [Value::String(name)]))) if name == "$flagd.flagKey" => salt.push_str(key),
            _ => return Err(Unsaid("users are dealt by more than one attribute".to_owned())),
        }
    }
    match operand(last)? {
        Operand::Attribute(attribute) => Ok(Dealing { salt, attribute: attribute.to_owned() }),
        Operand::Clock | Operand::Literal(_) => Err(Unsaid("users are dealt by no attribute".to_owned())),
    }
}

/// `["red", 50]`, or `["red"]` for a weight of 1.
fn part(json: &Value) -> Result<(String, u32), Unsaid> {
    let members = json.as_array().map_or(&[][..], Vec::as_slice);
    let name = match members.first() {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => return Err(Unsaid("a part of `fractional` names no variant".to_owned())),
    };
    let weight = match members.get(1) {
        None | Some(Value::Null) => Some(1),
        Some(weight) => weight.as_u64().and_then(|weight| u32::try_from(weight).ok()),
    };
    let weight = weight.ok_or_else(|| Unsaid(format!("the weight of {name:?} is no whole number")))?;
    Ok((name, weight))
}
