//! An object being written field by field.

use serde_json::Value;

use crate::bucketing::{Bucketing, Hash};
use crate::model::{Extra, Percentage};

/// An object being written: what is not known first, so that what is known wins.
pub(super) struct Fields(Extra);

impl Fields {
    pub(super) fn on(extra: &Extra) -> Self {
        Self(extra.clone())
    }

    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Writes it unless it is its default.
    pub(super) fn put_unless<T: PartialEq + Into<Value>>(&mut self, default: &T, name: &str, value: T) {
        if value != *default {
            self.put(name, value);
        }
    }

    /// Writes a text unless there is none.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.put_unless(&"", name, text);
    }

    /// Writes it if it is there.
    pub(super) fn option<T: Into<Value>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Writes a list unless it is empty.
    pub(super) fn list<T>(&mut self, name: &str, members: &[T], write: impl FnMut(&T) -> Value) {
        if !members.is_empty() {
            self.put(name, members.iter().map(write).collect::<Value>());
        }
    }

    /// Writes texts unless there are none.
    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        self.list(name, texts, |text| Value::from(text.as_str()));
    }

    /// Writes one attribute as a text and several as a list.
    pub(super) fn stickiness(&mut self, attributes: &[String]) {
        match attributes {
            [attribute] => self.put("stickiness", attribute.as_str()),
            several => self.texts("stickiness", several),
        }
    }

    pub(super) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A number with exactly the decimals there are: every multiple of 0.001 up to 100 is the nearest float's shortest text.
pub(super) fn percentage(percentage: Percentage) -> Value {
    let thousandths = percentage.thousandths();
    if thousandths.is_multiple_of(1000) {
        Value::from(thousandths / 1000)
    } else {
        Value::from(f64::from(thousandths) / 1000.0)
    }
}

pub(super) fn bucketing(bucketing: &Bucketing) -> Value {
    match bucketing {
        Bucketing::Teal1 => Value::from("teal1"),
        Bucketing::Unleash => Value::from("unleash"),
        Bucketing::Flagd => Value::from("flagd"),
        Bucketing::General(general) => {
            let mut fields = Fields(Extra::new());
            fields.put("hash", name_of(general.hash, &Hash::ALL));
            fields.put("input", general.input.as_str());
            fields.put("modulo", general.modulo);
            fields.done()
        }
    }
}

/// Its name in the table that has all of them.
pub(super) fn name_of<T: Copy + PartialEq>(value: T, names: &[(T, &'static str)]) -> &'static str {
    names.iter().find(|(known, _)| *known == value).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_percentage_is_written_with_its_own_digits() {
        for thousandths in 0..=100_000 {
            let share = Percentage::from_thousandths(thousandths).unwrap();
            assert_eq!(percentage(share).to_string(), share.to_string());
        }
    }
}
