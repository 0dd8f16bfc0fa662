//! Between our values and what SQLite keeps: JSON text and signed integers.

use crate::store::StoreError;

pub(super) fn parse<T: serde::de::DeserializeOwned>(
    what: &'static str,
    environment: &str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Format {
        what,
        environment: environment.to_owned(),
        source,
    })
}

pub(super) fn write<T: serde::Serialize>(
    what: &'static str,
    environment: &str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Format {
        what,
        environment: environment.to_owned(),
        source,
    })
}

/// SQLite's integers are signed; release numbers and revisions stay far below 2^63.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
