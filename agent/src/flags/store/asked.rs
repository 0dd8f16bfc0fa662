//! What applications asked for, over all that is remembered: for the report of stale flags.

use super::transaction::Transaction;
use crate::flags::error::FlagsError;

/// A variant of a flag in an environment, and when it was served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::flags) struct Asked {
    pub(in crate::flags) flag: String,
    /// `None`: the caller's default.
    pub(in crate::flags) variant: Option<String>,
    pub(in crate::flags) environment: String,
    /// Minutes, RFC 3339, UTC: as texts they are in the order of time.
    pub(in crate::flags) first: String,
    pub(in crate::flags) last: String,
}

/// All of them: as many as there are flags, times their variants, times the environments.
pub(super) async fn read(tx: &mut Transaction) -> Result<Vec<Asked>, FlagsError> {
    let sql = "SELECT flag, variant, environment, first_asked, last_asked FROM feature_flag_asked ORDER BY flag";
    let rows = tx.rows(sql, []).await?;
    let asked = |row: &super::transaction::Row| {
        Ok(Asked {
            flag: row.text(0)?,
            variant: Some(row.text(1)?).filter(|variant| !variant.is_empty()),
            environment: row.text(2)?,
            first: row.text(3)?,
            last: row.text(4)?,
        })
    };
    rows.iter().map(asked).collect()
}
