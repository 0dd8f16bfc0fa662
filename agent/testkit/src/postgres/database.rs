//! One database of a cluster, by psql and pg_dump.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{SUPERUSER, expect, postgres_program};

/// One database of a cluster.
#[derive(Clone, Debug)]
pub struct PostgresDatabase {
    socket: PathBuf,
    name: String,
}

impl PostgresDatabase {
    pub(super) fn new(socket: &Path, name: &str) -> Self {
        Self { socket: socket.to_owned(), name: name.to_owned() }
    }

    /// `postgres://...`, as a file for Teal holds it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("postgres://{SUPERUSER}@localhost/{}?host={}", self.name, self.socket.display())
    }

    /// Does something by hand; gives what psql prints, columns parted by `|`.
    ///
    /// # Panics
    /// With what psql said when it fails.
    pub fn sql(&self, sql: &str) -> String {
        let output = self.psql().args(["-c", sql]).output();
        let printed = expect("psql", output);
        printed.trim_end().to_owned()
    }

    /// `pg_dump` of a schema, as psql takes it: what is there is replaced.
    ///
    /// # Panics
    /// With what pg_dump said when it fails.
    #[must_use]
    pub fn dump(&self, schema: &str) -> String {
        let mut command = Command::new(postgres_program("pg_dump"));
        command.arg("-h").arg(&self.socket).args([
            "-U",
            SUPERUSER,
            "-d",
            &self.name,
            "--clean",
            "--if-exists",
            "-n",
            schema,
        ]);
        expect("pg_dump", command.output())
    }

    /// Restores what [`PostgresDatabase::dump`] gave of the schema, also under running agents.
    ///
    /// The old schema is moved aside by its name, which waits for nobody, and dropped when the new one stands. To drop
    /// table by table what others are reading would end in a deadlock now and then.
    ///
    /// # Panics
    /// With what psql said when it fails.
    pub fn restore(&self, schema: &str, dump: &str) {
        let aside = format!(
            "DO $$ BEGIN IF to_regnamespace('{schema}') IS NOT NULL THEN \
             ALTER SCHEMA {schema} RENAME TO replaced; END IF; END $$;\n"
        );
        let file = tempfile::NamedTempFile::new().unwrap_or_else(|error| panic!("no file for the dump: {error}"));
        fs::write(file.path(), aside + dump).unwrap_or_else(|error| panic!("no file for the dump: {error}"));
        expect("psql", self.psql().arg("-1").arg("-f").arg(file.path()).output());
        self.sql("SET client_min_messages = warning; DROP SCHEMA IF EXISTS replaced CASCADE");
    }

    fn psql(&self) -> Command {
        let mut command = Command::new(postgres_program("psql"));
        command.arg("-h").arg(&self.socket).args(["-U", SUPERUSER, "-d", &self.name]);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command
    }
}
