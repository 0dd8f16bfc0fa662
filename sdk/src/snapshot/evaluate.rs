//! The answer of a flag for a user: pure, total, bounded, and without an allocation.

use super::Snapshot;
use super::compiled::{Compiled, Condition, Dealing, Required, Rule, Segment, Serve, Share, Test};
use crate::context::{Attribute, Scratch, Subject};
use crate::model::Percentage;
use crate::value::{ErrorCode, FlagValue, Reason};

/// What came out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is on, with this variant.
    On(u32),
    /// It is on, and nothing identifies the user by whom a variant could be drawn: the caller's default counts as its value.
    Undrawn,
    /// It is off, with this variant if one is named for that.
    Off(Option<u32>),
    /// The caller's default counts.
    Error(ErrorCode),
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) subject: &'a dyn Subject,
}

impl<'a> Who<'a> {
    fn attribute(self, name: &str) -> Option<Attribute<'a>> {
        self.subject.attribute(name)
    }
}

impl Compiled {
    /// What this flag answers.
    pub(crate) fn answer(&self, snapshot: &Snapshot, who: Who<'_>) -> Answer {
        if self.off || !self.prerequisites_hold(snapshot, who) {
            return self.is_off(Reason::Disabled);
        }
        for rule in self.rules.as_slice() {
            if !rule.matches(snapshot, who) {
                continue;
            }
            if let Some(answer) = self.by_rule(rule, who) {
                return answer;
            }
        }
        let plain = if self.rules.as_slice().is_empty() && self.prerequisites.is_empty() {
            Reason::Static
        } else {
            Reason::Default
        };
        match self.rest.takes(who) {
            Ok(true) => self.served(&self.rest, who, plain),
            Ok(false) if self.rest.percentage == Percentage::NONE => self.is_off(plain),
            Ok(false) => self.is_off(Reason::Split),
            Err(error) => error.into(),
        }
    }

    /// Whether a flag is on, and which of its counts that adds to: as [`Compiled::answer`] says it.
    ///
    /// Most flags deal a plain switch by the user's id. They are decided without a branch on the bucket: no processor can foresee
    /// on which side a user is, and a wrong guess costs as much as the hash.
    #[inline]
    pub(crate) fn decide(&self, snapshot: &Snapshot, who: Who<'_>) -> (Option<bool>, u32) {
        if !self.is_plain || self.off {
            let Answer { outcome, .. } = self.answer(snapshot, who);
            return (self.is_enabled(outcome), self.count_of(outcome));
        }
        let rule = self.rules.as_slice().iter().find(|rule| rule.matches(snapshot, who));
        let Share { percentage, dealing, .. } = rule.map_or(&self.rest, |rule| &rule.share);
        let is_on = match *percentage {
            Percentage::NONE => false,
            Percentage::ALL => true,
            share => match who.id.filter(|id| !id.is_empty()) {
                Some(id) => dealing.includes(id, share),
                None => return (None, self.count_of(Outcome::Error(ErrorCode::TargetingKeyMissing))),
            },
        };
        (Some(is_on), 2 - u32::from(is_on))
    }

    /// What a rule that matches answers; `None`: the next one is asked.
    #[inline]
    fn by_rule(&self, rule: &Rule, who: Who<'_>) -> Option<Answer> {
        match rule.share.takes(who) {
            Ok(true) => Some(self.served(&rule.share, who, Reason::TargetingMatch)),
            Ok(false) if rule.otherwise_next => None,
            Ok(false) if rule.share.percentage == Percentage::NONE => Some(self.is_off(Reason::TargetingMatch)),
            Ok(false) => Some(self.is_off(Reason::Split)),
            // Somebody whom nothing identifies is in nobody's share.
            Err(_) if rule.otherwise_next => None,
            Err(error) => Some(error.into()),
        }
    }

    fn prerequisites_hold(&self, snapshot: &Snapshot, who: Who<'_>) -> bool {
        self.prerequisites.iter().all(|prerequisite| {
            // The catalog lets no circle and no endless work through. What is not known or broken holds nothing.
            let Some(flag) = snapshot.compiled(prerequisite.number) else { return false };
            let outcome = flag.answer(snapshot, who).outcome;
            match (&prerequisite.required, outcome) {
                (Required::On, outcome) => flag.is_enabled(outcome) == Some(true),
                (Required::Off, outcome) => flag.is_enabled(outcome) == Some(false),
                (Required::OneOf(names), Outcome::On(variant)) => flag
                    .variants
                    .get(variant as usize)
                    .is_some_and(|variant| names.iter().any(|name| **name == *variant.name)),
                (Required::OneOf(_), Outcome::Undrawn | Outcome::Off(_) | Outcome::Error(_)) => false,
            }
        })
    }

    /// Those who are in a share get this.
    #[inline]
    fn served(&self, share: &Share, who: Who<'_>, certain: Reason) -> Answer {
        let reason = if share.percentage == Percentage::ALL { certain } else { Reason::Split };
        match &share.serve {
            Serve::Off => self.is_off(reason),
            Serve::Fixed(variant) => Answer { outcome: Outcome::On(*variant), reason },
            Serve::Drawn(weights) => match share.draw(weights, who) {
                Some(variant) => Answer { outcome: Outcome::On(variant), reason: Reason::Split },
                None => Answer { outcome: Outcome::Undrawn, reason: Reason::Error },
            },
        }
    }

    fn is_off(&self, reason: Reason) -> Answer {
        Answer { outcome: Outcome::Off(self.off_variant), reason }
    }

    /// Whether that means on; `None`: the caller's default. A variant that is a bool says so itself.
    #[inline]
    pub(crate) fn is_enabled(&self, outcome: Outcome) -> Option<bool> {
        let said = |variant: u32| match self.variants.get(variant as usize).map(|variant| &variant.value) {
            Some(FlagValue::Bool(value)) => Some(*value),
            _ => None,
        };
        match outcome {
            // Without a look at the variants, which lie elsewhere.
            Outcome::On(variant) | Outcome::Off(Some(variant)) if self.is_switch => Some(variant == 0),
            Outcome::On(variant) => Some(said(variant).unwrap_or(true)),
            // On with any of them, unless they are bools of which nobody knows which.
            Outcome::Undrawn => (0..).zip(&self.variants).all(|(variant, _)| said(variant).is_none()).then_some(true),
            Outcome::Off(variant) => Some(variant.and_then(said).unwrap_or(false)),
            Outcome::Error(_) => None,
        }
    }

    /// Which of its counts that adds to.
    #[inline]
    pub(crate) fn count_of(&self, outcome: Outcome) -> u32 {
        match outcome {
            Outcome::Off(None) => 0,
            Outcome::On(variant) | Outcome::Off(Some(variant)) => 1 + variant,
            Outcome::Undrawn | Outcome::Error(_) => self.counts() - 1,
        }
    }
}

impl From<ErrorCode> for Answer {
    fn from(error: ErrorCode) -> Self {
        Self { outcome: Outcome::Error(error), reason: Reason::Error }
    }
}

impl Rule {
    #[inline]
    fn matches(&self, snapshot: &Snapshot, who: Who<'_>) -> bool {
        self.conditions.as_slice().iter().all(|condition| condition.holds(snapshot, who))
    }
}

impl Share {
    /// Whether the user is in it. All and none need nobody to be known.
    #[inline]
    fn takes(&self, who: Who<'_>) -> Result<bool, ErrorCode> {
        match self.percentage {
            Percentage::NONE => Ok(false),
            Percentage::ALL => Ok(true),
            share if self.dealing.by_id => {
                let id = who.id.filter(|id| !id.is_empty()).ok_or(ErrorCode::TargetingKeyMissing)?;
                Ok(self.dealing.includes(id, share))
            }
            share => {
                let dealing = &self.dealing;
                let taken = dealing.with_key(who, |key| dealing.includes(key, share));
                taken.ok_or(ErrorCode::TargetingKeyMissing)
            }
        }
    }

    /// One of the variants, by weight.
    fn draw(&self, weights: &[(u32, u32)], who: Who<'_>) -> Option<u32> {
        let (total, last) = *weights.last()?;
        // Where others deal the variants than the share, they deal everybody.
        let (dealing, share) = match &self.drawn_by {
            Some(dealing) => (&**dealing, Percentage::ALL),
            None => (&self.dealing, self.percentage),
        };
        let draw = |key: &str| dealing.bucketing.draw(&dealing.salt, key, share, total);
        let place = dealing.with_key(who, draw)?;
        Some(weights.iter().find(|(end, _)| place < *end).map_or(last, |(_, variant)| *variant))
    }
}

impl Dealing {
    /// Hands over what identifies the user: the first stickiness attribute that is there and is a text, a whole number or
    /// a bool.
    fn with_key<T>(&self, who: Who<'_>, then: impl FnOnce(&str) -> T) -> Option<T> {
        let mut scratch = Scratch::default();
        for attribute in &self.stickiness {
            let key = match attribute.as_deref() {
                None => who.id,
                Some(name) => match who.attribute(name) {
                    Some(Attribute::Text(text)) => Some(text),
                    Some(Attribute::Integer(value)) => return Some(then(scratch.integer(value))),
                    Some(Attribute::Bool(value)) => Some(if value { "true" } else { "false" }),
                    Some(Attribute::Float(_) | Attribute::List(_) | Attribute::Texts(_)) | None => None,
                },
            };
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                return Some(then(key));
            }
        }
        None
    }
}

impl Condition {
    #[inline]
    fn holds(&self, snapshot: &Snapshot, who: Who<'_>) -> bool {
        let holds = match &self.test {
            Test::Id(matcher) => who.id.is_some_and(|id| matcher.matches(Attribute::Text(id))),
            Test::CurrentTime(matcher) => {
                let now = Attribute::Integer(snapshot.now().millis());
                matcher.matches(who.attribute("current_time").unwrap_or(now))
            }
            Test::Attribute(name, matcher) => who.attribute(name).is_some_and(|value| matcher.matches(value)),
            Test::Segment(segment) => segment.contains(snapshot, who),
        };
        holds != self.negate
    }
}

impl Segment {
    fn contains(&self, snapshot: &Snapshot, who: Who<'_>) -> bool {
        let listed =
            |ids: &[Box<str>]| who.id.is_some_and(|id| ids.binary_search_by(|known| (**known).cmp(id)).is_ok());
        if listed(&self.exclude) {
            return false;
        }
        let all = |conditions: &[Condition]| conditions.iter().all(|condition| condition.holds(snapshot, who));
        listed(&self.include) || self.any.iter().any(|conditions| all(conditions))
    }
}
