//! Flags.

use serde_json::Value;

use super::Unsaid;
use super::targeting::{Outcome, Targeting, What};
use crate::bucketing::Bucketing;
use crate::import::report::Report;
use crate::model::{Extra, Flag, Percentage, Rule, Serve, Variant};

/// The flag that answers as this definition.
pub(super) fn flag(key: &str, name: &str, json: &Value, evaluators: Option<&Value>, report: &mut Report) -> Flag {
    report.about(Some(key));
    let translated = translated(key, name, json, evaluators, report).and_then(|flag| match flag.validate() {
        Ok(()) => Ok(flag),
        Err(error) => Err(Unsaid(error.to_string())),
    });
    translated.unwrap_or_else(|Unsaid(problem)| {
        report.find(
            format_args!("it cannot be said here ({problem})"),
            "it is imported switched off, so that callers get their defaults",
        );
        let bare = Flag { enabled: false, ..Flag::new(name) };
        let with_variants = Flag { variants: variants(json), ..bare.clone() };
        if with_variants.validate().is_ok() { with_variants } else { bare }
    })
}

fn translated(
    key: &str,
    name: &str,
    json: &Value,
    evaluators: Option<&Value>,
    report: &mut Report,
) -> Result<Flag, Unsaid> {
    let description = json.get("metadata").and_then(|metadata| metadata.get("description")).and_then(Value::as_str);
    let mut flag = Flag {
        description: description.unwrap_or_default().to_owned(),
        enabled: json.get("state").and_then(Value::as_str) != Some("DISABLED"),
        variants: variants(json),
        ..Flag::new(name)
    };
    let default = json.get("defaultVariant").and_then(Value::as_str);
    let known = default.is_some_and(|default| flag.variants.iter().any(|variant| variant.name == default));
    if !known {
        let what = match default {
            Some(default) => format!("its default variant {default:?} does not exist"),
            None => "it has no default variant".to_owned(),
        };
        report.find(what, "where no rule decides it is off: callers get their defaults, and `is_enabled` is false");
        flag.rollout_percentage = Percentage::NONE;
    }
    let targeting = json.get("targeting").filter(|targeting| !is_empty(targeting));
    let outcomes = match targeting {
        Some(targeting) => Targeting::new(key, evaluators, report).outcomes(targeting)?,
        None => Vec::new(),
    };
    flag.rules = outcomes.into_iter().map(|outcome| rule(outcome, &flag, known, report)).collect();
    // What no rule decides is the default anyway.
    let default_serve = if known { Serve::Flag } else { Serve::Off };
    while flag.rules.last().is_some_and(|rule| rule.serve == default_serve) {
        flag.rules.pop();
    }
    Ok(flag)
}

fn is_empty(targeting: &Value) -> bool {
    targeting.is_null() || targeting.as_object().is_some_and(serde_json::Map::is_empty)
}

/// In the order of their names; only the default has a weight, so that nobody has to be dealt where no rule decides.
fn variants(json: &Value) -> Vec<Variant> {
    let default = json.get("defaultVariant").and_then(Value::as_str);
    let members = || json.get("variants").and_then(Value::as_object).into_iter().flatten();
    let known = members().any(|(name, _)| Some(name.as_str()) == default);
    let weight = |name: &str| u32::from(!known || Some(name) == default);
    let variant = |(name, value): (&String, &Value)| Variant {
        name: name.clone(),
        value: value.clone(),
        weight: weight(name),
        extra: Extra::new(),
    };
    members().map(variant).collect()
}

fn rule(outcome: Outcome, flag: &Flag, has_default: bool, report: &mut Report) -> Rule {
    let mut rule = Rule::new(outcome.conditions);
    let mut known = |name: &String| {
        let known = flag.variants.iter().any(|variant| variant.name == *name);
        if !known {
            report.find(
                format_args!("its targeting names the variant {name:?}, which does not exist"),
                "it is off there: callers get their defaults, as with flagd, and `is_enabled` is false",
            );
        }
        known
    };
    rule.serve = match outcome.what {
        What::Default if has_default => Serve::Flag,
        What::Default => Serve::Off,
        What::Variant(name) if known(&name) => Serve::Variant(name),
        What::Variant(_) => Serve::Off,
        What::Split(split, dealing) => {
            rule.bucketing = Some(Bucketing::Flagd);
            rule.salt = Some(dealing.salt);
            rule.stickiness = vec![dealing.attribute];
            Serve::Split(split)
        }
    };
    rule
}
