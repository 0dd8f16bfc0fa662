//! Variants: Unleash has them on features and on strategies, a flag has one list of them.

use serde_json::Value;

use super::constraint::attribute;
use crate::import::report::Report;
use crate::import::texts;
use crate::model::{Condition, Extra, Operator, Variant, limits};

/// What Unleash serves to a user for whom the flag is on and there is no variant.
pub(super) const DISABLED: &str = "disabled";

/// The variants of a feature and of all its strategies.
pub(super) struct Variants {
    known: Vec<Variant>,
    /// A condition for each override, and the variant that it leads to.
    pub(super) overrides: Vec<(Condition, String)>,
    /// Whether the feature has some of its own.
    pub(super) on_feature: bool,
}

impl Variants {
    /// Those of the feature itself.
    pub(super) fn of_feature(json: Option<&Value>, report: &mut Report) -> Self {
        let mut variants = Self { known: Vec::new(), overrides: Vec::new(), on_feature: is_dealt(json) };
        if !variants.on_feature {
            return variants;
        }
        for (name, weight) in variants.add(json, report) {
            if let Some(known) = variants.known.iter_mut().find(|known| known.name == name) {
                known.weight = weight;
            }
        }
        for variant in members(json) {
            let Some(name) = variant.get("name").and_then(Value::as_str) else { continue };
            for one in members(variant.get("overrides")) {
                let context = one.get("contextName").and_then(Value::as_str).unwrap_or_default();
                let condition = Condition::new(attribute(context), Operator::In, texts(one.get("values")));
                variants.overrides.push((condition, name.to_owned()));
            }
        }
        variants
    }

    /// Those of a strategy: what they are called here, with their weights; none where there is nothing to deal.
    pub(super) fn of_strategy(&mut self, json: Option<&Value>, report: &mut Report) -> Vec<(String, u32)> {
        if is_dealt(json) { self.add(json, report) } else { Vec::new() }
    }

    fn add(&mut self, json: Option<&Value>, report: &mut Report) -> Vec<(String, u32)> {
        let mut split = Vec::new();
        for variant in members(json) {
            if self.known.len() > limits::VARIANTS || split.len() > limits::VARIANTS {
                break; // The flag is too large already, and will be refused for it.
            }
            let name = variant.get("name").and_then(Value::as_str).unwrap_or_default();
            let value = payload(variant.get("payload"), name, report);
            split.push((self.name_for(name, value, report), weight(variant)));
        }
        split
    }

    /// The name under which this value is known: another one where two strategies use one name for two things.
    fn name_for(&mut self, name: &str, value: Value, report: &mut Report) -> String {
        let mut ours = name.to_owned();
        let mut number = 1;
        while let Some(known) = self.known.iter().find(|known| known.name == ours) {
            if known.value == value {
                return ours;
            }
            number += 1;
            ours = format!("{name}-{number}");
        }
        if number > 1 {
            report.find(format_args!("two variants are called {name:?}"), format_args!("one is called {ours:?}"));
        }
        self.known.push(Variant { name: ours.clone(), value, weight: 0, extra: Extra::new() });
        ours
    }

    /// The flag's variants. `bare` says that some strategies serve none: a stand-in with Unleash's name is served for them.
    pub(super) fn done(mut self, bare: bool) -> Vec<Variant> {
        if self.known.is_empty() || self.on_feature {
            return self.known;
        }
        if bare && !self.known.iter().any(|known| known.name == DISABLED) {
            self.known.push(Variant { name: DISABLED.into(), value: Value::Null, weight: 1, extra: Extra::new() });
        } else {
            // Nobody is dealt by these weights; they have to be something.
            self.known.iter_mut().for_each(|known| known.weight = 1);
        }
        self.known
    }
}

/// Whether there are variants with any weight.
pub(super) fn is_dealt(json: Option<&Value>) -> bool {
    members(json).any(|variant| weight(variant) > 0)
}

fn members(json: Option<&Value>) -> impl Iterator<Item = &Value> {
    json.and_then(Value::as_array).into_iter().flatten()
}

fn weight(variant: &Value) -> u32 {
    variant.get("weight").and_then(Value::as_u64).and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0)
}

/// Numbers and JSON as what they are, all else as text; the name where there is nothing.
fn payload(json: Option<&Value>, name: &str, report: &mut Report) -> Value {
    let text = |field: &str| json.and_then(|payload| payload.get(field)).and_then(Value::as_str);
    let Some(value) = text("value") else { return name.into() };
    match text("type") {
        Some(kind @ ("number" | "json")) => match serde_json::from_str::<Value>(value) {
            Ok(read) if kind == "json" || read.is_number() => read,
            _ => {
                report.find(format_args!("the payload of {name:?} is no {kind}"), "it is carried over as text");
                value.into()
            }
        },
        _ => value.into(),
    }
}
