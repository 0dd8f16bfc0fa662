//! Conditions: JsonLogic that is asked for its truth.

use serde_json::Value;

use super::Unsaid;
use super::compare::{equal, order, test, version};
use super::logic::Logic;
use super::operand::{Operand, is_plain, is_truthy, operand, operation};
use super::targeting::Targeting;
use crate::model::Operator;

impl<'a> Targeting<'a> {
    /// An expression that is asked for its truth; with `negate` for its untruth.
    pub(super) fn condition(&mut self, json: &'a Value, negate: bool) -> Result<Logic, Unsaid> {
        self.step()?;
        let Some((name, operands)) = operation(json) else {
            return Ok(Logic::truth(is_truthy(json) != negate));
        };
        match (name, operands) {
            ("and", members) => Ok(Logic::all(self.conditions(members, negate)?, negate)),
            ("or", members) => Ok(Logic::all(self.conditions(members, negate)?, !negate)),
            ("!", [inner]) => self.condition(inner, !negate),
            ("!!", [inner]) => self.condition(inner, negate),
            ("$ref", _) => self.refer(operands, |this, json| this.condition(json, negate)),
            ("if" | "?:", [condition, yes, no]) => {
                let yes = Logic::All(vec![self.condition(condition, false)?, self.condition(yes, negate)?]);
                let no = Logic::All(vec![self.condition(condition, true)?, self.condition(no, negate)?]);
                Ok(Logic::Any(vec![yes, no]))
            }
            ("var", _) => self.is_set(json, negate),
            _ => self.comparison(name, operands, negate),
        }
    }

    fn conditions(&mut self, members: &'a [Value], negate: bool) -> Result<Vec<Logic>, Unsaid> {
        members.iter().map(|member| self.condition(member, negate)).collect()
    }

    /// An attribute by itself: there, and nothing that JsonLogic takes for false.
    fn is_set(&mut self, json: &Value, negate: bool) -> Result<Logic, Unsaid> {
        let Operand::Attribute(attribute) = operand(json)? else { return Ok(Logic::truth(!negate)) };
        self.report.find(
            format_args!("it asks whether {attribute:?} is something at all"),
            "texts that read as 0 or false count as nothing here",
        );
        let exists = test(attribute, Operator::Exists, vec![], negate);
        let nothing = vec![Value::from(""), Value::from(0), Value::from(false)];
        Ok(Logic::all(vec![exists, test(attribute, Operator::In, nothing, !negate)], negate))
    }

    fn comparison(&mut self, name: &str, operands: &[Value], negate: bool) -> Result<Logic, Unsaid> {
        let unsaid = || Unsaid(format!("this use of `{name}` has no counterpart"));
        match (name, operands) {
            ("==" | "===", [left, right]) => equal(left, right, negate)?.ok_or_else(unsaid),
            ("!=" | "!==", [left, right]) => equal(left, right, !negate)?.ok_or_else(unsaid),
            ("in", [left, right]) => match (operand(left)?, operand(right)?) {
                (Operand::Attribute(attribute), Operand::Literal(Value::Array(values)))
                    if values.iter().all(is_plain) =>
                {
                    Ok(test(attribute, Operator::In, values.clone(), negate))
                }
                (Operand::Literal(text @ Value::String(_)), Operand::Attribute(attribute)) => {
                    self.report.find(
                        format_args!("it looks for a text in {attribute:?}"),
                        "where that is a list, a member that contains the text is enough",
                    );
                    Ok(test(attribute, Operator::Contains, vec![text.clone()], negate))
                }
                _ => Err(unsaid()),
            },
            ("starts_with" | "ends_with", [left, right]) => match (operand(left)?, operand(right)?) {
                (Operand::Attribute(attribute), Operand::Literal(text @ Value::String(_))) => {
                    let operator = if name == "starts_with" { Operator::StartsWith } else { Operator::EndsWith };
                    Ok(test(attribute, operator, vec![text.clone()], negate))
                }
                _ => Err(unsaid()),
            },
            ("sem_ver", [left, Value::String(relation), right]) => {
                let (Operand::Attribute(attribute), Some(text)) = (operand(left)?, right.as_str()) else {
                    return Err(unsaid());
                };
                version(attribute, relation, text, negate).ok_or_else(unsaid)
            }
            ("<" | "<=" | ">" | ">=", [left, right]) => order(name, left, right, negate)?.ok_or_else(unsaid),
            ("<" | "<=", [low, middle, high]) => {
                let low = order(name, low, middle, negate)?.ok_or_else(unsaid)?;
                Ok(Logic::all(vec![low, order(name, middle, high, negate)?.ok_or_else(unsaid)?], negate))
            }
            _ => Err(Unsaid(format!("`{name}` has no counterpart"))),
        }
    }
}

/// Whether an expression says true or false, and not one of its operands as `and` and `or` may.
pub(super) fn says_a_bool(json: &Value) -> bool {
    match operation(json) {
        Some(("and" | "or", members)) => !members.is_empty() && members.iter().all(says_a_bool),
        Some((name, _)) => matches!(
            name,
            "==" | "==="
                | "!="
                | "!=="
                | "!"
                | "!!"
                | "in"
                | "starts_with"
                | "ends_with"
                | "sem_ver"
                | "<"
                | "<="
                | ">"
                | ">="
        ),
        None => json.is_boolean(),
    }
}
