//! One feature flag.

use super::{Extra, Percentage, Rule, Schedule, Timestamp};
use crate::bucketing::Bucketing;

/// A feature flag with all that decides who gets what.
///
/// An answer is found in this order; the first that applies ends it:
///
/// 1. archived, switched off, another environment, outside its schedule: off
/// 2. a prerequisite that does not hold: off
/// 3. the first rule whose conditions all hold: its share decides (see [`Rule`])
/// 4. the roll-out percentage
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// The service's number for it; 0 where there is no service (files, tests).
    pub id: i64,
    /// Unique; `[a-z][a-z0-9_.-]{0,99}`.
    pub name: String,
    /// For people.
    pub description: String,
    /// The main switch.
    pub enabled: bool,
    /// The share of users for whom it is on where no rule says otherwise, or of the ramp's where there is one.
    pub rollout_percentage: Percentage,
    /// Deals users into buckets; flags and an edge canary with the same salt take the same users. `[A-Za-z0-9_.-]{1,100}`
    /// with the bucketing `teal1` (an edge takes 64), any text or none with the others; the flag's name where the JSON has none.
    pub salt: String,
    /// The function that deals them.
    pub bucketing: Bucketing,
    /// The attributes that identify who is dealt, the first present one counts; empty means the user's id.
    pub stickiness: Vec<String>,
    /// Where it applies; empty means everywhere.
    pub environments: Vec<String>,
    /// The first that matches decides.
    pub rules: Vec<Rule>,
    /// What can be served; empty means a plain switch, whose variants are called `on` (true) and `off` (false).
    pub variants: Vec<Variant>,
    /// The variant that is served while the flag is off; without it the caller's default, or false for a switch.
    pub off_variant: Option<String>,
    /// Flags that must answer as said for the same user.
    pub prerequisites: Vec<Prerequisite>,
    /// When it applies.
    pub schedule: Schedule,
    /// Whether browsers and mobile applications may be told of it. Its rules are never told.
    pub client_visible: bool,
    /// What it is for.
    pub kind: Kind,
    /// Out of use, kept for the record: answers as if switched off.
    pub archived: bool,
    /// Counts this flag's changes, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

impl Flag {
    /// A switch that is on for everybody. Change what should be different: `Flag { enabled: false, ..Flag::new("x") }`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: 0,
            salt: name.clone(),
            name,
            description: String::new(),
            enabled: true,
            rollout_percentage: Percentage::ALL,
            bucketing: Bucketing::Teal1,
            stickiness: Vec::new(),
            environments: Vec::new(),
            rules: Vec::new(),
            variants: Vec::new(),
            off_variant: None,
            prerequisites: Vec::new(),
            schedule: Schedule::default(),
            client_visible: false,
            kind: Kind::Release,
            archived: false,
            version: 1,
            created_at: None,
            updated_at: None,
            extra: Extra::new(),
        }
    }
}

/// One of the things that a flag can serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Unique within the flag.
    pub name: String,
    /// A bool, string, number, or any JSON. All variants of a flag should have one type.
    pub value: serde_json::Value,
    /// Its part of those who are served a variant by weight; relative to the others'.
    pub weight: u32,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

/// Another flag that must answer as said, for the same user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// The other flag's name.
    pub flag: String,
    /// What it must answer.
    pub required: Required,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

impl Prerequisite {
    /// The other flag must be on.
    #[must_use]
    pub fn on(flag: impl Into<String>) -> Self {
        Self { flag: flag.into(), required: Required::On, extra: Extra::new() }
    }
}

/// What a prerequisite must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// It is on.
    On,
    /// It is off.
    Off,
    /// It is on and serves one of these variants.
    OneOf(Vec<String>),
}

/// What a flag is for; for people and reports, it decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Rolls something out, and is removed when it is.
    #[default]
    Release,
    /// Compares variants.
    Experiment,
    /// Switches something off in need; may stay for ever.
    Operational,
    /// Says who may use something; may stay for ever.
    Permission,
}

impl Kind {
    /// Each with its name in JSON.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Release, "release"),
        (Self::Experiment, "experiment"),
        (Self::Operational, "operational"),
        (Self::Permission, "permission"),
    ];
}
