//! Numbers, compared exactly: 9 007 199 254 740 993 is not 9 007 199 254 740 992.0.

use std::cmp::Ordering;

use serde_json::Value;

use crate::context::Attribute;

/// The longest text that is read as a number, in bytes.
const LONGEST: usize = 64;
/// 2^63, the first float above every `i64`.
const ABOVE: f64 = 9_223_372_036_854_775_808.0;

/// A finite number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// A whole number that an `i64` holds, however it was written: `7`, `7.0`, `"7e0"`.
    Whole(i64),
    /// Any other: with a fraction, or out of that range.
    Float(f64),
}

impl Number {
    pub(super) fn compile(value: &Value) -> Result<Self, &'static str> {
        let number = match value {
            Value::Number(number) => Self::of_json(number),
            Value::String(text) => Self::read(text),
            _ => None,
        };
        number.ok_or("is not a number; write it in digits, such as 18 or -0.5")
    }

    pub(super) fn of_json(number: &serde_json::Number) -> Option<Self> {
        number.as_i64().map(Self::Whole).or_else(|| Self::of_float(number.as_f64()?))
    }

    /// A number, or a text that reads as one.
    pub(super) fn of(attribute: Attribute<'_>) -> Option<Self> {
        match attribute {
            Attribute::Integer(whole) => Some(Self::Whole(whole)),
            Attribute::Float(float) => Self::of_float(float),
            Attribute::Text(text) => Self::read(text),
            Attribute::Bool(_) | Attribute::List(_) | Attribute::Texts(_) => None,
        }
    }

    /// `None` for what is no number, and for infinity.
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range of i64")]
    pub(super) fn of_float(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        let whole = float.fract() == 0.0 && (-ABOVE..ABOVE).contains(&float);
        Some(if whole { Self::Whole(float as i64) } else { Self::Float(float) })
    }

    /// A sign if any, digits with at most one point, an exponent if any; no spaces, at most 64 bytes.
    pub(super) fn read(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        if text.len() > LONGEST || !text.bytes().all(plain) {
            return None;
        }
        text.parse().map(Self::Whole).ok().or_else(|| Self::of_float(text.parse().ok()?))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            (Self::Whole(left), Self::Float(right)) => whole_to_float(*left, *right),
            (Self::Float(left), Self::Whole(right)) => whole_to_float(*right, *left).reverse(),
        }
    }
}

/// They are never equal: a `Float` has a fraction or is out of range.
#[expect(clippy::cast_possible_truncation, reason = "in range by the two arms above; below 2^53, where fractions end")]
fn whole_to_float(whole: i64, float: f64) -> Ordering {
    match float {
        _ if float >= ABOVE => Ordering::Less,
        _ if float < -ABOVE => Ordering::Greater,
        _ if whole <= float.floor() as i64 => Ordering::Less,
        _ => Ordering::Greater,
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}
