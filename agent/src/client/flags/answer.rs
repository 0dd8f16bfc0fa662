//! What the service says. A missing field takes its default, an unknown one is ignored: the service may be of a neighbouring version.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use teal_flags::model::{Document, Flag};

/// One page of flags.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub(super) flags: Vec<Value>,
    pub(super) total: usize,
    pub(super) revision: u64,
}

/// All flags.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Those that this version can read, by id; the others are in `unreadable`.
    pub document: Document,
    /// All of them as they came.
    pub json: Vec<Value>,
    /// How often anything was changed.
    pub revision: u64,
}

/// One flag as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The flag.
    pub flag: Flag,
    /// As it came.
    pub json: Value,
    /// Its entity tag, for `If-Match`.
    pub tag: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entries {
    pub(super) entries: Vec<Audit>,
}

/// One line of a flag's audit log.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Audit {
    /// Rises with each change.
    pub id: i64,
    /// Which flag.
    pub flag_id: i64,
    /// Its name then.
    pub flag_name: String,
    /// `create`, `update`, `delete`.
    pub action: String,
    /// The service's revision after it.
    pub revision: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who.
    pub who: String,
    /// Where they came from.
    pub ip: String,
    /// Why; empty where nothing was said.
    pub reason: String,
    /// The flag before; null for a new one.
    pub before: Value,
    /// The flag after; null for a deleted one.
    pub after: Value,
}

/// Flags that can go.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Stale {
    /// For how many days a flag has to be so.
    pub days: u32,
    /// From this moment on, RFC 3339.
    pub since: String,
    /// Since when it is remembered what applications asked for; none ever told without it.
    pub remembered_since: Option<String>,
    /// By id.
    pub flags: Vec<StaleFlag>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct StaleFlag {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `not_asked`, `constant`.
    pub finding: String,
    /// Since when it has been so, as far as is remembered.
    pub since: String,
    /// Whether it is remembered for as long as was asked.
    pub sure: bool,
    /// When it was last asked for.
    pub last_asked: Option<String>,
    /// What was served; null is the caller's default.
    pub variants: Vec<Option<String>>,
    /// Where.
    pub environments: Vec<String>,
    /// What to do.
    pub advice: String,
}

/// What a flag answers to somebody.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Checked {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether it is on for them.
    pub enabled: bool,
    /// What is served; null: the caller's default.
    pub value: Value,
    /// The variant's name.
    pub variant: Option<String>,
    /// Why, in OpenFeature's words.
    pub reason: String,
    /// Why there is no answer, with the reason `ERROR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The flag's version.
    pub version: u64,
}
