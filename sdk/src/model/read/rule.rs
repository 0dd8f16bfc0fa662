//! Rules.

use serde_json::Value;

use super::bucketing::{bucketing, stickiness};
use super::condition::condition;
use super::fields::{Fields, Read, list, one_of, percentage, small, text, truth, wanted};
use crate::model::{ModelError, Otherwise, Percentage, Rule, Serve, Variant};

const OTHERWISE: [(Otherwise, &str); 2] = [(Otherwise::Off, "off"), (Otherwise::Next, "next")];

/// A rule of a flag that has these variants.
pub(super) fn rule(value: Value, variants: &[Variant]) -> Read<Rule> {
    let mut fields = Fields::of(value)?;
    Ok(Rule {
        name: fields.take_or("name", String::new(), text)?,
        conditions: fields.list("conditions", condition)?,
        percentage: fields.take_or("percentage", Percentage::ALL, percentage)?,
        serve: serve(&mut fields, variants)?,
        otherwise: fields.take_or("otherwise", Otherwise::Off, |value| one_of(value, &OTHERWISE))?,
        salt: fields.take("salt", text)?,
        bucketing: fields.take("bucketing", bucketing)?,
        stickiness: fields.take_or("stickiness", Vec::new(), stickiness)?,
        extra: fields.rest(),
    })
}

fn serve(fields: &mut Fields, variants: &[Variant]) -> Read<Serve> {
    let off = fields.take("off", truth)?.filter(|off| *off).map(|_| Serve::Off);
    let variant = fields.take("variant", text)?.map(Serve::Variant);
    let split = fields.take("variants", |value| split(value, variants))?.map(Serve::Split);
    let mut given = [off, variant, split].into_iter().flatten();
    match (given.next(), given.next()) {
        (serve, None) => Ok(serve.unwrap_or(Serve::Flag)),
        _ => Err(ModelError::here("serves several things; give one of `variant`, `variants` and `off`")),
    }
}

/// `{name: weight}` in the order of the flag's variants, since an object has none of its own; or a list in its own order.
fn split(value: Value, variants: &[Variant]) -> Read<Vec<(String, u32)>> {
    match value {
        Value::Object(weights) => {
            let place = |name: &str| variants.iter().position(|variant| variant.name == name);
            let weight = |(name, weight): (String, Value)| match small(weight) {
                Ok(weight) => Ok((name, weight)),
                Err(error) => Err(error.within(name)),
            };
            let mut split = weights.into_iter().map(weight).collect::<Read<Vec<_>>>()?;
            split.sort_by_cached_key(|(name, _)| (place(name).unwrap_or(usize::MAX), name.clone()));
            Ok(split)
        }
        value @ Value::Array(_) => list(value, |part| {
            let mut fields = Fields::of(part)?;
            Ok((fields.need("name", text)?, fields.need("weight", small)?))
        }),
        other => Err(wanted("an object of variants and weights", &other)),
    }
}
