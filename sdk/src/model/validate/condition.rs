//! Conditions: whether they can be compiled.

use super::Check;
use super::text::{extra, label, name};
use crate::condition::Matcher;
use crate::model::{Condition, ModelError, Test};

/// Where conditions on segments may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Rule,
    Segment,
}

pub(super) fn condition(condition: &Condition, place: Place) -> Check {
    extra(&condition.extra)?;
    match &condition.test {
        Test::Segment(_) if place == Place::Segment => {
            Err(ModelError::new("segment", "cannot stand in a segment; write its conditions out"))
        }
        Test::Segment(segment) => name("segment", segment),
        Test::Attribute { attribute, operator, values, ignore_case } => {
            label("attribute", attribute)?;
            let compiled = Matcher::compile(*operator, values, *ignore_case);
            compiled.map(drop).map_err(|wrong| wrong.said(attribute, place == Place::Segment))
        }
    }
}
