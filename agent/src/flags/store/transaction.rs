//! The seam between the two databases: statements are written once, in the SQL that both speak, with `$1` for values.
//!
//! ```text
//! rows, audit, exposures --SQL, values--> Transaction --> SQLite    a file, one writer at a time by BEGIN IMMEDIATE
//!                                                   \-> PostgreSQL  one writer at a time by the service's row
//! ```

use sqlx::encode::Encode;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{ColumnIndex, Database, Decode, Type};

use super::postgres;
use crate::flags::error::FlagsError;

/// What stands for a `$1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(Some(value.into()))
    }
}

impl From<u64> for Value {
    /// Databases' integers are signed; revisions and versions stay far below 2^63.
    fn from(value: u64) -> Self {
        Self::Integer(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Some(value).into()
    }
}

impl From<Option<String>> for Value {
    /// PostgreSQL keeps no NUL in a text; both databases shall keep the same.
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(|text| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }))
    }
}

/// One row of an answer.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A column of whole numbers.
    pub(super) fn integer(&self, column: usize) -> Result<i64, FlagsError> {
        self.get(column)
    }

    /// The same of a column in which nothing is negative.
    pub(super) fn count(&self, column: usize) -> Result<u64, FlagsError> {
        Ok(u64::try_from(self.integer(column)?).unwrap_or(0))
    }

    pub(super) fn text(&self, column: usize) -> Result<String, FlagsError> {
        self.get(column)
    }

    pub(super) fn optional_text(&self, column: usize) -> Result<Option<String>, FlagsError> {
        self.get(column)
    }

    fn get<T>(&self, column: usize) -> Result<T, FlagsError>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        fn get<R: sqlx::Row, T>(row: &R, column: usize) -> Result<T, sqlx::Error>
        where
            usize: ColumnIndex<R>,
            T: for<'r> Decode<'r, R::Database> + Type<R::Database>,
        {
            row.try_get(column)
        }
        let read = match self {
            Self::Sqlite(row) => get(row, column),
            Self::Postgres(row) => get(row, column),
        };
        Ok(read?)
    }
}

/// A transaction on either. Dropped without an end it is undone.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(postgres::Transaction),
}

impl Transaction {
    /// Whether SQL that only PostgreSQL knows can be used.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Executes one statement.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), FlagsError> {
        match self {
            Self::Sqlite(transaction) => {
                bound::<Sqlite>(sql, values).execute(&mut **transaction).await?;
            }
            Self::Postgres(transaction) => {
                let query = bound::<Postgres>(sql, values);
                postgres::within(query.execute(transaction.connection())).await?;
            }
        }
        Ok(())
    }

    /// All rows of an answer.
    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Row>, FlagsError> {
        Ok(match self {
            Self::Sqlite(transaction) => {
                let rows = bound::<Sqlite>(sql, values).fetch_all(&mut **transaction).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(transaction) => {
                let query = bound::<Postgres>(sql, values);
                let rows = postgres::within(query.fetch_all(transaction.connection())).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The only row of an answer, where there is one.
    pub(super) async fn optional(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<Row>, FlagsError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The only row of an answer that has one.
    pub(super) async fn row(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Row, FlagsError> {
        Ok(self.optional(sql, values).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// Makes it so.
    ///
    /// # Errors
    /// [`FlagsError::Unsure`] when it is not known whether it was.
    pub(super) async fn commit(self) -> Result<(), FlagsError> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Makes it so when all of it went well; else undoes it and keeps the connection, also after a refusal.
    ///
    /// # Errors
    /// What went wrong in it, and as [`Transaction::commit`].
    pub(super) async fn end<T>(self, result: Result<T, FlagsError>) -> Result<T, FlagsError> {
        match result {
            Ok(done) => self.commit().await.map(|()| done),
            Err(error) => {
                // What it was refused for counts; one that cannot be undone is undone by its end.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    /// Undoes it, and keeps the connection for the next one.
    pub(super) async fn rollback(self) -> Result<(), FlagsError> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.rollback().await?),
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }
}

fn bound<DB: Database>(
    sql: &'static str,
    values: impl IntoIterator<Item = Value>,
) -> sqlx::query::Query<'static, DB, DB::Arguments>
where
    Option<i64>: Encode<'static, DB> + Type<DB>,
    Option<String>: Encode<'static, DB> + Type<DB>,
{
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Integer(value) => query.bind(value),
        Value::Text(value) => query.bind(value),
    })
}
