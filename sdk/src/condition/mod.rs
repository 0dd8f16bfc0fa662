//! Conditions on attributes: compiled once with a flag, then asked often.
//!
//! ```text
//! operator + values --compile--> Matcher --matches(attribute)--> bool
//!                    (or what is wrong with which value)
//! ```
//!
//! Asking does not allocate, does not panic, and takes time bounded by the limits below and the attribute's length. The
//! one exception is `matches`: a regular expression keeps room for its search in a pool of its own, behind a short lock.

mod bounds;
mod moment;
mod network;
mod number;
mod order;
mod pattern;
mod set;
mod text;
mod version;
mod wrong;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::context::Attribute;
use crate::model::Operator;

use network::Networks;
use number::Number;
use order::{Order, Relation};
use pattern::Patterns;
use set::Set;
use text::{Affix, Texts};
use version::Version;
pub(crate) use wrong::Wrong;

/// The compiled test of one attribute.
#[derive(Debug)]
pub(crate) struct Matcher(Test);

#[derive(Debug)]
enum Test {
    Exists,
    In(Set),
    Text(Texts),
    Pattern(Patterns),
    Number(Order<Number>),
    Version(Order<Version<Box<str>>>),
    Moment(Order<i64>),
    Network(Networks),
}

impl Matcher {
    /// Compiles an operator and its values. No values at all never match.
    ///
    /// # Errors
    /// Names the value that cannot be compared so, and what to write; the place is within the condition, as in `values[3]`.
    pub(crate) fn compile(operator: Operator, values: &[Value], ignore_case: bool) -> Result<Self, Wrong> {
        bounds::check(operator, values)?;
        let order = |relation| move |numbers| Order::new(relation, numbers);
        let numbers = |relation| each(values, Number::compile).map(order(relation)).map(Test::Number);
        let versions =
            |relation| each(values, version::compile).map(|all| Order::new(relation, all)).map(Test::Version);
        let moments = |relation| each(values, moment::compile).map(|all| Order::new(relation, all)).map(Test::Moment);
        let texts = |affix| each(values, text::compile).map(|all| Texts::new(affix, all, ignore_case)).map(Test::Text);
        Ok(Self(match operator {
            Operator::Exists => Test::Exists,
            Operator::In => Test::In(Set::compile(values, ignore_case)?),
            Operator::StartsWith => texts(Affix::Start)?,
            Operator::EndsWith => texts(Affix::End)?,
            Operator::Contains => texts(Affix::Anywhere)?,
            Operator::Matches => Test::Pattern(Patterns::compile(values, ignore_case)?),
            Operator::Equal => numbers(Relation::Equal)?,
            Operator::Less => numbers(Relation::Less)?,
            Operator::LessOrEqual => numbers(Relation::LessOrEqual)?,
            Operator::Greater => numbers(Relation::Greater)?,
            Operator::GreaterOrEqual => numbers(Relation::GreaterOrEqual)?,
            Operator::SemverEqual => versions(Relation::Equal)?,
            Operator::SemverLess => versions(Relation::Less)?,
            Operator::SemverLessOrEqual => versions(Relation::LessOrEqual)?,
            Operator::SemverGreater => versions(Relation::Greater)?,
            Operator::SemverGreaterOrEqual => versions(Relation::GreaterOrEqual)?,
            Operator::Before => moments(Relation::Less)?,
            Operator::After => moments(Relation::GreaterOrEqual)?,
            Operator::Cidr => Test::Network(each(values, network::compile).map(Networks::new)?),
        }))
    }

    /// Whether it holds of this attribute; of a list, whether it holds of one member. What cannot be compared does not match.
    #[inline]
    pub(crate) fn matches(&self, attribute: Attribute<'_>) -> bool {
        match (&self.0, attribute) {
            (Test::Exists, _) => true,
            (_, Attribute::List(members)) => members.iter().any(|member| self.holds(Attribute::Text(member))),
            (_, Attribute::Texts(members)) => members.iter().any(|member| self.holds(Attribute::Text(member))),
            (_, single) => self.holds(single),
        }
    }

    #[inline]
    fn holds(&self, attribute: Attribute<'_>) -> bool {
        match &self.0 {
            Test::In(set) => set.contains(attribute),
            _ => self.holds_otherwise(attribute),
        }
    }

    fn holds_otherwise(&self, attribute: Attribute<'_>) -> bool {
        match (&self.0, attribute) {
            (Test::Exists, _) => true,
            (Test::In(set), attribute) => set.contains(attribute),
            (Test::Text(texts), Attribute::Text(text)) => texts.fit(text),
            (Test::Pattern(patterns), Attribute::Text(text)) => patterns.fit(text),
            (Test::Number(order), attribute) => {
                Number::of(attribute).is_some_and(|number| order.holds(|value| value.cmp(&number)))
            }
            (Test::Version(order), Attribute::Text(text)) => {
                Version::read(text).is_some_and(|version| order.holds(|value| value.precedence(&version)))
            }
            (Test::Moment(order), attribute) => {
                moment::of(attribute).is_some_and(|moment| order.holds(|value| value.cmp(&moment)))
            }
            (Test::Network(networks), Attribute::Text(text)) => networks.contain(text),
            _ => false,
        }
    }
}

/// Compiles every value, or says which one cannot be.
fn each<T>(values: &[Value], compile: impl Fn(&Value) -> Result<T, &'static str>) -> Result<Vec<T>, Wrong> {
    let one = |(index, value)| compile(value).map_err(|problem| Wrong::value(index, value, problem));
    values.iter().enumerate().map(one).collect()
}
