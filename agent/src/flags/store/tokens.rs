//! Tokens as rows, and who made and revoked them. Of a token's secret only a digest is there.

use serde::Serialize;
use teal_flags::model::Timestamp;

use super::transaction::{Row, Transaction};
use super::{Author, Store, rows};
use crate::access::{FirstToken, Record, TokenId, Used};
use crate::flags::error::{FieldError, FlagsError};

/// Tokens that there may be, revoked ones not counted.
const MOST: u64 = 10_000;
const COLUMNS: &str =
    "SELECT id, digest, name, roles, environments, may_name_people, created_at, expires_at, revoked_at, last_used_at
     FROM feature_flag_tokens";

/// Tells one state of the tokens from another: how often they changed, how many there are, how many of them are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flags) struct Mark([u64; 3]);

/// One line of the tokens' audit log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TokenAudit {
    /// Rises with each change.
    pub id: i64,
    /// Which token.
    pub token_id: String,
    /// Its name.
    pub token_name: String,
    /// `create` or `revoke`.
    pub action: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Whose token or user it was, with the person for whom it acted.
    pub who: String,
    /// Where the connection came from.
    pub ip: String,
    /// Why; empty where none was given.
    pub reason: String,
    /// What the token may do.
    pub roles: String,
    /// Where; `[]` for everywhere.
    pub environments: serde_json::Value,
}

impl Store {
    /// All tokens, unless they are as they were at the mark.
    pub(in crate::flags) async fn tokens(
        &self,
        known: Option<Mark>,
    ) -> Result<Option<(Mark, Vec<Record>)>, FlagsError> {
        let mut reading = self.reading(true).await?;
        let found = all(&mut reading, known).await?;
        reading.rollback().await?;
        Ok(found)
    }

    /// Adds a token.
    pub(in crate::flags) async fn add_token(
        &self,
        token: &Record,
        author: &Author,
        now: Timestamp,
    ) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        let added = add(&mut tx, token, author, now).await;
        tx.end(added).await
    }

    /// Adds the token that the configuration brings, unless it was ever there: one that was revoked stays so.
    pub(in crate::flags) async fn adopt(&self, first: &FirstToken, now: Timestamp) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        let adopted = adopt(&mut tx, first, now).await;
        tx.end(adopted).await
    }

    /// Revokes a token by its id, or by its name. Once more is no change.
    pub(in crate::flags) async fn revoke_token(
        &self,
        token: &str,
        author: &Author,
        now: Timestamp,
    ) -> Result<TokenId, FlagsError> {
        let mut tx = self.writing().await?;
        let revoked = revoke(&mut tx, token, author, now).await;
        tx.end(revoked).await
    }

    /// Writes down when tokens were last used.
    pub(in crate::flags) async fn note_uses(&self, uses: &[(TokenId, Timestamp)]) -> Result<(), FlagsError> {
        let mut tx = self.writing().await?;
        for (id, at) in uses {
            let sql = "UPDATE feature_flag_tokens SET last_used_at = $2
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
            tx.execute(sql, [id.as_str().into(), at.to_string().into()]).await?;
        }
        tx.commit().await
    }

    /// Who made and revoked tokens, newest first: at most `limit`, older than entry `before`.
    pub(in crate::flags) async fn token_audit(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<TokenAudit>, FlagsError> {
        let mut reading = self.reading(true).await?;
        let sql = "SELECT id, token_id, token_name, action, at, who, ip, reason, roles, environments
             FROM feature_flag_token_audit_log WHERE id < $1 ORDER BY id DESC LIMIT $2";
        let rows = reading.rows(sql, [before.unwrap_or(i64::MAX).into(), limit.into()]).await?;
        reading.rollback().await?;
        rows.iter().map(entry).collect()
    }
}

async fn add(tx: &mut Transaction, token: &Record, author: &Author, now: Timestamp) -> Result<(), FlagsError> {
    rows::lock(tx).await?;
    let sql = "SELECT (SELECT COUNT(*) FROM feature_flag_tokens WHERE revoked_at IS NULL AND name = $1),
         (SELECT COUNT(*) FROM feature_flag_tokens WHERE revoked_at IS NULL)";
    let there = tx.row(sql, [token.name.as_str().into()]).await?;
    if there.count(0)? > 0 {
        return Err(FlagsError::TokenExists(token.name.clone()));
    }
    if there.count(1)? >= MOST {
        let problem = format!("is one too many: there are {MOST} tokens; revoke those that are not used");
        return Err(FieldError::new("name", problem).into());
    }
    insert(tx, token).await?;
    note(tx, token, "create", author, now).await
}

async fn adopt(tx: &mut Transaction, first: &FirstToken, now: Timestamp) -> Result<(), FlagsError> {
    rows::lock(tx).await?;
    let sql = "SELECT id FROM feature_flag_tokens WHERE id = $1";
    if tx.optional(sql, [first.id.as_str().into()]).await?.is_some() {
        return Ok(());
    }
    let mut token = Record::first(first, now);
    let sql = "SELECT id FROM feature_flag_tokens WHERE revoked_at IS NULL AND name = $1";
    if tx.optional(sql, [token.name.as_str().into()]).await?.is_some() {
        token.name = format!("{}-{}", token.name, token.id);
    }
    insert(tx, &token).await?;
    let author = Author { who: "teal.toml".into(), reason: "flags.first_token".into(), ..Author::default() };
    note(tx, &token, "create", &author, now).await
}

async fn revoke(tx: &mut Transaction, token: &str, author: &Author, now: Timestamp) -> Result<TokenId, FlagsError> {
    rows::lock(tx).await?;
    // A name that was used again is the living one's.
    let sql = "SELECT id, digest, name, roles, environments, may_name_people, created_at, expires_at, revoked_at, last_used_at
         FROM feature_flag_tokens WHERE id = $1 OR name = $1 ORDER BY revoked_at IS NOT NULL, id = $1 DESC, revoked_at DESC LIMIT 1";
    let row = tx.optional(sql, [token.into()]).await?;
    let found = read(&row.ok_or_else(|| FlagsError::UnknownToken(token.to_owned()))?)?;
    if found.revoked.is_none() {
        let sql = "UPDATE feature_flag_tokens SET revoked_at = $2 WHERE id = $1";
        tx.execute(sql, [found.id.as_str().into(), now.to_string().into()]).await?;
        note(tx, &found, "revoke", author, now).await?;
    }
    Ok(found.id)
}

async fn all(tx: &mut Transaction, known: Option<Mark>) -> Result<Option<(Mark, Vec<Record>)>, FlagsError> {
    let sql = "SELECT (SELECT tokens FROM feature_flag_service), (SELECT COUNT(*) FROM feature_flag_tokens),
         (SELECT COUNT(*) FROM feature_flag_tokens WHERE revoked_at IS NOT NULL)";
    let row = tx.row(sql, []).await?;
    let mark = Mark([row.count(0)?, row.count(1)?, row.count(2)?]);
    if known == Some(mark) {
        return Ok(None);
    }
    let mut records = Vec::new();
    for row in tx.rows(COLUMNS, []).await? {
        match read(&row) {
            Ok(record) => records.push(record),
            // A newer version's: it lets nobody in here.
            Err(error) => tracing::error!(%error, "a stored token does not read back"),
        }
    }
    Ok(Some((mark, records)))
}

async fn insert(tx: &mut Transaction, token: &Record) -> Result<(), FlagsError> {
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let row = [
        token.id.as_str().into(),
        token.digest.to_string().into(),
        token.name.as_str().into(),
        token.roles.to_string().into(),
        environments(token).into(),
        i64::from(token.may_name_people).into(),
        token.created.to_string().into(),
        moment(token.expires).into(),
    ];
    let sql = "INSERT INTO feature_flag_tokens
         (id, digest, name, roles, environments, may_name_people, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(sql, row).await
}

/// Writes the line of a change, and counts it.
async fn note(
    tx: &mut Transaction,
    token: &Record,
    action: &str,
    author: &Author,
    now: Timestamp,
) -> Result<(), FlagsError> {
    let row = [
        token.id.as_str().into(),
        token.name.as_str().into(),
        action.into(),
        now.to_string().into(),
        author.signature().into(),
        author.ip.as_str().into(),
        author.reason.as_str().into(),
        token.roles.to_string().into(),
        environments(token).into(),
    ];
    let sql = "INSERT INTO feature_flag_token_audit_log
         (token_id, token_name, action, at, who, ip, reason, roles, environments)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.execute(sql, row).await?;
    tx.execute("UPDATE feature_flag_service SET tokens = tokens + 1", []).await
}

fn environments(token: &Record) -> String {
    serde_json::Value::from(token.environments.clone()).to_string()
}

fn read(row: &Row) -> Result<Record, FlagsError> {
    let wrong = |what: &str| FlagsError::from(FieldError::new(what, "does not read back"));
    let moment = |text: Option<String>, what| text.map(|text| text.parse().map_err(|_| wrong(what))).transpose();
    let environments: Vec<String> = serde_json::from_str(&row.text(4)?).map_err(|_| wrong("environments"))?;
    Ok(Record {
        id: row.text(0)?.parse().map_err(|_| wrong("id"))?,
        digest: row.text(1)?.parse().map_err(|_| wrong("digest"))?,
        name: row.text(2)?,
        roles: row.text(3)?.parse().map_err(|_| wrong("roles"))?,
        environments,
        may_name_people: row.integer(5)? != 0,
        created: row.text(6)?.parse().map_err(|_| wrong("created_at"))?,
        expires: moment(row.optional_text(7)?, "expires_at")?,
        revoked: moment(row.optional_text(8)?, "revoked_at")?,
        used: Used::at(moment(row.optional_text(9)?, "last_used_at")?),
    })
}

fn entry(row: &Row) -> Result<TokenAudit, FlagsError> {
    Ok(TokenAudit {
        id: row.integer(0)?,
        token_id: row.text(1)?,
        token_name: row.text(2)?,
        action: row.text(3)?,
        at: row.text(4)?,
        who: row.text(5)?,
        ip: row.text(6)?,
        reason: row.text(7)?,
        roles: row.text(8)?,
        environments: serde_json::from_str(&row.text(9)?).unwrap_or_default(),
    })
}
