//! Feature flags answered in the process, in nanoseconds, and the buckets that they share with the edge.

pub mod bucketing;
mod bytes;
mod catalog;
#[cfg(feature = "client")]
pub mod client;
mod condition;
mod context;
mod evaluations;
mod flags;
#[cfg(feature = "import")]
pub mod import;
mod index;
pub mod model;
mod name;
#[cfg(feature = "openfeature")]
pub mod openfeature;
#[cfg(feature = "pseudonym")]
pub mod pseudonym;
mod snapshot;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod value;

pub use bucketing::{BUCKETS, bucket};
pub use catalog::{Applied, Known, Layer, Outcome, Problem, Revision};
pub use context::{Attribute, Context, OwnedAttribute, OwnedContext, Scratch, Subject};
pub use flags::{Exposure, Flags, Handle, Pinned};
pub use name::{Declared, Name};
pub use snapshot::Snapshot;
pub use value::{ErrorCode, Evaluation, FlagValue, Reason, Resolved};

/// The code of the README, as tests.
#[cfg(all(doctest, feature = "client", feature = "testing"))]
#[doc = include_str!("../README.md")]
struct Readme;
