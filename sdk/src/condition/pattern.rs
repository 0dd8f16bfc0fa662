//! Regular expressions of bounded size, asked of texts of bounded length: the time of a search is at most their product.
//!
//! The worst that fits, such as `[ab]{600}c` and a text of 4 096 times `a`, took 50 ms; a condition has at most eight of that size.

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use super::Wrong;
use crate::model::limits::{EXPRESSION_BYTES, EXPRESSIONS_BYTES, SEARCHED_TEXT};

/// How deep groups may be nested.
const NESTING: u32 = 32;

/// Regular expressions, one of which suffices.
#[derive(Debug)]
pub(super) struct Patterns(Box<[Regex]>);

impl Patterns {
    pub(super) fn compile(values: &[Value], ignore_case: bool) -> Result<Self, Wrong> {
        let size = EXPRESSION_BYTES.min(EXPRESSIONS_BYTES / values.len().max(1));
        let one = |(index, value): (usize, &Value)| {
            let Some(pattern) = value.as_str() else {
                return Err(Wrong::value(index, value, "must be a text; put it in quotes"));
            };
            let mut builder = RegexBuilder::new(pattern);
            let built = builder.case_insensitive(ignore_case).size_limit(size).nest_limit(NESTING).build();
            built.map_err(|error| {
                let problem = format_args!("cannot be used as a regular expression ({error}); see docs.rs/regex-lite");
                Wrong::value(index, value, problem)
            })
        };
        values.iter().enumerate().map(one).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn fit(&self, text: &str) -> bool {
        text.len() <= SEARCHED_TEXT && self.0.iter().any(|pattern| pattern.is_match(text))
    }
}
