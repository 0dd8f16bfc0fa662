//! The typed client of the admin API, over the operators' unix socket.
//!
//! One connection a call: calls are rare, and a restarted agent is then never met through a stale connection.

mod error;
pub mod flags;
pub mod old;
mod transport;

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde::de::DeserializeOwned;

use crate::api::{
    self, Accepted, Explanation, OrderRequest, Record, Release, ReleaseId, Status, TokenInfo, TokenList, TokenMade,
    TokenRequest,
};

pub use error::ClientError;

/// How long an answer may take, beyond what a long poll asks to wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where tokens are.
const TOKENS: &str = "/api/v1/tokens";

/// Everything but letters and digits, so that it may stand in any part of an address.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Talks to one agent.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// A client of the agent that listens on `socket`. Nothing is opened yet.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), patience: PATIENCE }
    }

    /// The same with another limit for an answer (default 5 s).
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where it calls.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The environments of the agent, by name.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn environments(&self) -> Result<Vec<String>, ClientError> {
        self.get("/v1/environments").await
    }

    /// What runs where, just now.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn status(&self, environment: &str) -> Result<Status, ClientError> {
        self.get(&api::path(environment, "")).await
    }

    /// Gives an order. It is taken when this returns, not done.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn order(&self, environment: &str, order: &OrderRequest) -> Result<Accepted, ClientError> {
        let body = serde_json::to_vec(order).unwrap_or_default();
        let path = api::path(environment, "/orders");
        self.call(Method::POST, &path, body, self.patience).await
    }

    /// Events after `after`; waits up to `wait` for the first.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn events(&self, environment: &str, after: u64, wait: Duration) -> Result<Vec<Record>, ClientError> {
        // Rounded up: "wait 0" would turn a loop of short waits into a busy one.
        let seconds = wait.as_millis().div_ceil(1000);
        let path = api::path(environment, &format!("/events?after={after}&wait={seconds}"));
        self.call(Method::GET, &path, Vec::new(), self.patience + wait).await
    }

    /// Past and current releases, newest first.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn releases(&self, environment: &str) -> Result<Vec<Release>, ClientError> {
        self.get(&api::path(environment, "/releases")).await
    }

    /// Why each decision of a release fell.
    ///
    /// # Errors
    /// The agent does not answer or knows no such release.
    pub async fn explain(&self, environment: &str, release: ReleaseId) -> Result<Explanation, ClientError> {
        self.get(&api::path(environment, &format!("/releases/{}", release.0))).await
    }

    /// The tokens of its flag service, also those that were revoked.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, ClientError> {
        Ok(self.get::<TokenList>(TOKENS).await?.tokens)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn create_token(&self, token: &TokenRequest) -> Result<TokenMade, ClientError> {
        self.call(Method::POST, TOKENS, serde_json::to_vec(token).unwrap_or_default(), self.patience).await
    }

    /// Revokes a token by its name or id.
    ///
    /// # Errors
    /// The agent does not answer or refuses.
    pub async fn revoke_token(&self, token: &str, reason: &str) -> Result<TokenInfo, ClientError> {
        let path = format!("{TOKENS}/{}?reason={}", escaped(token), escaped(reason));
        self.call(Method::DELETE, &path, Vec::new(), self.patience).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, Vec::new(), self.patience).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let answer = tokio::time::timeout(limit, transport::exchange(&self.socket, method, path, body)).await;
        let (status, body) = answer.map_err(|_| ClientError::TimedOut { socket: self.socket.clone(), limit })??;
        if !status.is_success() {
            return Err(ClientError::refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| ClientError::garbled(&self.socket, &error, &body))
    }
}

#[cfg(test)]
mod tests;
