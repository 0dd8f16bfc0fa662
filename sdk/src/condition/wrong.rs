//! What is wrong with a condition's values, with the value or, where it may be somebody's id, without.

use serde_json::Value;

use crate::model::ModelError;

/// How much of a value is shown.
const SHOWN: usize = 60;

/// What is wrong, and with which value.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// `values[3]`, or `values` for all of them.
    at: String,
    /// The value as it is written, cut where it is long.
    value: Option<String>,
    problem: String,
}

impl Wrong {
    /// With the value of this index.
    pub(super) fn value(index: usize, value: &Value, problem: impl std::fmt::Display) -> Self {
        let written = value.to_string();
        let short: String = written.chars().take(SHOWN).collect();
        let rest = if short.len() < written.len() { "..." } else { "" };
        Self { at: format!("values[{index}]"), value: Some(format!("{short}{rest} ")), problem: problem.to_string() }
    }

    /// With all of them.
    pub(super) fn all(problem: impl std::fmt::Display) -> Self {
        Self { at: "values".into(), value: None, problem: problem.to_string() }
    }

    /// For people: `values[3]: "x" is not a number; ...`. Errors are logged and shown where ids must not be, so that the value
    /// is left out where the attribute is the user's id, and everywhere in a segment, which is a list of people.
    pub(crate) fn said(self, attribute: &str, in_segment: bool) -> ModelError {
        let shown = self.value.filter(|_| attribute != "user_id" && !in_segment).unwrap_or_default();
        ModelError::new(self.at, format_args!("{shown}{}", self.problem))
    }
}
