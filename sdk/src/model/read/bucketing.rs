//! Bucketings and what goes with them, for flags and rules alike.

use serde_json::Value;

use super::fields::{Fields, Read, list, one_of, small, text, wanted};
use crate::bucketing::{Bucketing, General, Hash};
use crate::model::ModelError;
use crate::model::error::quoted;

/// A name, or an object for the general one.
pub(super) fn bucketing(value: Value) -> Read<Bucketing> {
    match value {
        Value::String(name) => match name.as_str() {
            "teal1" => Ok(Bucketing::Teal1),
            "unleash" => Ok(Bucketing::Unleash),
            "flagd" => Ok(Bucketing::Flagd),
            _ => Err(ModelError::here(format_args!("{} is none of teal1, unleash, flagd", quoted(&name)))),
        },
        Value::Object(_) => general(value).map(Bucketing::General),
        other => Err(wanted("a name or an object", &other)),
    }
}

/// Unknown fields are refused here: who is dealt where must not depend on something that is not understood.
fn general(value: Value) -> Read<General> {
    let mut fields = Fields::of(value)?;
    let general = General {
        hash: fields.need("hash", |value| one_of(value, &Hash::ALL))?,
        input: fields.need("input", text)?,
        modulo: fields.need("modulo", small)?,
    };
    match fields.rest().keys().next() {
        None => Ok(general),
        Some(unknown) => {
            Err(ModelError::new(quoted(unknown), "is not known; a bucketing has `hash`, `input` and `modulo`"))
        }
    }
}

/// One attribute, or several.
pub(super) fn stickiness(value: Value) -> Read<Vec<String>> {
    match value {
        Value::String(attribute) => Ok(vec![attribute]),
        value @ Value::Array(_) => list(value, text),
        other => Err(wanted("the name of an attribute, or a list of names,", &other)),
    }
}
