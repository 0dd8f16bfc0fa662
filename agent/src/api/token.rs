//! Tokens of the flag service, as they are told and asked for. Their paths stand below `/api/v1/tokens`.

use serde::{Deserialize, Serialize};

/// What is told of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenInfo {
    /// Its public part.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub roles: Vec<String>,
    /// Where; empty: everywhere.
    pub environments: Vec<String>,
    /// Whether it may name the person whom it acts for.
    pub may_name_people: bool,
    /// RFC 3339, UTC, here and below.
    pub created_at: String,
    /// Until when; `None`: until it is revoked.
    pub expires_at: Option<String>,
    /// When it was.
    pub revoked_at: Option<String>,
    /// To the minute; `None`: never.
    pub last_used_at: Option<String>,
}

/// A token that was just made.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenMade {
    /// The whole token: it is told this once.
    pub token: String,
    /// What is told of it otherwise.
    #[serde(flatten)]
    pub info: TokenInfo,
}

/// Never shows the token.
impl std::fmt::Debug for TokenMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenMade").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A token that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenRequest {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub roles: Vec<String>,
    /// Where; empty: everywhere.
    pub environments: Vec<String>,
    /// RFC 3339; `None`: until it is revoked.
    pub expires_at: Option<String>,
    /// Whether it may name the person whom it acts for.
    pub may_name_people: bool,
    /// Why, for the audit log.
    pub reason: String,
}

/// All tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenList {
    /// In the order in which they were made.
    pub tokens: Vec<TokenInfo>,
}
