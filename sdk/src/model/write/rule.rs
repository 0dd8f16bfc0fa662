//! Rules.

use serde_json::{Value, json};

use super::condition::condition;
use super::fields::{Fields, bucketing, percentage};
use crate::model::{Extra, Otherwise, Percentage, Rule, Serve, Variant};

/// A rule of a flag that has these variants.
pub(super) fn rule(rule: &Rule, variants: &[Variant]) -> Value {
    let mut fields = Fields::on(&rule.extra);
    fields.text("name", &rule.name);
    fields.list("conditions", &rule.conditions, condition);
    fields.put_unless(&percentage(Percentage::ALL), "percentage", percentage(rule.percentage));
    match &rule.serve {
        Serve::Flag => {}
        Serve::Variant(variant) => fields.put("variant", variant.as_str()),
        Serve::Split(split) => fields.put("variants", self::split(split, variants)),
        Serve::Off => fields.put("off", true),
    }
    if rule.otherwise == Otherwise::Next {
        fields.put("otherwise", "next");
    }
    fields.option("salt", rule.salt.as_deref());
    fields.option("bucketing", rule.bucketing.as_ref().map(bucketing));
    fields.stickiness(&rule.stickiness);
    fields.done()
}

/// An object where it is in the order of the flag's variants, which is how it is read; otherwise a list.
fn split(split: &[(String, u32)], variants: &[Variant]) -> Value {
    let place = |name: &String| variants.iter().position(|variant| variant.name == *name);
    let places: Option<Vec<usize>> = split.iter().map(|(name, _)| place(name)).collect();
    if places.is_some_and(|places| places.is_sorted_by(|a, b| a < b)) {
        return split.iter().map(|(name, weight)| (name.clone(), Value::from(*weight))).collect::<Extra>().into();
    }
    split.iter().map(|(name, weight)| json!({"name": name, "weight": weight})).collect()
}
