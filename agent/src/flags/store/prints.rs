//! What each row looks like, as a hash: rows that were changed by hand do not look as they were left.
//!
//! PostgreSQL computes the same and sends one hash for all, so that a look costs no reading.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use teal_flags::model::Flag;

use super::rows;
use super::transaction::Transaction;
use crate::flags::error::FlagsError;

/// The looks of all rows, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::flags) struct Prints(BTreeMap<i64, [u8; 32]>);

impl Prints {
    /// A row as it stands.
    pub(super) fn add(&mut self, id: i64, name: &str, revision: u64, flag: &str) {
        self.0.insert(id, Sha256::digest(format!("{id}:{name}:{revision}:{flag}")).into());
    }

    /// A row that looks as it did before.
    pub(super) fn add_again(&mut self, id: i64, before: &Self) {
        self.0.extend(before.0.get(&id).map(|print| (id, *print)));
    }

    /// A flag as the service writes it.
    pub(in crate::flags) fn put(&mut self, flag: &Flag, revision: u64) {
        self.add(flag.id, &flag.name, revision, &rows::text(flag));
    }

    /// A row that is no more.
    pub(in crate::flags) fn remove(&mut self, id: i64) {
        self.0.remove(&id);
    }

    /// All in one, as hexadecimal digits.
    pub(super) fn all(&self) -> String {
        let all = self.0.values().fold(Sha256::new(), |hash, print| hash.chain_update(print));
        all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// [`Prints::all`] of what is in the database.
pub(super) async fn seen(tx: &mut Transaction) -> Result<String, FlagsError> {
    if tx.is_postgres() {
        let row = tx.row(
            "SELECT encode(sha256(COALESCE(string_agg(
                 sha256(convert_to(id || ':' || name || ':' || revision || ':' || flag, 'UTF8')), ''::bytea ORDER BY id
             ), ''::bytea)), 'hex') FROM feature_flags",
            [],
        );
        return row.await?.text(0);
    }
    let mut prints = Prints::default();
    for row in tx.rows("SELECT id, name, revision, flag FROM feature_flags", []).await? {
        prints.add(row.integer(0)?, &row.text(1)?, row.count(2)?, &row.text(3)?);
    }
    Ok(prints.all())
}
