//! What an evaluation answers, in OpenFeature's terms.

use std::fmt;
use std::sync::Arc;

/// A value that a flag can serve. Cloning it does not allocate.
#[derive(Clone, Debug, PartialEq)]
pub enum FlagValue {
    /// Yes or no.
    Bool(bool),
    /// Text.
    Text(Arc<str>),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Anything else: an object, an array, or null.
    Json(Arc<serde_json::Value>),
}

impl FlagValue {
    pub(crate) fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(float)) => Self::Float(float),
                (None, None) => Self::Json(Arc::new(value.clone())),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Json(Arc::new(value.clone())),
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Bool(value) => (*value).into(),
            Self::Text(text) => (**text).into(),
            Self::Integer(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Json(value) => (**value).clone(),
        }
    }
}

/// Why a value was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The flag has no rules and serves everybody the same.
    Static,
    /// No rule matched.
    Default,
    /// A rule matched.
    TargetingMatch,
    /// The user's bucket decided.
    Split,
    /// It is off for everybody: switched off, archived, in another environment, outside its schedule, or because a
    /// prerequisite does not hold.
    Disabled,
    /// There is no answer; the error code says why, and the caller's default counts.
    Error,
}

impl Reason {
    /// As OpenFeature writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Default => "DEFAULT",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No flag of this name is known.
    FlagNotFound,
    /// It serves a share of users, and the user has no id, or not the attribute that it deals by.
    TargetingKeyMissing,
    /// Its value has another type than was asked for.
    TypeMismatch,
    /// Its definition cannot be used: it is part of a circle of prerequisites, or names a segment that is not there.
    ParseError,
}

impl ErrorCode {
    /// As OpenFeature writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::ParseError => "PARSE_ERROR",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Whether it is on for this user; `None`: the caller's default counts. It may be on although nothing identifies the user by whom
    /// a variant could be drawn: then there is an error and no value.
    pub enabled: Option<bool>,
    /// What is served; `None`: the caller's default counts.
    pub value: Option<FlagValue>,
    /// The variant's name; a plain switch has `on` and `off`.
    pub variant: Option<Arc<str>>,
    /// Why.
    pub reason: Reason,
    /// Why not, with [`Reason::Error`].
    pub error: Option<ErrorCode>,
    /// The flag's version; 0 if there is no such flag.
    pub version: u64,
}

impl Evaluation {
    /// There is no answer.
    pub(crate) const fn error(error: ErrorCode, version: u64) -> Self {
        Self { enabled: None, value: None, variant: None, reason: Reason::Error, error: Some(error), version }
    }
}

/// A value of the type that was asked for: the flag's, or the caller's default.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<T> {
    /// The value.
    pub value: T,
    /// The variant's name; `None` with the caller's default.
    pub variant: Option<Arc<str>>,
    /// Why.
    pub reason: Reason,
    /// Why not, with [`Reason::Error`].
    pub error: Option<ErrorCode>,
    /// The flag's version; 0 if there is no such flag.
    pub version: u64,
}

impl<T> Resolved<T> {
    /// The evaluation's value if it is of this type, else the default.
    pub(crate) fn of(evaluation: Evaluation, default: T, read: impl FnOnce(FlagValue) -> Option<T>) -> Self {
        let Evaluation { value, variant, reason, error, version, .. } = evaluation;
        let Some(value) = value else { return Self { value: default, variant: None, reason, error, version } };
        match read(value) {
            Some(value) => Self { value, variant, reason, error, version },
            None => {
                let error = Some(ErrorCode::TypeMismatch);
                Self { value: default, variant: None, reason: Reason::Error, error, version }
            }
        }
    }
}
