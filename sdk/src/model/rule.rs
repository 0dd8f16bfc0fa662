//! A rule: who is meant, and what they get.

use super::{Condition, Extra, Percentage};
use crate::bucketing::Bucketing;

/// Users for whom all conditions hold get this, up to its own share of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// For people.
    pub name: String,
    /// All must hold; none means everybody.
    pub conditions: Vec<Condition>,
    /// The share of those it matches who get it.
    pub percentage: Percentage,
    /// What they get.
    pub serve: Serve,
    /// What becomes of those it matches who are outside its share.
    pub otherwise: Otherwise,
    /// Instead of the flag's salt.
    pub salt: Option<String>,
    /// Instead of the flag's bucketing.
    pub bucketing: Option<Bucketing>,
    /// Instead of the flag's stickiness; empty means the flag's.
    pub stickiness: Vec<String>,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

impl Rule {
    /// Everybody for whom these hold gets the flag as it serves all.
    #[must_use]
    pub fn new(conditions: Vec<Condition>) -> Self {
        Self {
            name: String::new(),
            conditions,
            percentage: Percentage::ALL,
            serve: Serve::Flag,
            otherwise: Otherwise::Off,
            salt: None,
            bucketing: None,
            stickiness: Vec::new(),
            extra: Extra::new(),
        }
    }
}

/// What a rule serves to those within its share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serve {
    /// On; of the flag's variants by their weights, where it has some.
    Flag,
    /// On, with this variant.
    Variant(String),
    /// On, with one of these by weight, dealt in this order: (variant's name, weight).
    Split(Vec<(String, u32)>),
    /// Off.
    Off,
}

/// What becomes of users who match a rule and are outside its share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// Off: the first rule that matches decides.
    #[default]
    Off,
    /// The next rule is tried, then the roll-out percentage.
    Next,
}
