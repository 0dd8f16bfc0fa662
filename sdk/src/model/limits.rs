//! How large everything may be: one table, enforced by reading and by `validate`.
//!
//! The bounds keep reading, compiling and evaluating short whatever comes in; nobody should meet them in earnest. Counts of
//! texts are in characters.

/// A document's JSON text, in bytes.
pub const DOCUMENT_BYTES: usize = 64 << 20;
/// Flags of a document.
pub const FLAGS: usize = 100_000;
/// Segments of a document.
pub const SEGMENTS: usize = 10_000;

/// The name of a flag or segment.
pub const NAME: usize = 100;
/// The name of a variant, rule, environment or attribute.
pub const LABEL: usize = 200;
/// A description.
pub const DESCRIPTION: usize = 10_000;
/// A salt, and the input of a general bucketing.
pub const SALT: usize = 100;
/// A salt of another bucketing than `teal1`.
pub const FOREIGN_SALT: usize = 500;

/// Rules of a flag.
pub const RULES: usize = 100;
/// Conditions of a rule, and of one group of a segment.
pub const CONDITIONS: usize = 50;
/// Values of a condition that are looked up or compared by order.
pub const VALUES: usize = 10_000;
/// Values of a condition that are each searched for in the attribute (`contains`).
pub const SEARCHED: usize = 1_000;
/// Regular expressions of a condition.
pub const EXPRESSIONS: usize = 100;
/// Conditions with regular expressions (`matches`) of a flag, and of a segment: each may take up to [`EXPRESSIONS_BYTES`], and
/// longer to answer than all else together.
pub const EXPRESSION_CONDITIONS: usize = 20;
/// One regular expression.
pub const EXPRESSION: usize = 512;
/// One compiled regular expression, in bytes.
pub const EXPRESSION_BYTES: usize = 32 << 10;
/// All expressions of a condition, compiled, in bytes; shared evenly among them.
pub const EXPRESSIONS_BYTES: usize = 256 << 10;
/// A text among a condition's values, and a user's id in a segment.
pub const VALUE: usize = 1_000;
/// The longest attribute, in bytes, in which something is searched for (`contains`, `matches`); a longer one does not match.
pub const SEARCHED_TEXT: usize = 4_096;
/// Groups of a segment.
pub const GROUPS: usize = 100;
/// Ids that a segment includes, and that it excludes.
pub const IDS: usize = 100_000;

/// Variants of a flag, and parts of a rule's split.
pub const VARIANTS: usize = 100;
/// The sum of weights.
pub const WEIGHTS: u64 = 1_000_000_000;
/// A variant's value as JSON text, in bytes.
pub const VARIANT_BYTES: usize = 64 << 10;
/// Levels of lists and objects in a variant's value and in a field that is not known.
pub const DEPTH: usize = 32;

/// Environments of a flag.
pub const ENVIRONMENTS: usize = 100;
/// Prerequisites of a flag.
pub const PREREQUISITES: usize = 50;
/// Points of a ramp.
pub const RAMP: usize = 100;
/// Attributes that deal users.
pub const STICKINESS: usize = 10;
/// Buckets of a general bucketing.
pub const MODULO: u32 = 1_000_000_000;
