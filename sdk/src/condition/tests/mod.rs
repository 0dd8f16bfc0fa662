//! Tables of what matches, of what is refused, and properties.

mod matching;
mod properties;
mod refused;

use serde_json::Value;

use super::Matcher;
use crate::context::Attribute;
use crate::model::{ModelError, Operator};

fn operator(name: &str) -> Operator {
    Operator::ALL.iter().find(|(_, known)| *known == name).map(|(operator, _)| *operator).unwrap()
}

fn compile(name: &str, values: &Value, ignore_case: bool) -> Result<Matcher, ModelError> {
    Matcher::compile(operator(name), values.as_array().unwrap(), ignore_case).map_err(|wrong| wrong.said("x", false))
}

fn matches<'a>(name: &str, values: &Value, attribute: impl Into<Attribute<'a>>, ignore_case: bool) -> bool {
    compile(name, values, ignore_case).unwrap().matches(attribute.into())
}
