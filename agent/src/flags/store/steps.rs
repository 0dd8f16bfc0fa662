//! The steps of the schema, one file a database each: `migrations/README.md` says how to add one.

use std::future::ready;

use futures_util::future::BoxFuture;
use sqlx::SqlSafeStr;
use sqlx::error::BoxDynError;
use sqlx::migrate::{Migration, MigrationSource, MigrationType};

/// One step, in the words of both databases.
#[derive(Debug)]
pub(super) struct Step {
    /// Steps are done in this order.
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

macro_rules! step {
    ($version:literal, $name:literal) => {
        Step {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../../migrations/sqlite/flags/0", $version, "_", $name, ".sql")),
            postgres: include_str!(concat!("../../../../migrations/postgres/flags/0", $version, "_", $name, ".sql")),
        }
    };
}

/// All of them.
pub(super) const STEPS: &[Step] = &[
    step!(27, "feature_flags"),
    step!(28, "revisions"),
    step!(29, "tokens"),
    step!(30, "segments"),
    step!(31, "asked"),
];

/// The newest that this binary knows.
pub(super) fn newest() -> i64 {
    STEPS.last().map_or(0, |step| step.version)
}

/// For sqlx's own runner, which SQLite's file is brought up to date with.
#[derive(Debug)]
pub(super) struct ForSqlite;

impl MigrationSource<'static> for ForSqlite {
    fn resolve(self) -> BoxFuture<'static, Result<Vec<Migration>, BoxDynError>> {
        let migration = |step: &Step| {
            let sql = step.sqlite.into_sql_str();
            Migration::new(step.version, step.name.replace('_', " ").into(), MigrationType::Simple, sql, false)
        };
        Box::pin(ready(Ok(STEPS.iter().map(migration).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_step_of_both_databases_in_order() {
        let names: Vec<String> = STEPS.iter().map(|step| format!("{:03}_{}.sql", step.version, step.name)).collect();
        for database in ["sqlite", "postgres"] {
            let folder = format!("{}/../migrations/{database}/flags", env!("CARGO_MANIFEST_DIR"));
            let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
            let mut files: Vec<String> = files.collect();
            files.sort();
            assert_eq!(files, names, "{database}");
        }
        for step in STEPS {
            for sql in [step.sqlite, step.postgres] {
                assert!(sql.contains("\n-- Way back: "), "{} has no way back", step.name);
            }
        }
    }
}
