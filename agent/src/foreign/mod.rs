//! Flags that an application keeps in PostgreSQL itself, read as they are: whatever types its columns have.
//!
//! ```text
//! DSN file --> feature_flags, feature_flag_audit_log, each row as JSON --flag, history--> what the service takes, and what is left out
//! ```

mod columns;
mod flag;
mod history;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::time::timeout;

use crate::dsn::{self, DsnError};

const FLAGS: &str = "feature_flags";
const HISTORY: &str = "feature_flag_audit_log";
/// Teal's own schema is not to be read.
const TEAL: &str = "teal";
/// How long connecting, and reading a table, may take.
const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// `SCHEMA.feature_flags`.
    pub table: String,
    /// Flags as JSON, as the flag service takes them.
    pub flags: Vec<Value>,
    /// Lines of their history, likewise.
    pub history: Vec<Value>,
    /// What is not carried over, and why.
    pub left_out: Vec<String>,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The file with the address.
    #[error(transparent)]
    Dsn(#[from] DsnError),
    /// The database does not answer, or refuses.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// It took too long.
    #[error("the database gave no {what} within {limit:?}")]
    Slow {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// There is no such table.
    #[error("there is no table {0} that this user may see")]
    None(String),
    /// There are several.
    #[error("feature_flags is in several schemas ({0}): --schema says which")]
    Several(String),
}

/// One row.
type Columns = Map<String, Value>;

/// Reads both tables at one moment, and changes nothing.
///
/// # Errors
/// What is wrong, without the address.
pub async fn read(file: &Path, schema: Option<&str>) -> Result<Found, ForeignError> {
    let options = dsn::read(file)?.application_name("teal flags import");
    let options = options.options([("default_transaction_read_only", "on")]).disable_statement_logging();
    let slow = |what, limit| move |_| ForeignError::Slow { what, limit };
    let connected = timeout(CONNECT, PgConnection::connect_with(&options)).await;
    let mut connection = connected.map_err(slow("connection", CONNECT))??;
    let found = timeout(READ, tables(&mut connection, schema)).await.map_err(slow("tables", READ))?;
    let _ = timeout(CONNECT, connection.close()).await;
    found
}

async fn tables(connection: &mut PgConnection, schema: Option<&str>) -> Result<Found, ForeignError> {
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *connection).await?;
    let schemas = schemas(connection, FLAGS).await?;
    let schema = chosen(&schemas, schema)?;
    let flags = rows(connection, &schema, FLAGS).await?;
    let has_history = self::schemas(connection, HISTORY).await?.contains(&schema);
    let lines = if has_history { rows(connection, &schema, HISTORY).await? } else { Vec::new() };
    let mut found = translated(flags, lines);
    found.table = format!("{schema}.{FLAGS}");
    if !has_history {
        found.left_out.push(format!("there is no {schema}.{HISTORY}: no history"));
    }
    Ok(found)
}

/// Where there is a table of this name.
async fn schemas(connection: &mut PgConnection, table: &str) -> Result<Vec<String>, ForeignError> {
    let sql = "SELECT table_schema::text FROM information_schema.tables WHERE table_name = $1 AND table_schema <> $2 ORDER BY 1";
    let rows = sqlx::query(sql).bind(table).bind(TEAL).fetch_all(connection).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

fn chosen(schemas: &[String], asked: Option<&str>) -> Result<String, ForeignError> {
    match (schemas, asked) {
        (_, Some(asked)) if schemas.iter().any(|schema| schema == asked) => Ok(asked.to_owned()),
        (_, Some(asked)) => Err(ForeignError::None(format!("{asked}.{FLAGS}"))),
        ([one], None) => Ok(one.clone()),
        ([], None) => Err(ForeignError::None(FLAGS.to_owned())),
        (several, None) => Err(ForeignError::Several(several.join(", "))),
    }
}

/// Every row as JSON, in the order of its id.
async fn rows(connection: &mut PgConnection, schema: &str, table: &str) -> Result<Vec<Columns>, ForeignError> {
    let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!("SELECT to_jsonb(t)::text FROM {}.{} AS t", name(schema), name(table));
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    let read = |text: String| serde_json::from_str::<Columns>(&text).ok();
    let mut rows: Vec<Columns> = rows.iter().filter_map(|row| row.try_get(0).ok().and_then(read)).collect();
    let order =
        |row: &Columns| (columns::integer(row.get("id")).unwrap_or(i64::MAX), columns::text(row.get("created_at")));
    rows.sort_by_cached_key(order);
    Ok(rows)
}

fn translated(flags: Vec<Columns>, lines: Vec<Columns>) -> Found {
    let mut found = Found::default();
    let mut others = columns::Others::default();
    let mut names = history::Names::default();
    for row in flags {
        match flag::flag(&row, &mut others) {
            Ok(flag) => {
                names.add(&row, &flag);
                found.flags.push(flag);
            }
            Err(why) => found.left_out.push(why),
        }
    }
    found.left_out.extend(others.told(FLAGS));
    let mut others = columns::Others::default();
    for row in lines {
        match history::line(&row, &names, &mut others) {
            Ok(line) => found.history.push(line),
            Err(why) => found.left_out.push(why),
        }
    }
    found.left_out.extend(others.told(HISTORY));
    found
}
