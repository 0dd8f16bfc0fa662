//! Conditions: whether they can be compiled.

use super::Check;
use super::text::{extra, label, name};
use crate::condition::Matcher;
use crate::model::{Condition, ModelError, Operator, Test, limits};

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

/// Whether few enough of a flag's or a segment's conditions have regular expressions.
pub(super) fn expressions<'a>(place: &str, conditions: impl Iterator<Item = &'a Condition>) -> Check {
    let is_one = |condition: &&Condition| matches!(condition.test, Test::Attribute { operator: Operator::Matches, .. });
    let (count, most) = (conditions.filter(is_one).count(), limits::EXPRESSION_CONDITIONS);
    if count <= most {
        return Ok(());
    }
    let problem =
        format_args!("has {count} conditions with `matches`; at most {most}, put the expressions of several into one");
    Err(ModelError::new(place, problem))
}
