//! A condition: what must be true of a user.

use super::Extra;

/// One thing that must hold of a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is asked.
    pub test: Test,
    /// The answer is turned round, also when the attribute is missing or has another type: "not under 18" is true of
    /// somebody whose age is unknown. Add [`Operator::Exists`] where that is not meant.
    pub negate: bool,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Whether the user is in the segment of this name.
    Segment(String),
    /// Whether one of the values stands in this relation to the attribute.
    Attribute {
        /// The attribute's name; `user_id` is the user's id.
        attribute: String,
        /// The relation.
        operator: Operator,
        /// What it is compared with: texts, numbers or bools; any one of them suffices. None for `exists`.
        values: Vec<serde_json::Value>,
        /// Texts are compared without regard to case: Unicode lower case, character by character; of [`Operator::Matches`] ASCII only.
        /// Numbers, versions, moments and addresses know no case.
        ignore_case: bool,
    },
}

/// How an attribute is compared. A missing attribute, and one of a type that cannot be compared, never matches.
///
/// At most 10 000 values of 1 000 characters; 1 000 for [`Contains`](Self::Contains), 100 for [`Matches`](Self::Matches).
/// A text reads as a number when it is a sign if any, digits with at most one point, and an exponent if any, without spaces and in at
/// most 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The attribute is there, whatever it is. Takes no values.
    Exists,
    /// Equal to one of the values: texts as texts, numbers as numbers, bools as bools; a text that reads as a number, or is `true` or
    /// `false`, equals that number or bool, but two texts are equal as texts only (`"7"` equals 7, and not `"7.0"`). Of a list
    /// attribute one member suffices, here as with all that follow.
    In,
    /// Begins with one of the values.
    StartsWith,
    /// Ends with one of the values.
    EndsWith,
    /// Contains one of the values. An attribute of more than 4 096 bytes never matches.
    Contains,
    /// Matches one of the regular expressions anywhere (`regex-lite`: linear time; no look-around, no back references, no
    /// Unicode classes). At most 512 characters each, and 32 KiB compiled, less where there are more than eight: 256 KiB in
    /// all, shared evenly. An attribute of more than 4 096 bytes never matches.
    Matches,
    /// Numbers, and texts that read as numbers, here as with the four that follow; compared exactly: equal.
    Equal,
    /// Numbers: less than.
    Less,
    /// Numbers: at most.
    LessOrEqual,
    /// Numbers: greater than.
    Greater,
    /// Numbers: at least.
    GreaterOrEqual,
    /// Semantic versions (semver.org 2.0, precedence; a leading `v` is ignored, `1` and `1.2` are filled up with zeros): equal.
    SemverEqual,
    /// Semantic versions: less than.
    SemverLess,
    /// Semantic versions: at most.
    SemverLessOrEqual,
    /// Semantic versions: greater than.
    SemverGreater,
    /// Semantic versions: at least.
    SemverGreaterOrEqual,
    /// Moments (RFC 3339, or milliseconds since 1970 as a number): before. The attribute `current_time`, where the caller
    /// gives none, is the moment for which the snapshot was compiled.
    Before,
    /// Moments: at or after.
    After,
    /// An IPv4 or IPv6 address within one of the networks (`10.0.0.0/8`, `2001:db8::/32`, or one address). An IPv4 address written
    /// as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address; no IPv6 network contains it.
    Cidr,
}

impl Operator {
    /// Each with its name in JSON.
    pub const ALL: [(Self, &'static str); 19] = [
        (Self::Exists, "exists"),
        (Self::In, "in"),
        (Self::StartsWith, "starts_with"),
        (Self::EndsWith, "ends_with"),
        (Self::Contains, "contains"),
        (Self::Matches, "matches"),
        (Self::Equal, "eq"),
        (Self::Less, "lt"),
        (Self::LessOrEqual, "lte"),
        (Self::Greater, "gt"),
        (Self::GreaterOrEqual, "gte"),
        (Self::SemverEqual, "semver_eq"),
        (Self::SemverLess, "semver_lt"),
        (Self::SemverLessOrEqual, "semver_lte"),
        (Self::SemverGreater, "semver_gt"),
        (Self::SemverGreaterOrEqual, "semver_gte"),
        (Self::Before, "before"),
        (Self::After, "after"),
        (Self::Cidr, "cidr"),
    ];
}

impl Condition {
    /// The attribute stands in this relation to one of the values.
    #[must_use]
    pub fn new<V: Into<serde_json::Value>>(
        attribute: impl Into<String>,
        operator: Operator,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self {
            test: Test::Attribute { attribute: attribute.into(), operator, values, ignore_case: false },
            negate: false,
            extra: Extra::new(),
        }
    }

    /// The user is in this segment.
    #[must_use]
    pub fn segment(name: impl Into<String>) -> Self {
        Self { test: Test::Segment(name.into()), negate: false, extra: Extra::new() }
    }
}
