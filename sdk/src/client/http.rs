//! Requests to the service: made, bounded in time and size, and their failures named.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{AGE, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::address::{Address, Addresses};
use super::error::ClientError;
use super::identity::Identity;
use super::limits::{LONGEST, Limits};
use super::retry_after::retry_after;
use super::token::Token;
use super::{blocking, tls};

/// The service, as this client is to talk to it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) addresses: Addresses,
    pub(super) environment: Option<String>,
    pub(super) token: Token,
    pub(super) authority: Option<PathBuf>,
    pub(super) limits: Limits,
    /// The state of the token's file of which flags were last asked for.
    token_seen: Mutex<Option<Identity>>,
    /// The HTTP client, and what it was made for.
    client: Mutex<Option<(MadeFor, Client)>>,
}

/// Which address, and the state of the authority's file.
type MadeFor = (usize, Option<Identity>);

/// A request.
pub(super) struct Request {
    pub(super) method: Method,
    /// As in `stream`.
    pub(super) resource: &'static str,
    /// The environment goes into the query.
    pub(super) with_environment: bool,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn get(resource: &'static str) -> Self {
        Self { method: Method::GET, resource, with_environment: true, headers: HeaderMap::new(), body: None }
    }

    /// Adds a header, unless the value cannot be one.
    pub(super) fn header(mut self, name: HeaderName, value: Option<String>) -> Self {
        if let Some(value) = value.and_then(|value| value.try_into().ok()) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Service {
    pub(super) fn new(
        addresses: Addresses,
        environment: Option<String>,
        token: Token,
        authority: Option<PathBuf>,
        limits: Limits,
    ) -> Self {
        Self {
            addresses,
            environment,
            token,
            authority,
            limits,
            token_seen: Mutex::default(),
            client: Mutex::default(),
        }
    }

    /// Sends, and waits for the head of a good answer (2xx or 304) until the deadline.
    ///
    /// # Errors
    /// Whatever else comes, or nothing.
    pub(super) async fn send(
        &self,
        request: Request,
        limit: Duration,
        what: &'static str,
    ) -> Result<Response, ClientError> {
        let deadline = Instant::now() + limit;
        let environment = self.environment.as_deref().filter(|_| request.with_environment);
        let (at, address) = self.addresses.current();
        let url = address.of(request.resource, environment);
        let token = self.token.clone();
        // In this order: a token that changes between the two counts as new.
        let (seen, token) = blocking(move || (token.identity(), token.header())).await?;
        if request.method == Method::GET {
            *self.token_seen.lock().await = seen;
        }
        let token = token?;
        let mut builder = self.client(at, address).await?.request(request.method, url).headers(request.headers);
        if let Some(token) = token {
            builder = builder.header(AUTHORIZATION, token);
        }
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = timeout_at(deadline, builder.send()).await.map_err(|_| ClientError::TimedOut { what, limit })?;
        judge(answer.map_err(broken)?)
    }

    /// Whether the token's file is another one than when flags were last asked for.
    pub(super) async fn has_new_token(&self) -> bool {
        let token = self.token.clone();
        let now = blocking(move || token.identity()).await.ok().flatten();
        now != *self.token_seen.lock().await
    }

    /// The HTTP client; made anew for another address, and when the authority's file has changed.
    async fn client(&self, at: usize, address: &Address) -> Result<Client, ClientError> {
        let mut held = self.client.lock().await;
        let (address, authority, limits) = (address.clone(), self.authority.clone(), self.limits.clone());
        let known = held.as_ref().map(|(made_for, _)| *made_for);
        let made = blocking(move || {
            let made_for = (at, authority.as_deref().and_then(|path| Identity::of(path).ok()));
            if known == Some(made_for) {
                return Ok(None);
            }
            tls::client(&address, authority.as_deref(), &limits).map(|client| Some((made_for, client)))
        });
        if let Some(new) = made.await?? {
            *held = Some(new);
        }
        match &*held {
            Some((_, client)) => Ok(client.clone()),
            None => Err(ClientError::Trust("there is no client".into())),
        }
    }

    /// All of an answer.
    ///
    /// # Errors
    /// When it is too large, too slow, or breaks off.
    pub(super) async fn body(&self, mut response: Response) -> Result<Vec<u8>, ClientError> {
        let Limits { size, whole, .. } = self.limits;
        if response.content_length().is_some_and(|length| length > size as u64) {
            return Err(ClientError::TooLarge { limit: size });
        }
        let deadline = Instant::now() + whole;
        let mut body = Vec::new();
        loop {
            let chunk = timeout_at(deadline, response.chunk()).await;
            match chunk.map_err(|_| ClientError::TimedOut { what: "the end of the document", limit: whole })? {
                Ok(Some(chunk)) if body.len() + chunk.len() > size => {
                    return Err(ClientError::TooLarge { limit: size });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

/// How old an answer was when it was given (`Age`, RFC 9111, 5.1): a relay may have been out of touch for so long.
pub(super) fn age(response: &Response) -> Duration {
    let seconds = response.headers().get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(0)).min(LONGEST)
}

/// The chain of causes, without the address, which may be nobody's business.
pub(super) fn broken(error: reqwest::Error) -> ClientError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    ClientError::Unreachable(text)
}

/// Whether an answer's head is good.
fn judge(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    let code = status.as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    Err(match status {
        StatusCode::NOT_MODIFIED => return Ok(response),
        _ if status.is_success() => return Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ClientError::Refused { status: code },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => ClientError::Busy {
            status: code,
            retry_after: header(RETRY_AFTER).and_then(|text| retry_after(text, super::now())),
        },
        _ if status.is_redirection() => {
            let to = header(LOCATION).unwrap_or("nowhere").split(['?', '#']).next().unwrap_or_default();
            ClientError::Redirected { status: code, to: to.to_owned() }
        }
        _ => ClientError::Status { status: code },
    })
}
