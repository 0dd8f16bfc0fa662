//! JSON as strangers send it: no name twice in one object, and no NUL character in any text.
//!
//! Of a name that is there twice one reader takes the first and another the last: what is audited would not be what is meant.
//! PostgreSQL stores no NUL.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a text of JSON; lists and objects within each other for more than 128 levels count as none.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        if text.contains('\0') { Err(E::custom("a text has a NUL character")) } else { Ok(text.into()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_element_seed(Self)? {
            list.push(member);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom("a name has a NUL character"));
            }
            let value = fields.next_value_seed(Self)?;
            if object.insert(name, value).is_some() {
                // Which one is not said: it may be an attribute of somebody.
                return Err(A::Error::custom("an object has a name twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_readers_take_differently_is_refused() {
        let check = |text: &str, words: Option<&str>| match (read(text.as_bytes()), words) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{text}: {error}"),
            (read, _) => panic!("{text}: {read:?}"),
        };
        check(r#"{"a": [1, -2, 2.5, "x", null, true, {}]}"#, None);
        check(r#"{"a": {"b": 1}, "b": {"b": 1}}"#, None);
        check(r#"{"enabled": false, "enabled": true}"#, Some("a name twice"));
        check(r#"[{"x": {"a": 1, "\u0061": 1}}]"#, Some("a name twice"));
        check(r#"{"a": "b\u0000c"}"#, Some("NUL"));
        check(r#"{"a\u0000": 1}"#, Some("NUL"));
        check(r#"{"a": 1e400}"#, Some("out of range"));
        check(r#"{"a": "\ud800"}"#, Some(""));
        check("{} {}", Some("trailing"));
        check("", Some("EOF"));
        check(&format!("{}{}", "[".repeat(200), "]".repeat(200)), Some("recursion"));
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[^\0]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{0,3}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_always(value in anything()) {
            let text = value.to_string();
            prop_assert_eq!(read(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
