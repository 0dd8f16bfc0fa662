//! All flags of a service at one revision, or what changed since another: what is stored, polled and streamed.

use super::{Extra, Flag, ModelError, Segment};

/// The version of the JSON that is written. A document of a higher one is read as far as it is understood.
pub const FORMAT: u64 = 1;

/// Flags and segments at one revision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Which service this is, or which life of it: changes when its database is restored or made anew. Revisions of one
    /// instance only grow. `None` for files.
    pub instance: Option<String>,
    /// Counts the changes of the instance.
    pub revision: u64,
    /// Only what changed after this revision is here. `None`: everything is.
    pub since: Option<u64>,
    /// The flags. A document without one that is known does not delete it: `deleted` does.
    pub flags: Vec<Flag>,
    /// The segments.
    pub segments: Vec<Segment>,
    /// Names of flags that were deleted.
    pub deleted: Vec<String>,
    /// Names of segments that were deleted.
    pub deleted_segments: Vec<String>,
    /// Flags and segments that could not be read; the others are there all the same. They are written back as they came.
    pub unreadable: Vec<Unreadable>,
    /// What this version of the SDK does not know.
    pub extra: Extra,
}

/// A flag or segment of a document that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name, as far as it could be made out.
    pub name: Option<String>,
    /// What is wrong with it.
    pub error: ModelError,
    /// Which it should have been.
    pub part: Part,
    /// As it came.
    pub json: serde_json::Value,
}

/// What a document has parts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A flag.
    Flag,
    /// A segment.
    Segment,
}
