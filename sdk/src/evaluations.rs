//! The questions that can be asked, the same of [`crate::Flags`], [`crate::Pinned`] and [`crate::Snapshot`].

#[cfg(feature = "unique-users")]
use crate::context::Scratch;
use crate::context::Subject;
use crate::flags::counters::Counters;
use crate::snapshot::Snapshot;
use crate::snapshot::entry::{Entry, UNCOUNTED};

/// Something that has a snapshot, and perhaps counts.
pub(crate) trait Access {
    /// Which [`crate::Flags`] the snapshot belongs to; 0 for none.
    #[inline]
    fn identity(&self) -> u32 {
        0
    }

    /// Hands over the snapshot and where to count.
    fn with<T>(&self, then: impl Fn(&Snapshot, Counting<'_>) -> T) -> T;
}

/// Where answers are counted, if they are.
#[derive(Clone, Copy)]
pub(crate) struct Counting<'a>(Option<&'a Counters>);

impl<'a> Counting<'a> {
    #[inline]
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) const fn on(counters: &'a Counters) -> Self {
        Self(Some(counters))
    }

    /// Adds one to one of a flag's counts, and notes who it was where that is wanted.
    #[inline]
    #[cfg_attr(not(feature = "unique-users"), expect(unused_variables, reason = "nobody is noted"))]
    pub(crate) fn count<S: Subject>(self, entry: &Entry, which: u32, user: &S) {
        if let Some(counters) = self.0
            && entry.counter() != UNCOUNTED
        {
            counters.add(entry.counter() + which);
            #[cfg(feature = "unique-users")]
            if let Some(noted) = counters.noted() {
                noted.note(entry.counter() + which, user.id(&mut Scratch::default()));
            }
        }
    }
}

/// Writes the questions as methods of a type that is [`Access`].
macro_rules! evaluations {
    ($type:ty) => {
        impl $type {
            /// Whether a flag is on for a user. Where there is no answer (the flag is not known, or it serves a share of users and
            /// nobody is known): the default that the flag is declared with, false for a name as text.
            #[inline]
            pub fn is_enabled(&self, user: impl $crate::Subject, flag: impl $crate::Name) -> bool {
                let default = flag.default();
                self.is_enabled_or(user, flag, default)
            }

            /// The same with this default.
            #[inline]
            pub fn is_enabled_or(&self, user: impl $crate::Subject, flag: impl $crate::Name, default: bool) -> bool {
                $crate::evaluations::Access::with(self, |snapshot, counting| {
                    let number = flag.number(snapshot, || $crate::evaluations::Access::identity(self));
                    let Some(entry) = number.and_then(|number| snapshot.entry(number)) else { return default };
                    let (is_on, count) = snapshot.decide(entry, &user);
                    counting.count(entry, count, &user);
                    is_on.unwrap_or(default)
                })
            }

            /// The whole answer: value, variant, reason. Does not allocate.
            pub fn evaluate(&self, user: impl $crate::Subject, flag: impl $crate::Name) -> $crate::Evaluation {
                $crate::evaluations::Access::with(self, |snapshot, counting| {
                    let number = flag.number(snapshot, || $crate::evaluations::Access::identity(self));
                    let Some(entry) = number.and_then(|number| snapshot.entry(number)) else {
                        return $crate::Evaluation::error($crate::ErrorCode::FlagNotFound, 0);
                    };
                    let (evaluation, count) = snapshot.evaluate_entry(entry, &user);
                    counting.count(entry, count, &user);
                    evaluation
                })
            }

            /// The flag's value as a bool, or the default.
            pub fn bool(
                &self,
                user: impl $crate::Subject,
                flag: impl $crate::Name,
                default: bool,
            ) -> $crate::Resolved<bool> {
                $crate::Resolved::of(self.evaluate(user, flag), default, |value| match value {
                    $crate::FlagValue::Bool(value) => Some(value),
                    _ => None,
                })
            }

            /// The flag's value as text, or the default.
            pub fn text(
                &self,
                user: impl $crate::Subject,
                flag: impl $crate::Name,
                default: impl Into<std::sync::Arc<str>>,
            ) -> $crate::Resolved<std::sync::Arc<str>> {
                $crate::Resolved::of(self.evaluate(user, flag), default.into(), |value| match value {
                    $crate::FlagValue::Text(text) => Some(text),
                    _ => None,
                })
            }

            /// The flag's value as a whole number, or the default. A number with a fraction is of another type.
            pub fn integer(
                &self,
                user: impl $crate::Subject,
                flag: impl $crate::Name,
                default: i64,
            ) -> $crate::Resolved<i64> {
                $crate::Resolved::of(self.evaluate(user, flag), default, |value| match value {
                    $crate::FlagValue::Integer(value) => Some(value),
                    _ => None,
                })
            }

            /// The flag's value as a number, or the default.
            pub fn float(
                &self,
                user: impl $crate::Subject,
                flag: impl $crate::Name,
                default: f64,
            ) -> $crate::Resolved<f64> {
                $crate::Resolved::of(self.evaluate(user, flag), default, |value| match value {
                    $crate::FlagValue::Float(value) => Some(value),
                    #[expect(clippy::cast_precision_loss, reason = "what a number without a fraction is as a float")]
                    $crate::FlagValue::Integer(value) => Some(value as f64),
                    _ => None,
                })
            }

            /// The flag's value as JSON, whatever it is, or the default.
            pub fn json(
                &self,
                user: impl $crate::Subject,
                flag: impl $crate::Name,
                default: serde_json::Value,
            ) -> $crate::Resolved<serde_json::Value> {
                $crate::Resolved::of(self.evaluate(user, flag), default, |value| Some(value.to_json()))
            }
        }
    };
}

pub(crate) use evaluations;
