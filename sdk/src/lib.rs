//! Feature flags answered in the process, in nanoseconds, and the buckets that they share with the edge.

pub mod bucketing;
mod context;
pub mod model;

pub use bucketing::{BUCKETS, bucket};
pub use context::{Attribute, Context, OwnedAttribute, OwnedContext, Scratch, Subject};
