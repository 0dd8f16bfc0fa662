//! A segment: a named group of users that several flags share.

use super::{Condition, Extra};

/// A named group of users.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// Unique; as a flag's name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Ids of users who are in it whatever else holds, but for `exclude`.
    pub include: Vec<String>,
    /// Ids of users who are not in it whatever else holds.
    pub exclude: Vec<String>,
    /// In it is also everybody for whom all conditions of one group hold. Conditions on segments are refused here.
    pub any: Vec<Vec<Condition>>,
    /// Counts its changes, from 1.
    pub version: u64,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}
