//! Flags for the tests of applications: made in a line, changed for one test or one user, without anything global.
//!
//! Each test makes its own [`Flags`] and hands them to what it tests, so that tests which run side by side see nothing of each
//! other. Where they share one application, [`Overrides`] change a flag for one user, or for as long as a test says.

mod overrides;

use crate::catalog::Layer;
use crate::flags::Flags;
use crate::model::{Document, Flag, Percentage, Timestamp, Variant};
use crate::name::Name;
pub use overrides::{Override, Overrides};

/// Builds flags.
///
/// ```
/// use teal_flags::testing::TestFlags;
///
/// let flags = TestFlags::new().on("telehealth").off("billing").share("new-editor", 25).variant("theme", "dark").into_flags();
/// assert!(flags.is_enabled("user-7", "telehealth"));
/// assert!(!flags.is_enabled_or("user-7", "billing", true));
/// assert_eq!(&*flags.text("user-7", "theme", "light").value, "dark");
/// // What is not told is not known: the default counts.
/// assert!(flags.is_enabled_or("user-7", "unheard-of", true));
/// ```
///
/// The file that the application ships can be tested as it is:
///
/// ```
/// use teal_flags::{model::Document, testing::TestFlags};
///
/// let file = Document::from_json(br#"{"flags": [{"name": "telehealth", "enabled": true, "environments": ["prod"]}]}"#)?;
/// let flags = TestFlags::of(file).environment("prod").off("billing").into_flags();
/// assert!(flags.is_enabled("user-7", "telehealth"));
/// # Ok::<(), teal_flags::model::ModelError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is made before `into_flags` or `into_overrides`"]
pub struct TestFlags {
    document: Document,
    environment: Option<String>,
    now: Timestamp,
}

impl TestFlags {
    /// No flag is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The flags and segments of a document.
    pub fn of(document: Document) -> Self {
        Self { document, ..Self::default() }
    }

    /// On for everybody.
    pub fn on(self, flag: impl Name) -> Self {
        self.flag(Flag::new(flag.text()))
    }

    /// Off for everybody.
    pub fn off(self, flag: impl Name) -> Self {
        self.flag(Flag { enabled: false, ..Flag::new(flag.text()) })
    }

    /// On for so many percent of users. Which ones follows from the name and their ids, and is the same in production; a test that
    /// needs one user on and another off is better served by [`Overrides::set_for`].
    ///
    /// # Panics
    /// More than 100.
    #[track_caller]
    pub fn share(self, flag: impl Name, percent: u32) -> Self {
        let share = Percentage::from_whole(percent);
        assert!(share.is_some(), "{percent} is not a percentage; it must be 0 to 100");
        self.flag(Flag { rollout_percentage: share.unwrap_or(Percentage::NONE), ..Flag::new(flag.text()) })
    }

    /// On for everybody, with one variant of this value. Its name is the value, as JSON where it is no text.
    pub fn variant(self, flag: impl Name, value: impl Into<serde_json::Value>) -> Self {
        let value = value.into();
        self.flag(Flag { variants: vec![variant(value, 1)], ..Flag::new(flag.text()) })
    }

    /// Any flag, with rules and all. It takes the place of an earlier one of its name.
    pub fn flag(mut self, flag: Flag) -> Self {
        self.document.flags.retain(|known| known.name != flag.name);
        self.document.flags.push(flag);
        self
    }

    /// In this environment. Without, flags that are meant for some environments only are off.
    pub fn environment(self, environment: impl Into<String>) -> Self {
        Self { environment: Some(environment.into()), ..self }
    }

    /// At this moment, which schedules, ramps and `current_time` go by; 1970 if not said. Go on from there with [`Flags::tick`].
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// The flags.
    ///
    /// # Panics
    /// One of them cannot be used as it was given; the text says which, and why.
    #[must_use]
    #[track_caller]
    pub fn into_flags(self) -> Flags {
        let flags = Flags::new(self.environment.as_deref());
        // Read once more, so that what the service would refuse does not pass here.
        let document = Document::from_value(self.document.to_value()).unwrap_or_default();
        let problems = flags.apply(Layer::File, document, self.now).problems;
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        flags
    }

    /// The flags, with overrides.
    ///
    /// # Panics
    /// As [`Self::into_flags`].
    #[must_use]
    #[track_caller]
    pub fn into_overrides(self) -> Overrides {
        let known = self.document.flags.clone();
        Overrides::new(self.into_flags(), known)
    }
}

/// A variant that is called as its value is.
fn variant(value: serde_json::Value, weight: u32) -> Variant {
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Variant { name, value, weight, extra: serde_json::Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Operator, Rule, Schedule};
    use crate::{ErrorCode, Reason};

    #[test]
    fn each_kind_of_flag_answers_as_it_is_called() {
        let flags = TestFlags::new().on("on").off("off").share("share", 30).variant("count", 3).into_flags();
        assert!(flags.is_enabled((), "on") && !flags.is_enabled_or((), "off", true));
        let on = (0..1000_u32).filter(|user| flags.is_enabled(*user, "share")).count();
        assert!((250..350).contains(&on), "{on}");
        let count = flags.integer((), "count", 1);
        assert_eq!((count.value, count.variant.as_deref(), count.reason), (3, Some("3"), Reason::Static));
        assert_eq!(flags.evaluate((), "unheard-of").error, Some(ErrorCode::FlagNotFound));
    }

    #[test]
    fn the_last_that_is_said_of_a_flag_counts() {
        assert!(TestFlags::new().off("a").on("a").into_flags().is_enabled((), "a"));
    }

    #[test]
    fn flags_that_are_made_apart_stay_apart() {
        let (one, other) = (TestFlags::new().on("a").into_flags(), TestFlags::new().off("a").into_flags());
        assert!(one.is_enabled((), "a") && !other.is_enabled((), "a"));
    }

    #[test]
    fn time_is_what_the_test_says_it_is() {
        let moment = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let schedule = Schedule { from: Some(moment(100)), ..Schedule::default() };
        let flags = TestFlags::new().flag(Flag { schedule, ..Flag::new("a") }).at(moment(99)).into_flags();
        assert!(!flags.is_enabled((), "a"));
        flags.tick(moment(100));
        assert!(flags.is_enabled((), "a"));
    }

    #[test]
    #[should_panic(expected = "flag `a`")]
    fn a_flag_that_names_a_missing_segment_is_not_passed_over() {
        let rule = Rule::new(vec![Condition::segment("nobody")]);
        let _ = TestFlags::new().flag(Flag { rules: vec![rule], ..Flag::new("a") }).into_flags();
    }

    #[test]
    #[should_panic(expected = "flag `Not A Name`")]
    fn nor_is_one_that_the_service_would_refuse() {
        let _ = TestFlags::new().on("Not A Name").into_flags();
    }

    #[test]
    #[should_panic(expected = "is not a number")]
    fn nor_one_with_a_condition_that_makes_no_sense() {
        let rule = Rule::new(vec![Condition::new("age", Operator::Less, ["young"])]);
        let _ = TestFlags::new().flag(Flag { rules: vec![rule], ..Flag::new("a") }).into_flags();
    }

    #[test]
    #[should_panic(expected = "101 is not a percentage")]
    fn nor_more_than_everybody() {
        let _ = TestFlags::new().share("a", 101);
    }
}
