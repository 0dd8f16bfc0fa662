//! Features as flags.

use std::collections::BTreeMap;

use serde_json::Value;

use super::strategy::{Place, Strategy, is_share, stickiness, strategy};
use super::variants::{DISABLED, Variants, is_dealt};
use crate::bucketing::Bucketing;
use crate::import::report::Report;
use crate::import::texts;
use crate::model::{Extra, Flag, Kind, Otherwise, Percentage, Prerequisite, Required, Rule, Segment, Serve, limits};

/// What a feature needs to know of the others.
pub(super) struct Known<'a> {
    pub(super) names: &'a BTreeMap<String, String>,
    pub(super) segments: &'a BTreeMap<String, Option<Segment>>,
    pub(super) parents: &'a BTreeMap<String, Parent>,
}

/// What matters of a feature on which others may depend.
pub(super) struct Parent {
    depends: bool,
    has_variants: bool,
}

pub(super) fn parents(features: &BTreeMap<String, Value>) -> BTreeMap<String, Parent> {
    let parent = |json: &Value| Parent {
        depends: members(json, "dependencies").next().is_some(),
        has_variants: is_dealt(json.get("variants"))
            || members(json, "strategies").any(|strategy| is_dealt(strategy.get("variants"))),
    };
    features.iter().map(|(name, json)| (name.clone(), parent(json))).collect()
}

fn members<'a>(json: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    json.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The flag that answers as the feature does. One that cannot be said here is imported switched off: a user who gets nothing new
/// is a smaller surprise than one who gets what was not meant for them.
pub(super) fn feature(name: &str, json: &Value, known: &Known<'_>, report: &mut Report) -> Flag {
    report.about(Some(name));
    let ours = known.names.get(name).map_or(name, String::as_str);
    let flag = translated(name, ours, json, known, report);
    match flag.validate() {
        Ok(()) => flag,
        Err(error) => {
            report.find(format_args!("it cannot be said here ({error})"), "it is imported switched off and empty");
            Flag { enabled: false, ..Flag::new(ours) }
        }
    }
}

fn translated(name: &str, ours: &str, json: &Value, known: &Known<'_>, report: &mut Report) -> Flag {
    let mut flag = Flag {
        description: json.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
        enabled: json.get("enabled").and_then(Value::as_bool).unwrap_or(false),
        kind: kind(json.get("type").and_then(Value::as_str)),
        bucketing: Bucketing::Unleash,
        salt: name.to_owned(),
        ..Flag::new(ours)
    };
    let mut variants = Variants::of_feature(json.get("variants"), report);
    let place = Place { feature: name, segments: known.segments };
    let mut bare = false;
    let mut strategies: Vec<(Strategy, Vec<(String, u32)>)> = Vec::new();
    for one in members(json, "strategies") {
        if let Ok(read) = strategy(one, &place, report) {
            let split = variants.of_strategy(one.get("variants"), report);
            bare |= split.is_empty();
            strategies.push((read, split));
        }
    }
    // A feature's own variants are dealt under its name; without any, its salt is free for its last strategy.
    let of_variants = members(json, "variants").find_map(|one| one.get("stickiness")?.as_str());
    flag.stickiness = stickiness(of_variants, variants.on_feature, report);
    if let Some((last, _)) = strategies.last().filter(|_| !variants.on_feature) {
        flag.salt.clone_from(&last.salt);
        flag.stickiness.clone_from(&last.stickiness);
    }
    let none_at_all = members(json, "strategies").next().is_none();
    flag.rollout_percentage = if none_at_all { Percentage::ALL } else { Percentage::NONE };
    if none_at_all {
        flag.rules =
            variants.overrides.iter().map(|(condition, variant)| serve(vec![condition.clone()], variant)).collect();
    }
    for (strategy, split) in strategies {
        if flag.rules.len() > limits::RULES {
            break; // Too many already; validation will say so.
        }
        let rule = rule(strategy, split, &flag);
        if rule.serve == Serve::Flag {
            flag.rules.extend(variants.overrides.iter().map(|(condition, variant)| {
                let conditions = rule.conditions.iter().chain([condition]).cloned().collect();
                Rule { conditions, serve: Serve::Variant(variant.clone()), ..rule.clone() }
            }));
        }
        flag.rules.push(rule);
    }
    flag.variants = variants.done(bare);
    shorten(&mut flag);
    prerequisites(&mut flag, json, known, report);
    flag
}

fn serve(conditions: Vec<crate::model::Condition>, variant: &str) -> Rule {
    Rule { serve: Serve::Variant(variant.to_owned()), otherwise: Otherwise::Next, ..Rule::new(conditions) }
}

fn rule(strategy: Strategy, split: Vec<(String, u32)>, flag: &Flag) -> Rule {
    let weighted = split.iter().filter(|(_, weight)| *weight > 0);
    let serve = match weighted.collect::<Vec<_>>()[..] {
        [] => Serve::Flag,
        // One alone needs no dealing, so that it is served to those without an id too.
        [(only, _)] => Serve::Variant(only.clone()),
        _ => Serve::Split(split),
    };
    let mut rule = Rule {
        name: strategy.name,
        percentage: strategy.percentage,
        serve,
        otherwise: Otherwise::Next,
        ..Rule::new(strategy.conditions)
    };
    // Where nobody is dealt by the strategy, it needs nothing to deal by.
    if is_share(rule.percentage) || matches!(rule.serve, Serve::Split(_)) {
        rule.salt = Some(strategy.salt).filter(|salt| *salt != flag.salt);
        rule.stickiness = if strategy.stickiness == flag.stickiness { Vec::new() } else { strategy.stickiness };
    }
    rule
}

/// A last rule for everybody is what the roll-out percentage says more simply.
fn shorten(flag: &mut Flag) {
    let Some(last) = flag.rules.last() else { return };
    let as_the_flag = last.salt.is_none() && last.stickiness.is_empty();
    if last.conditions.is_empty() && last.serve == Serve::Flag && as_the_flag {
        flag.rollout_percentage = last.percentage;
        flag.rules.pop();
    }
}

fn prerequisites(flag: &mut Flag, json: &Value, known: &Known<'_>, report: &mut Report) {
    for dependency in members(json, "dependencies") {
        let name = dependency.get("feature").and_then(Value::as_str).unwrap_or_default();
        let off = match (known.parents.get(name), known.names.get(name)) {
            (Some(parent), Some(_)) if parent.depends => {
                format!("it depends on {name:?}, which depends on others itself")
            }
            (Some(parent), Some(ours)) => {
                let required = required(dependency, parent);
                flag.prerequisites.push(Prerequisite { required, extra: Extra::new(), ..Prerequisite::on(ours) });
                continue;
            }
            _ => format!("it depends on {name:?}, which does not exist"),
        };
        report.find(off, "Unleash answers off to everybody, so it is imported switched off");
        flag.enabled = false;
    }
    if !flag.enabled {
        // Off whatever they say; and without them they cannot form a ring.
        flag.prerequisites.clear();
    }
}

fn required(dependency: &Value, parent: &Parent) -> Required {
    if dependency.get("enabled").and_then(Value::as_bool) == Some(false) {
        return Required::Off;
    }
    let variants = texts(dependency.get("variants"));
    if variants.is_empty() {
        return Required::On;
    }
    // A switch without variants serves `on` here and `disabled` there.
    let name = |name: String| if name == DISABLED && !parent.has_variants { "on".to_owned() } else { name };
    Required::OneOf(variants.into_iter().map(name).collect())
}

fn kind(name: Option<&str>) -> Kind {
    match name {
        Some("experiment") => Kind::Experiment,
        Some("operational" | "kill-switch") => Kind::Operational,
        Some("permission") => Kind::Permission,
        _ => Kind::Release,
    }
}
