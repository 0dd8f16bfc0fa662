//! The flag service: flags in a database of their own, each change audited, and told to who listens.
//!
//! ```text
//! http --Edit--> writer task: one transaction: flag + audit row + revision --> flags.db
//!  ^                 |
//!  '-- State <-watch-' everything that is read, at one revision: answered from memory
//! ```
//!
//! One process owns the file, and the writer task is the only one that writes: changes are published in the order in which they were
//! made. A revision counts changes of one instance. Whoever finds that the database went back in time makes it a new instance:
//! the start, by what stands in the file beside it (`seen.rs`), and an SDK that knows a higher revision (`Service::heard`).

mod edit;
mod error;
mod evaluate;
mod event;
mod follow;
mod import;
mod keeper;
mod questions;
mod reads;
mod relay;
mod seen;
mod segments;
mod served;
mod service;
mod stale;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod writer;

pub use edit::{Edit, Reference, tag};
pub use error::{FieldError, FlagsError, SchemaError};
pub use evaluate::Answers;
pub use import::{History, Import, Imported};
pub use keeper::Keeper;
pub use reads::Reads;
pub use relay::{Forwarded, Health, Relay, Upstream};
pub use segments::{SegmentEdit, segment_tag};
pub use service::{Service, Settings};
pub use stale::{Finding, Stale, StaleFlag};
pub use state::{Position, State};
pub use store::{Audit, Author, Place, Served, TokenAudit, Wanted};
pub use tokens::{NewToken, Tokens};

/// The moment, as the machine's clock has it.
pub(crate) fn now() -> teal_flags::model::Timestamp {
    let millis = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    teal_flags::model::Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
