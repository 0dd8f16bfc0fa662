//! Targeting: which variant under which conditions.

use serde_json::Value;

use super::Unsaid;
use super::condition::says_a_bool;
use super::dealing::{Dealing, fractional};
use super::logic::{product, too_many};
use super::operand::operation;
use crate::import::report::Report;
use crate::model::{Condition, limits};

/// What is served to those for whom all conditions hold and none of the outcomes before.
pub(super) struct Outcome {
    pub(super) conditions: Vec<Condition>,
    pub(super) what: What,
}

#[derive(Clone)]
pub(super) enum What {
    Default,
    Variant(String),
    Split(Vec<(String, u32)>, Dealing),
}

/// How much of a flag's JsonLogic is read, references followed; then it is too large.
const STEPS: usize = 20_000;
/// How deep references may lead to one another.
const REFERENCES: usize = 8;

/// Reads one flag's targeting.
pub(super) struct Targeting<'a> {
    key: &'a str,
    evaluators: Option<&'a Value>,
    pub(super) report: &'a mut Report,
    steps: usize,
    references: usize,
}

impl<'a> Targeting<'a> {
    pub(super) fn new(key: &'a str, evaluators: Option<&'a Value>, report: &'a mut Report) -> Self {
        Self { key, evaluators, report, steps: STEPS, references: 0 }
    }

    /// All outcomes, in order; whoever none applies to gets the default.
    pub(super) fn outcomes(mut self, json: &'a Value) -> Result<Vec<Outcome>, Unsaid> {
        let mut outcomes = Vec::new();
        self.variant(json, &[vec![]], &mut outcomes)?;
        Ok(outcomes)
    }

    pub(super) fn step(&mut self) -> Result<(), Unsaid> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| Unsaid("its targeting is too large".to_owned()))?;
        Ok(())
    }

    /// What a `$ref` stands for, read by `then`.
    pub(super) fn refer<T>(
        &mut self,
        operands: &[Value],
        then: impl FnOnce(&mut Self, &'a Value) -> Result<T, Unsaid>,
    ) -> Result<T, Unsaid> {
        let name = operands.first().and_then(Value::as_str).unwrap_or_default();
        let referred = self.evaluators.and_then(|evaluators| evaluators.get(name));
        let referred = referred.ok_or_else(|| Unsaid(format!("there is no evaluator {name:?}")))?;
        if self.references == REFERENCES {
            return Err(Unsaid(format!("the evaluator {name:?} refers to itself")));
        }
        self.references += 1;
        let read = then(self, referred);
        self.references -= 1;
        read
    }

    /// Adds the outcomes of an expression that says a variant, for those in one of `groups`. Each of them gets one.
    fn variant(
        &mut self,
        json: &'a Value,
        groups: &[Vec<Condition>],
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), Unsaid> {
        self.step()?;
        let what = match (json, operation(json)) {
            (Value::Null, _) => What::Default,
            (Value::String(name), _) => What::Variant(name.clone()),
            (Value::Bool(value), _) => What::Variant(value.to_string()),
            (_, Some(("if" | "?:", operands))) => return self.branches(operands, groups, outcomes),
            (_, Some(("$ref", operands))) => {
                return self.refer(operands, |this, json| this.variant(json, groups, outcomes));
            }
            (_, Some(("fractional", operands))) => fractional(operands, self.key, self.report)?,
            (_, Some(_)) if says_a_bool(json) => {
                let yes = self.condition(json, false)?.alternatives()?;
                push(&product(groups, &yes)?, &What::Variant("true".to_owned()), outcomes)?;
                What::Variant("false".to_owned())
            }
            (_, Some((name, _))) => return Err(Unsaid(format!("`{name}` does not say a variant"))),
            _ => return Err(Unsaid("its targeting says no variant".to_owned())),
        };
        push(groups, &what, outcomes)
    }

    /// `[condition, variant, condition, variant, ..., otherwise]`.
    fn branches(
        &mut self,
        operands: &'a [Value],
        groups: &[Vec<Condition>],
        outcomes: &mut Vec<Outcome>,
    ) -> Result<(), Unsaid> {
        let pairs = operands.chunks_exact(2);
        let otherwise = pairs.remainder().first();
        for pair in pairs {
            let [condition, variant] = pair else { continue };
            let holds = self.condition(condition, false)?.alternatives()?;
            let within = product(groups, &holds)?;
            if !within.is_empty() {
                self.variant(variant, &within, outcomes)?;
            }
        }
        match otherwise {
            Some(otherwise) => self.variant(otherwise, groups, outcomes),
            None => push(groups, &What::Default, outcomes),
        }
    }
}

fn push(groups: &[Vec<Condition>], what: &What, outcomes: &mut Vec<Outcome>) -> Result<(), Unsaid> {
    if outcomes.len() + groups.len() > limits::RULES {
        return Err(too_many());
    }
    outcomes.extend(groups.iter().map(|group| Outcome { conditions: group.clone(), what: what.clone() }));
    Ok(())
}
