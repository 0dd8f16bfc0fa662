//! Rules.

use super::bucketing::{bucketing, salt, stickiness};
use super::condition::{Place, condition};
use super::text::{extra, short};
use super::{Check, each};
use crate::model::error::quoted;
use crate::model::{Flag, ModelError, Rule, Serve, limits};

pub(super) fn rule(rule: &Rule, flag: &Flag) -> Check {
    short("name", &rule.name, limits::LABEL)?;
    each("conditions", &rule.conditions, limits::CONDITIONS, |one| condition(one, Place::Rule))?;
    serve(&rule.serve, flag)?;
    if let Some(own) = &rule.bucketing {
        bucketing(own)?;
    }
    // Either may be the flag's; together they must fit all the same.
    let effective = (rule.salt.as_ref().unwrap_or(&flag.salt), rule.bucketing.as_ref().unwrap_or(&flag.bucketing));
    salt(effective.0, effective.1)?;
    stickiness(&rule.stickiness)?;
    extra(&rule.extra)
}

fn serve(serve: &Serve, flag: &Flag) -> Check {
    match serve {
        Serve::Flag | Serve::Off => Ok(()),
        Serve::Variant(variant) => known("variant", variant, flag),
        Serve::Split(split) => {
            each("variants", split, limits::VARIANTS, |(variant, _)| known("", variant, flag))?;
            weights("variants", split.iter().map(|(_, weight)| *weight))
        }
    }
}

/// A variant that the flag has.
pub(super) fn known(at: &str, name: &str, flag: &Flag) -> Check {
    if flag.variants.iter().any(|variant| variant.name == name) {
        return Ok(());
    }
    Err(ModelError::new(at, format_args!("{} is none of the flag's variants", quoted(name))))
}

/// Weights of which there is something to deal.
pub(super) fn weights(at: &str, weights: impl IntoIterator<Item = u32>) -> Check {
    match weights.into_iter().map(u64::from).sum::<u64>() {
        0 => Err(ModelError::new(at, "has no weight above 0; nobody could get any of them")),
        sum if sum > limits::WEIGHTS => {
            Err(ModelError::new(at, format_args!("has weights of {sum} in all; the most is {}", limits::WEIGHTS)))
        }
        _ => Ok(()),
    }
}
