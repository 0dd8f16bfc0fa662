//! Feature flags answered in the process, in nanoseconds, and the buckets that they share with the edge.

pub mod bucketing;
#[cfg_attr(not(test), expect(dead_code, reason = "the evaluator, its only caller, is yet to land"))]
mod condition;
mod context;
#[cfg(feature = "import")]
pub mod import;
pub mod model;

pub use bucketing::{BUCKETS, bucket};
pub use context::{Attribute, Context, OwnedAttribute, OwnedContext, Scratch, Subject};
