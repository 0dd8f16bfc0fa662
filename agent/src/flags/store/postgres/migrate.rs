//! Brings the schema `teal` up to date, one transaction a step, with its own tracking table beside the data.
//!
//! Agents that start at once wait for each other by an advisory lock that ends with its transaction, on a connection that is
//! used for nothing else: whatever happens, nobody keeps the lock. (sqlx's own runner leaves it to a pooled connection.)

use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row, SqlSafeStr};
use tokio::time::timeout;

use super::CONNECT;
use crate::flags::error::{FlagsError, SchemaError};
use crate::flags::store::steps::{STEPS, Step, newest};

/// The advisory lock's name: "tealflag".
const LOCK: i64 = 0x7465_616c_666c_6167;
/// A step may take long. It does not wait long for a table that somebody works with.
const PATIENCE: &str =
    "SET statement_timeout = '10min'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = 0";
const TRACKING: &str = "CREATE TABLE IF NOT EXISTS teal.schema_migrations (
    version    BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)";

/// Does what is missing; with `may_migrate` false, refuses where something is.
pub(in crate::flags::store) async fn migrate(options: &PgConnectOptions, may_migrate: bool) -> Result<(), FlagsError> {
    let connected = timeout(CONNECT, PgConnection::connect_with(options)).await;
    let mut connection = connected.map_err(|_| FlagsError::Away(format!("no connection within {CONNECT:?}")))??;
    let done = run(&mut connection, STEPS, may_migrate).await;
    let _ = timeout(CONNECT, connection.close()).await;
    done
}

async fn run(connection: &mut PgConnection, steps: &[Step], may_migrate: bool) -> Result<(), FlagsError> {
    let applied = match applied(connection).await? {
        Some(applied) => applied,
        None if may_migrate => {
            begin(connection).await?;
            // Whoever may use a schema that was made for them need not be allowed to make one.
            if !is_there(connection, "teal").await? {
                said(connection, "CREATE SCHEMA teal").await?;
            }
            said(connection, TRACKING).await?;
            said(connection, "COMMIT").await?;
            Vec::new()
        }
        None => Vec::new(),
    };
    check(&applied, steps)?;
    for step in steps {
        if applied.iter().any(|(version, _)| *version == step.version) {
            continue;
        }
        if !may_migrate {
            let applied = applied.iter().map(|(version, _)| *version).max().unwrap_or(0);
            return Err(failed(SchemaError::Old { applied, newest: newest() }));
        }
        apply(connection, step).await?;
    }
    Ok(())
}

/// Does one step, unless another agent did it while this one waited.
async fn apply(connection: &mut PgConnection, step: &Step) -> Result<(), FlagsError> {
    begin(connection).await?;
    let known = sqlx::query("SELECT 1 FROM teal.schema_migrations WHERE version = $1").bind(step.version);
    if known.fetch_optional(&mut *connection).await?.is_some() {
        return said(connection, "ROLLBACK").await;
    }
    tracing::info!(version = step.version, step = step.name, "the flags' schema is brought up to date");
    said(connection, step.postgres).await.map_err(|error| {
        failed(SchemaError::Failed(format!("{:03}_{}.sql was undone: {error}", step.version, step.name)))
    })?;
    sqlx::query("INSERT INTO teal.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)")
        .bind(step.version)
        .bind(step.name)
        .bind(checksum(step))
        .execute(&mut *connection)
        .await?;
    said(connection, "COMMIT").await
}

/// Begins a transaction that only one agent at a time is in.
async fn begin(connection: &mut PgConnection) -> Result<(), FlagsError> {
    said(connection, PATIENCE).await?;
    said(connection, "BEGIN").await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

/// Versions and checksums of what was done; `None`: nothing ever was.
async fn applied(connection: &mut PgConnection) -> Result<Option<Vec<(i64, String)>>, FlagsError> {
    let table =
        sqlx::query("SELECT to_regclass('teal.schema_migrations') IS NOT NULL").fetch_one(&mut *connection).await?;
    if !table.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let rows = sqlx::query("SELECT version, checksum FROM teal.schema_migrations ORDER BY version");
    let rows = rows.fetch_all(connection).await?;
    let applied = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
    Ok(Some(applied))
}

async fn is_there(connection: &mut PgConnection, schema: &str) -> Result<bool, FlagsError> {
    let row = sqlx::query("SELECT to_regnamespace($1) IS NOT NULL").bind(schema).fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

/// What was done must be what this binary would do.
fn check(applied: &[(i64, String)], steps: &[Step]) -> Result<(), FlagsError> {
    for (version, was) in applied {
        match steps.iter().find(|step| step.version == *version) {
            None => return Err(failed(SchemaError::New { applied: *version, newest: newest() })),
            Some(step) if checksum(step) != *was => return Err(failed(SchemaError::Drift { version: *version })),
            Some(_) => {}
        }
    }
    Ok(())
}

fn checksum(step: &Step) -> String {
    Sha256::digest(step.postgres).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn said(connection: &mut PgConnection, sql: &'static str) -> Result<(), FlagsError> {
    sqlx::raw_sql(sql.into_sql_str()).execute(connection).await?;
    Ok(())
}

fn failed(source: SchemaError) -> FlagsError {
    FlagsError::Schema { database: "schema `teal` in PostgreSQL".to_owned(), source }
}

#[cfg(test)]
mod tests {
    use teal_testkit::PostgresDatabase;

    use super::*;

    const ONE: Step = Step { version: 1, name: "one", sqlite: "", postgres: "CREATE TABLE teal.one (id INT)" };
    const TWO: Step = Step { version: 2, name: "two", sqlite: "", postgres: "CREATE TABLE teal.two (id INT)" };
    const BROKEN: Step = Step { postgres: "CREATE TABLE teal.two (id INT); SELECT 1 / 0", ..TWO };

    async fn connect(database: &PostgresDatabase, user: Option<&str>) -> PgConnection {
        let options: PgConnectOptions = database.address().parse().unwrap();
        let options = if let Some(user) = user { options.username(user) } else { options };
        PgConnection::connect_with(&options).await.unwrap()
    }

    fn tables(database: &PostgresDatabase) -> String {
        database.sql("SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'teal'")
    }

    #[tokio::test]
    async fn a_step_that_fails_is_undone_and_keeps_nobody_waiting() {
        let database = teal_testkit::postgres().database();
        let mut broken = connect(&database, None).await;
        let said = run(&mut broken, &[ONE, BROKEN], true).await.unwrap_err().to_string();
        assert!(said.contains("002_two.sql was undone") && said.contains("division by zero"), "{said}");
        assert_eq!(tables(&database), "one schema_migrations");
        // The broken one still has its connection.
        let mut other = connect(&database, None).await;
        run(&mut broken, &[ONE, BROKEN], true).await.unwrap_err();
        let said = run(&mut other, &[ONE, TWO], false).await.unwrap_err().to_string();
        assert!(said.contains("steps up to 1"), "{said}");
        drop(broken);
        run(&mut other, &[ONE, TWO], true).await.unwrap();
        assert_eq!(tables(&database), "one schema_migrations two");
        run(&mut other, &[ONE, TWO], false).await.unwrap();
    }

    #[tokio::test]
    async fn who_may_not_make_schemas_uses_the_one_that_was_made_for_them() {
        let database = teal_testkit::postgres().database();
        database.sql("CREATE ROLE limited LOGIN");
        let mut limited = connect(&database, Some("limited")).await;
        let said = run(&mut limited, &[ONE], true).await.unwrap_err().to_string();
        assert!(said.contains("permission denied for database"), "{said}");
        database.sql("CREATE SCHEMA teal AUTHORIZATION limited");
        let mut limited = connect(&database, Some("limited")).await;
        run(&mut limited, &[ONE], true).await.unwrap();
        assert_eq!(tables(&database), "one schema_migrations");
    }
}
