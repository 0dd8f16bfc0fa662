//! The way to one edge's agent: one request at a time, bounded, with a token that is read anew each time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};

use super::Settings;
use crate::api::{Observation, Problem};

/// How long a connection may take to open, and a telling from its beginning to its answer.
const CONNECT: Duration = Duration::from_millis(500);
const ANSWER: Duration = Duration::from_secs(1);
/// Bytes of a refusal that are read.
const MOST: usize = 4096;

/// Why there is no way.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// The authority's file.
    #[error("agent.ca_file: {} cannot be used: {problem}", path.display())]
    Authority {
        /// Which file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The client itself.
    #[error("cannot make an HTTP client: {0}")]
    Client(reqwest::Error),
}

/// Why a telling did not arrive. In words that stay the same while nothing changes, so that they are logged once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// It is not there, or busy.
    #[error("it does not answer: {0}")]
    Away(String),
    /// It does not want it.
    #[error("{0}")]
    Refused(String),
}

/// A way. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Way {
    http: Client,
    edge: Arc<str>,
    token_file: Arc<Path>,
}

impl Way {
    pub(super) fn to(edge: &str, settings: &Settings) -> Result<Self, WayError> {
        // Without one the client would panic, and installing twice is harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("teal/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .pool_max_idle_per_host(2)
            .no_proxy()
            .redirect(Policy::none()); // a token goes where it was meant to
        let builder = match &settings.ca_file {
            None => builder,
            Some(path) => builder.tls_certs_only(authorities(path)?),
        };
        Ok(Self {
            http: builder.build().map_err(WayError::Client)?,
            edge: edge.trim_end_matches('/').into(),
            token_file: settings.token_file.as_path().into(),
        })
    }

    pub(super) fn edge(&self) -> &str {
        &self.edge
    }

    pub(super) async fn tell(&self, environment: &str, observation: &Observation) -> Result<(), Trouble> {
        let token = self.token().map_err(Trouble::Refused)?;
        let url = format!("{}/api/v1/environments/{environment}/observations", self.edge);
        // Made of what JSON can carry.
        let body = serde_json::to_vec(observation).unwrap_or_default();
        let request = self.http.post(url).header(AUTHORIZATION, token).header(CONTENT_TYPE, "application/json");
        let answer = request.body(body).send().await.map_err(|error| Trouble::Away(brief(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let said = said(answer).await;
        let why = format!("{} {said}", status.as_u16());
        let is_away = status.is_server_error() || status.as_u16() == 429;
        Err(if is_away { Trouble::Away(why) } else { Trouble::Refused(why) })
    }

    /// A read of a hundred bytes, so that a token that was renewed counts at once.
    fn token(&self) -> Result<HeaderValue, String> {
        let path = self.token_file.display();
        let text = std::fs::read_to_string(&self.token_file)
            .map_err(|error| format!("agent.token_file: {path} cannot be read: {error}"))?;
        let header = HeaderValue::try_from(format!("Bearer {}", text.trim()));
        let mut header = header.map_err(|_| format!("agent.token_file: {path} holds more than a token"))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, WayError> {
    let wrong = |problem: String| WayError::Authority { path: path.to_owned(), problem };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(certificates)
}

/// The innermost cause, which does not change from try to try.
fn brief(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "not in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// What a refusal says of itself, in a line.
async fn said(mut answer: Response) -> String {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > MOST {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let field = problem.field.map(|field| format!("{field}: ")).unwrap_or_default();
    let text = format!("{}: {field}{}", problem.title, problem.detail);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
