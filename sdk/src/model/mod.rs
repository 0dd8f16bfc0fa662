//! What a flag is: plain data, as the service stores it and as it travels, before anything is compiled.
//!
//! ```text
//! JSON --read, validate--> Document { flags, segments, deleted } --Catalog--> Snapshot
//!      <------write-------
//! ```
//!
//! Fields that this version does not know are kept in `extra` and written back, so that an old SDK or agent between two
//! newer ones loses nothing. The format is described in `docs/flags.md`.

#[cfg(test)]
pub(crate) mod arbitrary;
mod condition;
mod document;
mod error;
mod flag;
pub mod limits;
mod percentage;
mod read;
mod rule;
mod schedule;
mod segment;
mod timestamp;
mod validate;
mod write;

pub use condition::{Condition, Operator, Test};
pub use document::{Document, FORMAT, Part, Unreadable};
pub use error::ModelError;
pub use flag::{Flag, Kind, Prerequisite, Required, Variant};
pub use percentage::{Percentage, PercentageError};
pub use rule::{Otherwise, Rule, Serve};
pub use schedule::{RampPoint, Schedule};
pub use segment::Segment;
pub use timestamp::{Timestamp, TimestampError};

/// Fields that this version does not know, by name.
pub type Extra = serde_json::Map<String, serde_json::Value>;
