//! An object being read field by field, and the plain values in it.

use std::str::FromStr;

use serde_json::{Number, Value};

use crate::model::error::quoted;
use crate::model::{Extra, ModelError, Percentage, PercentageError, Timestamp};

pub(super) type Read<T> = Result<T, ModelError>;

/// An object whose known fields are taken out one by one; what is left in the end is what this version does not know.
///
/// `null` is as good as nothing. Nobody here knows the place of the object: an error collects it on its way out.
pub(super) struct Fields(Extra);

impl Fields {
    pub(super) fn of(value: Value) -> Read<Self> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            other => Err(wanted("an object", &other)),
        }
    }

    /// The field as `read` reads it.
    pub(super) fn take<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Read<T>) -> Read<Option<T>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).map_err(|error| error.within(name)),
        }
    }

    /// The field, or its default.
    pub(super) fn take_or<T>(&mut self, name: &str, default: T, read: impl FnOnce(Value) -> Read<T>) -> Read<T> {
        Ok(self.take(name, read)?.unwrap_or(default))
    }

    /// The field, which must be there.
    pub(super) fn need<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Read<T>) -> Read<T> {
        self.take(name, read)?.ok_or_else(|| ModelError::new(name, "is missing"))
    }

    /// The field's members, or none.
    pub(super) fn list<T>(&mut self, name: &str, read: impl FnMut(Value) -> Read<T>) -> Read<Vec<T>> {
        self.take_or(name, Vec::new(), |value| list(value, read))
    }

    /// The field as it stands, `null` too.
    pub(super) fn any(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub(super) fn rest(self) -> Extra {
        self.0
    }
}

/// What was wanted, and what was found instead; the value itself may be somebody's id and stays out.
pub(super) fn wanted(what: &str, found: &Value) -> ModelError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    ModelError::here(format_args!("is {found}; {what} is wanted"))
}

pub(super) fn list<T>(value: Value, mut read: impl FnMut(Value) -> Read<T>) -> Read<Vec<T>> {
    let Value::Array(members) = value else { return Err(wanted("a list", &value)) };
    let member = |(index, member)| read(member).map_err(|error: ModelError| error.within(format_args!("[{index}]")));
    members.into_iter().enumerate().map(member).collect()
}

pub(super) fn text(value: Value) -> Read<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wanted("a text", &other)),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of all readers")]
pub(super) fn truth(value: Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| wanted("true or false", &value))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of all readers")]
pub(super) fn whole(value: Value) -> Read<u64> {
    let what = "a whole number from 0 on";
    match &value {
        Value::Number(number) => {
            number.as_u64().ok_or_else(|| ModelError::here(format_args!("is {number}; {what} is wanted")))
        }
        other => Err(wanted(what, other)),
    }
}

/// A whole number of a smaller kind.
pub(super) fn small<T: TryFrom<u64>>(value: Value) -> Read<T> {
    let number = whole(value)?;
    T::try_from(number).map_err(|_| ModelError::here(format_args!("is {number}, which is too large")))
}

/// One of a list of names.
pub(super) fn one_of<T: Copy>(value: Value, names: &[(T, &str)]) -> Read<T> {
    let given = text(value)?;
    names.iter().find(|(_, name)| *name == given).map(|(found, _)| *found).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        ModelError::here(format_args!("{} is none of {}", quoted(&given), known.join(", ")))
    })
}

/// A number or a text, by its digits and never by way of arithmetic.
pub(super) fn percentage(value: Value) -> Read<Percentage> {
    let problem = |error: PercentageError, shown: &str| ModelError::here(format_args!("{shown} {error}"));
    match value {
        Value::String(text) => text.parse().map_err(|error| problem(error, &quoted(&text))),
        Value::Number(number) => digits(&number).map_err(|error| problem(error, &number.to_string())),
        other => Err(wanted("a percentage such as 25 or 12.5", &other)),
    }
}

/// The shortest text that means the number; with an exponent it is far off in one direction or the other.
fn digits(number: &Number) -> Result<Percentage, PercentageError> {
    let text = number.to_string();
    match text.split_once('e') {
        _ if text.starts_with('-') => Err(PercentageError::NotANumber),
        Some((_, exponent)) if exponent.starts_with('-') => Err(PercentageError::TooFine),
        Some(_) => Err(PercentageError::TooLarge),
        None => Percentage::from_str(&text),
    }
}

pub(super) fn moment(value: Value) -> Read<Timestamp> {
    let text = text(value)?;
    text.parse().map_err(|error| ModelError::here(format_args!("{} {error}", quoted(&text))))
}
