//! The store port: documents with compare-and-swap, checkpoints, baselines and the journal.
//!
//! ```text
//!  controller --Write--> writer task --> SQLite: everything; on Kubernetes of the document a copy
//!       ^                  |    '------> the resource, on Kubernetes: the document that counts
//!       '-- Stored / StoreFailed / Document (another wrote) --'
//! ```
//!
//! The controller never waits for a write: a dead disk delays no rollback.

mod document;
mod error;
pub mod kubernetes;
mod pending;
mod sqlite;
mod writer;

pub use document::{Documents, InSqlite, Put};
pub use error::StoreError;
pub use sqlite::Sqlite;
pub use writer::{Write, Writer, spawn};

/// One line of an environment's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Rises by one with each entry of the environment, from 1.
    pub seq: u64,
    /// The release it speaks of; 0 for none.
    pub release: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// A word for machines, `switched` for instance.
    pub kind: String,
    /// A sentence for people.
    pub text: String,
    /// Figures that go with it.
    pub data: serde_json::Value,
}

/// The evidence of a release over time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRow {
    /// Its number.
    pub release: u64,
    /// The controller's timeline of it, as JSON: large, and never looked into here.
    pub json: String,
}

/// One release: its number and all that is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseRow {
    /// Its number.
    pub id: u64,
    /// The controller's record of it.
    pub record: serde_json::Value,
}

/// The last order that came through the resource and was given to the controller here; on Kubernetes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentRow {
    /// Of the resource's `spec.intent`.
    pub id: String,
    /// Whether it was carried out.
    pub taken: bool,
    /// The release it is about, or why it was refused.
    pub message: String,
}
