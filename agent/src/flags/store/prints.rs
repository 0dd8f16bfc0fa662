//! What each row looks like, as a hash: rows that were changed by hand do not look as they were left.
//!
//! PostgreSQL computes the same and sends one hash for all, so that a look costs no reading.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use teal_flags::model::{Flag, Segment};

use super::transaction::Transaction;
use super::{rows, segments};
use crate::flags::error::FlagsError;

/// The looks of all rows, by id, and of segments by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::flags) struct Prints {
    flags: BTreeMap<i64, [u8; 32]>,
    segments: BTreeMap<String, [u8; 32]>,
}

impl Prints {
    /// A row as it stands.
    pub(super) fn add(&mut self, id: i64, name: &str, revision: u64, flag: &str) {
        self.flags.insert(id, Sha256::digest(format!("{id}:{name}:{revision}:{flag}")).into());
    }

    /// A row that looks as it did before.
    pub(super) fn add_again(&mut self, id: i64, before: &Self) {
        self.flags.extend(before.flags.get(&id).map(|print| (id, *print)));
    }

    /// A flag as the service writes it.
    pub(in crate::flags) fn put(&mut self, flag: &Flag, revision: u64) {
        self.add(flag.id, &flag.name, revision, &rows::text(flag));
    }

    /// A row that is no more.
    pub(in crate::flags) fn remove(&mut self, id: i64) {
        self.flags.remove(&id);
    }

    /// A segment's row as it stands.
    pub(super) fn add_segment(&mut self, name: &str, revision: u64, segment: &str) {
        self.segments.insert(name.to_owned(), Sha256::digest(format!("{name}:{revision}:{segment}")).into());
    }

    /// A segment's row that looks as it did before.
    pub(super) fn add_segment_again(&mut self, name: &str, before: &Self) {
        self.segments.extend(before.segments.get(name).map(|print| (name.to_owned(), *print)));
    }

    /// A segment as the service writes it.
    pub(in crate::flags) fn put_segment(&mut self, segment: &Segment, revision: u64) {
        self.add_segment(&segment.name, revision, &segments::text(segment));
    }

    /// A segment's row that is no more.
    pub(in crate::flags) fn remove_segment(&mut self, name: &str) {
        self.segments.remove(name);
    }

    /// All in one, as hexadecimal digits.
    pub(super) fn all(&self) -> String {
        let all = self.flags.values().chain(self.segments.values());
        let all = all.fold(Sha256::new(), |hash, print| hash.chain_update(print));
        all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// [`Prints::all`] of what is in the database.
pub(super) async fn seen(tx: &mut Transaction) -> Result<String, FlagsError> {
    if tx.is_postgres() {
        let row = tx.row(
            "SELECT encode(sha256(
                 COALESCE((SELECT string_agg(
                     sha256(convert_to(id || ':' || name || ':' || revision || ':' || flag, 'UTF8')), ''::bytea ORDER BY id
                 ) FROM feature_flags), ''::bytea) ||
                 COALESCE((SELECT string_agg(
                     sha256(convert_to(name || ':' || revision || ':' || segment, 'UTF8')), ''::bytea ORDER BY name
                 ) FROM feature_flag_segments), ''::bytea)
             ), 'hex')",
            [],
        );
        return row.await?.text(0);
    }
    let mut prints = Prints::default();
    for row in tx.rows("SELECT id, name, revision, flag FROM feature_flags", []).await? {
        prints.add(row.integer(0)?, &row.text(1)?, row.count(2)?, &row.text(3)?);
    }
    for row in tx.rows("SELECT name, revision, segment FROM feature_flag_segments", []).await? {
        prints.add_segment(&row.text(0)?, row.count(1)?, &row.text(2)?);
    }
    Ok(prints.all())
}
