//! Feature flags answered in the process, in nanoseconds, and the buckets that they share with the edge.

mod bucket;

pub use bucket::{BUCKETS, bucket};
