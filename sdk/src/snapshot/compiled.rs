//! A flag, compiled: names are numbers, conditions are matchers, time has been applied.

use std::sync::Arc;

use super::entry::Plan;
use super::few::Few;
use crate::bucketing::{Bucketing, bucket_behind};
use crate::condition::Matcher;
use crate::model::Percentage;
use crate::value::FlagValue;

/// A flag at a moment, in an environment.
///
/// What most answers need comes first, in one cache line; so it is with all that follows here.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Compiled {
    /// Off for everybody, at this moment and in this environment.
    pub(crate) off: bool,
    /// A plain switch: the first variant is true, the second false.
    pub(crate) is_switch: bool,
    /// A plain switch that is dealt by the user's id throughout, and stands on no other flag.
    pub(crate) is_plain: bool,
    pub(crate) client_visible: bool,
    /// Which variant is served while it is off.
    pub(crate) off_variant: Option<u32>,
    pub(crate) prerequisites: Box<[Prerequisite]>,
    pub(crate) rules: Few<Rule>,
    /// What can be served; of a plain switch `on` and `off`.
    pub(crate) variants: Box<[Variant]>,
    pub(crate) version: u64,
    /// For whom no rule decides.
    pub(crate) rest: Share,
}

/// Something to serve.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) name: Arc<str>,
    pub(crate) value: FlagValue,
}

/// Another flag, by its number, and what it must answer.
#[derive(Debug)]
pub(crate) struct Prerequisite {
    pub(crate) number: u32,
    pub(crate) required: Required,
}

/// What a prerequisite must answer.
#[derive(Debug)]
pub(crate) enum Required {
    On,
    Off,
    OneOf(Box<[Box<str>]>),
}

/// Who is meant, and what they get.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Rule {
    pub(crate) conditions: Few<Condition>,
    /// Those outside the share go on to the next rule.
    pub(crate) otherwise_next: bool,
    pub(crate) share: Share,
}

/// One thing that must hold.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Condition {
    pub(crate) negate: bool,
    pub(crate) test: Test,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Test {
    /// Of the user's id.
    Id(Matcher),
    /// Of the moment, unless the user has an attribute `current_time`.
    CurrentTime(Matcher),
    /// Of an attribute.
    /// The name is shared by all flags that ask for it, so that it is near at hand.
    Attribute(Arc<str>, Matcher),
    /// Whether the user is in a segment.
    Segment(Arc<Segment>),
}

/// A group of users.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Sorted.
    pub(crate) include: Box<[Box<str>]>,
    /// Sorted.
    pub(crate) exclude: Box<[Box<str>]>,
    pub(crate) any: Box<[Box<[Condition]>]>,
}

/// A share of users and what they are served.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Share {
    pub(crate) percentage: Percentage,
    pub(crate) dealing: Dealing,
    pub(crate) serve: Serve,
    /// What variants are drawn by, where it is something else than the share: a rule with a salt of its own serves the flag's
    /// variants as everybody gets them.
    pub(crate) drawn_by: Option<Box<Dealing>>,
}

/// How users are dealt into buckets.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Dealing {
    /// The stickiness is the id alone.
    pub(crate) by_id: bool,
    /// Length of `salt:`; 0 with other bucketings than `teal1`.
    prefix_length: u8,
    /// `salt:` with room behind it, for `teal1`.
    prefix: [u8; PREFIX],
    pub(crate) bucketing: Bucketing,
    pub(crate) salt: Box<str>,
    /// Attributes, the first present one identifies the user; `None` is the id.
    pub(crate) stickiness: Box<[Option<Box<str>>]>,
}

/// A salt of 64 bytes, a colon, and 16 noughts.
const PREFIX: usize = 81;

impl Dealing {
    pub(crate) fn new(bucketing: Bucketing, salt: &str, stickiness: Box<[Option<Box<str>>]>) -> Self {
        let is_short = bucketing == Bucketing::Teal1 && salt.len() + 1 + 16 <= PREFIX;
        let prefix_length = u8::try_from(salt.len() + 1).ok().filter(|_| is_short).unwrap_or(0);
        let mut prefix = [0; PREFIX];
        let text = salt.bytes().chain([b':']).take(prefix_length.into());
        prefix.iter_mut().zip(text).for_each(|(room, byte)| *room = byte);
        let by_id = *stickiness == [None];
        Self { by_id, prefix_length, prefix, bucketing, salt: salt.into(), stickiness }
    }

    /// Whether a value is in a share.
    #[inline]
    pub(crate) fn includes(&self, value: &str, share: Percentage) -> bool {
        if self.prefix_length == 0 {
            return self.bucketing.includes(&self.salt, value, share);
        }
        bucket_behind(&self.prefix, self.prefix_length.into(), value) < share.thousandths()
    }
}

/// What is served.
#[derive(Debug)]
pub(crate) enum Serve {
    /// Off.
    Off,
    /// This variant.
    Fixed(u32),
    /// One of these by weight: (the sum of the weights up to it, variant).
    Drawn(Box<[(u32, u32)]>),
}

impl Compiled {
    /// How it is answered, and the share with [`Plan::Split`].
    pub(crate) fn plan(&self) -> (Plan, Percentage) {
        let share = self.rest.percentage;
        let plan = if !self.is_switch || !matches!(self.rest.serve, Serve::Fixed(0)) {
            Plan::Full
        } else if self.off {
            Plan::Off
        } else if !self.prerequisites.is_empty() || !self.rules.as_slice().is_empty() {
            Plan::Full
        } else if share == Percentage::NONE {
            Plan::Off
        } else if share == Percentage::ALL {
            Plan::On
        } else if self.rest.dealing.bucketing == Bucketing::Teal1 && self.rest.dealing.by_id {
            Plan::Split
        } else {
            Plan::Full
        };
        (plan, share)
    }

    /// What deals users for whom no rule decides.
    pub(crate) fn salt(&self) -> &str {
        &self.rest.dealing.salt
    }

    /// How many counts it needs: of no variant, of each, and of callers' defaults.
    #[expect(clippy::cast_possible_truncation, reason = "at most 100 variants")]
    pub(crate) fn counts(&self) -> u32 {
        self.variants.len() as u32 + 2
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A plain switch that half of the users have.
    pub(crate) fn compiled(salt: &str) -> Compiled {
        let variant = |name: &str, value| Variant { name: name.into(), value: FlagValue::Bool(value) };
        let dealing = Dealing::new(Bucketing::Teal1, salt, [None].into());
        Compiled {
            version: 1,
            client_visible: false,
            off: false,
            is_switch: true,
            is_plain: true,
            variants: [variant("on", true), variant("off", false)].into(),
            off_variant: Some(1),
            prerequisites: [].into(),
            rules: vec![].into(),
            rest: Share {
                percentage: Percentage::from_whole(50).unwrap(),
                dealing,
                serve: Serve::Fixed(0),
                drawn_by: None,
            },
        }
    }

    #[test]
    fn plain_switches_are_told_from_what_needs_a_second_look() {
        let check = |change: &dyn Fn(&mut Compiled), plan| {
            let mut flag = compiled("salt");
            change(&mut flag);
            assert_eq!(flag.plan().0, plan);
        };
        check(&|_| (), Plan::Split);
        check(&|flag| flag.off = true, Plan::Off);
        check(&|flag| flag.rest.percentage = Percentage::NONE, Plan::Off);
        check(&|flag| flag.rest.percentage = Percentage::ALL, Plan::On);
        check(&|flag| flag.rest.dealing.bucketing = Bucketing::Unleash, Plan::Full);
        check(&|flag| flag.rest.dealing.by_id = false, Plan::Full);
        check(&|flag| flag.is_switch = false, Plan::Full);
        check(&|flag| flag.rest.serve = Serve::Drawn([(1, 0), (2, 1)].into()), Plan::Full);
        check(&|flag| flag.prerequisites = [Prerequisite { number: 1, required: Required::On }].into(), Plan::Full);
    }
}
