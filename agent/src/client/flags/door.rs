//! One HTTP exchange with the flag service, bounded in time and size.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Address, FlagClientError, Token};
use crate::client::error::beginning;

/// How long one answer may take, and how long a connection.
const PATIENCE: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);

/// How long a service may take to carry over all flags and the history of an application.
pub(super) const IMPORT: Duration = Duration::from_secs(600);

/// No answer comes near this; what is longer is no flag service.
const LARGEST: usize = 64 << 20;

/// The way to the service.
#[derive(Clone, Debug)]
pub(super) struct Door {
    http: Client,
    address: Address,
    headers: HeaderMap,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    method: Method,
    segments: &'a [&'a str],
    query: &'a [(&'a str, String)],
    body: Option<Value>,
    only_if: Option<&'a str>,
    patience: Duration,
}

impl<'a> Ask<'a> {
    /// Of the path of these segments.
    pub(super) const fn new(method: Method, segments: &'a [&'a str]) -> Self {
        Self { method, segments, query: &[], body: None, only_if: None, patience: PATIENCE }
    }

    pub(super) const fn get(segments: &'a [&'a str]) -> Self {
        Self::new(Method::GET, segments)
    }

    pub(super) fn query(self, query: &'a [(&'a str, String)]) -> Self {
        Self { query, ..self }
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn only_if(self, only_if: Option<&'a str>) -> Self {
        Self { only_if, ..self }
    }

    /// For what takes longer than others.
    pub(super) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// What was answered, when it is no refusal.
#[derive(Debug)]
pub(super) struct Said {
    at: String,
    pub(super) body: Bytes,
    pub(super) tag: Option<String>,
}

impl Said {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, FlagClientError> {
        serde_json::from_slice(&self.body).map_err(|error| FlagClientError::Garbled {
            at: self.at.clone(),
            reason: error.to_string(),
            said: beginning(&self.body),
        })
    }
}

impl Door {
    pub(super) fn new(address: Address, token: Option<Token>, by: &str) -> Result<Self, FlagClientError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Ok(by) = HeaderValue::try_from(by) {
            headers.insert("x-teal-user", by);
        }
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token.header().clone());
        }
        Ok(Self { http: http(&address)?, address, headers })
    }

    pub(super) fn at(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn garbled(&self, reason: &impl ToString, body: &[u8]) -> FlagClientError {
        FlagClientError::Garbled { at: self.at(), reason: reason.to_string(), said: beginning(body) }
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Said, FlagClientError> {
        self.exchange(self.request(ask)).await
    }

    fn request(&self, ask: Ask<'_>) -> RequestBuilder {
        let Ask { method, segments, query, body, only_if, patience } = ask;
        let mut url = self.address.of(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url).headers(self.headers.clone()).timeout(patience);
        if let Some(tag) = only_if {
            request = request.header(IF_MATCH, tag);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        request
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Said, FlagClientError> {
        let unreachable = |error| FlagClientError::unreachable(self.at(), error);
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = match read(answer, LARGEST).await.map_err(unreachable)? {
            Ok(body) => body,
            Err(beginning) => return Err(self.garbled(&format!("more than {LARGEST} bytes"), &beginning)),
        };
        if !status.is_success() {
            return Err(FlagClientError::refused(status, &body));
        }
        Ok(Said { at: self.at(), body: body.into(), tag })
    }
}

/// The body of an answer; of one with more bytes than `most` no more than these, as the inner error.
pub(in crate::client) async fn read(
    mut answer: Response,
    most: usize,
) -> Result<Result<Vec<u8>, Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(Err(body));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Ok(body))
}

/// The HTTP client of an address.
pub(in crate::client) fn http(address: &Address) -> Result<Client, FlagClientError> {
    // Without one the client would panic, and installing twice is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("teal/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .redirect(Policy::none()); // a token goes where it was meant to
    let trust = |path: &Path, error: &dyn ToString| FlagClientError::Trust {
        path: path.display().to_string(),
        problem: error.to_string(),
    };
    let builder = if address.is_local() { builder.no_proxy() } else { builder };
    let builder = match address.unix() {
        Some(path) => builder.unix_socket(path),
        None => builder,
    };
    let authority = address.authority();
    let builder = match authority {
        None => builder,
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| trust(path, &error))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| trust(path, &error))?;
            if certificates.is_empty() {
                return Err(trust(path, &"holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
            }
            builder.tls_certs_only(certificates)
        }
    };
    builder.build().map_err(|error| trust(authority.unwrap_or(Path::new("the system")), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_is_given_longer() {
        let door = Door::new(Address::parse("http://127.0.0.1:1", None).unwrap(), None, "").unwrap();
        let check = |ask: Ask<'_>, expected: Duration| {
            assert_eq!(door.request(ask).build().unwrap().timeout(), Some(&expected));
        };
        check(Ask::get(&[]), PATIENCE);
        check(Ask::get(&["import"]).patience(IMPORT), Duration::from_secs(600));
    }
}
