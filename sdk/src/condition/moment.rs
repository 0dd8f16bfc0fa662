//! Moments: RFC 3339 texts, or milliseconds since 1970.

use serde_json::Value;

use crate::context::Attribute;
use crate::model::Timestamp;

pub(super) fn compile(value: &Value) -> Result<i64, &'static str> {
    let moment = match value {
        Value::String(text) => text.parse().ok().map(Timestamp::millis),
        Value::Number(number) => number.as_i64().or_else(|| float(number.as_f64()?)),
        _ => None,
    };
    moment.ok_or("is not a moment; write it as 2026-11-28T09:00:00Z or 2026-11-28T16:00:00+07:00")
}

pub(super) fn of(attribute: Attribute<'_>) -> Option<i64> {
    match attribute {
        Attribute::Text(text) => text.parse().ok().map(Timestamp::millis),
        Attribute::Integer(millis) => Some(millis),
        Attribute::Float(millis) => float(millis),
        Attribute::Bool(_) | Attribute::List(_) | Attribute::Texts(_) => None,
    }
}

/// The millisecond; a moment that no `i64` holds is the first or the last of them.
#[expect(clippy::cast_possible_truncation, reason = "the cast stays at the ends of the range")]
fn float(millis: f64) -> Option<i64> {
    millis.is_finite().then(|| millis.floor() as i64)
}
