//! Constraints as conditions.

use serde_json::Value;

use crate::import::report::Report;
use crate::import::{fits, texts};
use crate::model::{Condition, Operator, Test, Timestamp};

/// What makes a strategy or segment apply to nobody.
pub(super) struct Never;

/// Our name of an attribute.
pub(super) fn attribute(name: &str) -> &str {
    match name {
        "userId" => "user_id",
        "currentTime" => "current_time",
        other => other,
    }
}

/// All constraints of a strategy or segment.
pub(super) fn constraints(json: Option<&Value>, report: &mut Report) -> Result<Vec<Condition>, Never> {
    json.and_then(Value::as_array).into_iter().flatten().map(|one| constraint(one, report)).collect()
}

fn constraint(json: &Value, report: &mut Report) -> Result<Condition, Never> {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let (name, operator) = (text("contextName").unwrap_or_default(), text("operator").unwrap_or_default());
    let mut never = |what: String| {
        report.find(what, "what it restricts applies to nobody, as in Unleash");
        Never
    };
    let Some((ours, kind)) = kind_of(operator) else {
        return Err(never(format!("the operator {operator:?} is not known")));
    };
    let given = match kind {
        Kind::Texts | Kind::Networks => texts(json.get("values")),
        _ => text("value").map(str::to_owned).into_iter().collect(),
    };
    let values: Vec<Value> = given.iter().filter_map(|value| kind.read(value, ours)).collect();
    if values.len() < given.len() && kind == Kind::Networks {
        report.find(format_args!("some networks of {name:?} are not valid"), "they are left out, as in Unleash");
    } else if values.len() < given.len() || given.is_empty() && kind.needs_a_value() {
        return Err(never(format!("the value that {name:?} is compared with by {operator} is not valid")));
    }
    let inverted = json.get("inverted").and_then(Value::as_bool).unwrap_or(false);
    let takes_case = matches!(kind, Kind::Texts | Kind::Expression) && ours != Operator::In;
    let ignore_case = takes_case && json.get("caseInsensitive").and_then(Value::as_bool).unwrap_or(false);
    let test = Test::Attribute { attribute: attribute(name).to_owned(), operator: ours, values, ignore_case };
    Ok(Condition { test, negate: inverted != (operator == "NOT_IN"), ..Condition::segment("") })
}

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Texts,
    Networks,
    Number,
    Version,
    Moment,
    Expression,
}

fn kind_of(operator: &str) -> Option<(Operator, Kind)> {
    Some(match operator {
        "IN" | "NOT_IN" => (Operator::In, Kind::Texts),
        "STR_STARTS_WITH" => (Operator::StartsWith, Kind::Texts),
        "STR_ENDS_WITH" => (Operator::EndsWith, Kind::Texts),
        "STR_CONTAINS" => (Operator::Contains, Kind::Texts),
        "NUM_EQ" => (Operator::Equal, Kind::Number),
        "NUM_LT" => (Operator::Less, Kind::Number),
        "NUM_LTE" => (Operator::LessOrEqual, Kind::Number),
        "NUM_GT" => (Operator::Greater, Kind::Number),
        "NUM_GTE" => (Operator::GreaterOrEqual, Kind::Number),
        "SEMVER_EQ" => (Operator::SemverEqual, Kind::Version),
        "SEMVER_LT" => (Operator::SemverLess, Kind::Version),
        "SEMVER_LTE" => (Operator::SemverLessOrEqual, Kind::Version),
        "SEMVER_GT" => (Operator::SemverGreater, Kind::Version),
        "SEMVER_GTE" => (Operator::SemverGreaterOrEqual, Kind::Version),
        "DATE_BEFORE" => (Operator::Before, Kind::Moment),
        "DATE_AFTER" => (Operator::After, Kind::Moment),
        "REGEX" => (Operator::Matches, Kind::Expression),
        "IN_CIDR" => (Operator::Cidr, Kind::Networks),
        _ => return None,
    })
}

impl Kind {
    fn needs_a_value(self) -> bool {
        !matches!(self, Self::Texts | Self::Networks)
    }

    fn read(self, value: &str, operator: Operator) -> Option<Value> {
        let read = match self {
            Self::Texts | Self::Expression => value.into(),
            Self::Networks => value.trim().into(),
            Self::Number => value.trim().parse().map_or_else(|_| value.trim().into(), Value::Number),
            // Unleash knows neither `v1.2.3` nor `1.2`.
            Self::Version if value.starts_with(['v', 'V']) => return None,
            Self::Version if value.split(['-', '+']).next()?.split('.').count() != 3 => return None,
            Self::Version => value.into(),
            Self::Moment => {
                let moment: Timestamp = value.parse().ok()?;
                // Theirs is after, ours is at or after.
                let shift = i64::from(operator == Operator::After);
                Timestamp::from_millis(moment.millis().saturating_add(shift)).to_string().into()
            }
        };
        fits(operator, &read).then_some(read)
    }
}
