//! Another flag service that is asked for one flag and one user at a time: whoever answers like PhysioFlow's REST `check`, or OFREP.
//!
//! Its errors name no user: what such a service says may repeat who was asked for, so that only its status is told.

use std::time::Duration;

use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use serde_json::{Map, Value, json};

use crate::client::flags::{Address, FlagClientError, Token, USERS, read};

/// How often one question is asked again that was refused because there were too many.
const TRIES: u32 = 6;
/// How long is waited before that where the service does not say; and the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// No answer of one flag comes near this, in bytes.
const LARGEST: usize = 1 << 20;

/// Where Teal's own OFREP takes the environment from; others take it from the context.
const ENVIRONMENT: &str = "x-teal-environment";

/// Where a REST answer may say whether the flag is on, in itself or in one of `WITHIN`.
const ENABLED: [&str; 6] = ["enabled", "is_enabled", "isEnabled", "value", "result", "active"];
const WITHIN: [&str; 3] = ["data", "result", "flag"];

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `POST .../feature-flags/{flag}/check` with a JSON body.
    RestPost,
    /// `GET .../feature-flags/{flag}/check?user_id=`.
    RestGet,
    /// `POST /ofrep/v1/evaluate/flags/{flag}`.
    Ofrep,
}

impl Kind {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RestPost => "REST check by POST",
            Self::RestGet => "REST check by GET",
            Self::Ofrep => "OFREP",
        }
    }
}

/// What it answered.
#[derive(Clone, Debug, PartialEq)]
pub enum OldAnswer {
    /// On or off; nothing else is told.
    Switch(bool),
    /// This value.
    Value(Value),
    /// The caller's default.
    Default,
    /// It knows no such flag.
    Unknown,
}

/// Talks to one such service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OldClient {
    http: reqwest::Client,
    address: Address,
    headers: HeaderMap,
}

impl OldClient {
    /// A client. Nothing is opened yet.
    ///
    /// # Errors
    /// As [`super::flags::FlagClient::new`].
    pub fn new(address: Address, token: Option<Token>, plain_http: bool) -> Result<Self, FlagClientError> {
        // Whoever is asked for is named in each question.
        if let Some(at) = address.exposed(plain_http) {
            return Err(FlagClientError::Exposed { what: USERS, at });
        }
        let mut headers = HeaderMap::new();
        headers.extend(token.map(|token| (AUTHORIZATION, token.header().clone())));
        Ok(Self { http: super::flags::http(&address)?, address, headers })
    }

    /// Where it calls.
    #[must_use]
    pub fn at(&self) -> String {
        self.address.to_string()
    }

    /// What a flag answers to somebody there.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or says what is no answer.
    pub async fn ask(
        &self,
        kind: Kind,
        flag: &str,
        user: &str,
        attributes: &Map<String, Value>,
        environment: Option<&str>,
    ) -> Result<OldAnswer, FlagClientError> {
        let (method, url, body) = match kind {
            Kind::RestPost => {
                let body = json!({"user_id": user, "environment": environment, "attributes": attributes});
                (Method::POST, self.address.of(&[flag, "check"]), Some(body))
            }
            Kind::RestGet => {
                let mut url = self.address.of(&[flag, "check"]);
                url.query_pairs_mut().append_pair("user_id", user);
                if let Some(environment) = environment {
                    url.query_pairs_mut().append_pair("environment", environment);
                }
                if !attributes.is_empty() {
                    url.query_pairs_mut().append_pair("attributes", &json!(attributes).to_string());
                }
                (Method::GET, url, None)
            }
            Kind::Ofrep => {
                let mut context = attributes.clone();
                context.insert("targetingKey".to_owned(), user.into());
                context.extend(environment.map(|name| ("environment".to_owned(), name.into())));
                (
                    Method::POST,
                    self.address.beside(&["ofrep", "v1", "evaluate", "flags", flag]),
                    Some(json!({"context": context})),
                )
            }
        };
        let (status, body) =
            self.exchange(&method, &url, environment.filter(|_| kind == Kind::Ofrep), body.as_ref()).await?;
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let answer = match kind {
            Kind::Ofrep => ofrep(status, &json),
            Kind::RestPost | Kind::RestGet => rest(status, &json),
        };
        answer.ok_or_else(|| FlagClientError::refused(status, b""))
    }

    /// Asks, and again a little later where there were too many questions.
    async fn exchange(
        &self,
        method: &Method,
        url: &Url,
        environment: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>), FlagClientError> {
        let unreachable = |error| FlagClientError::unreachable(self.at(), error);
        let (mut left, mut pause) = (TRIES, PAUSE);
        loop {
            left -= 1;
            let mut request = self.http.request(method.clone(), url.clone()).headers(self.headers.clone());
            if let Some(environment) = environment {
                request = request.header(ENVIRONMENT, environment);
            }
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let answer = request.send().await.map_err(unreachable)?;
            let status = answer.status();
            if left > 0 && matches!(status.as_u16(), 429 | 503) {
                let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                tokio::time::sleep(asked.map_or(pause, Duration::from_secs).min(LONGEST)).await;
                pause *= 2;
                continue;
            }
            return match read(answer, LARGEST).await.map_err(unreachable)? {
                Ok(body) => Ok((status, body)),
                Err(_) => {
                    let reason = format!("more than {LARGEST} bytes");
                    Err(FlagClientError::Garbled { at: self.at(), reason, said: String::new() })
                }
            };
        }
    }
}

/// `None`: no answer.
fn rest(status: StatusCode, json: &Value) -> Option<OldAnswer> {
    if status == StatusCode::NOT_FOUND {
        return Some(OldAnswer::Unknown);
    }
    let places = std::iter::once(json).chain(WITHIN.iter().filter_map(|name| json.get(*name)));
    let mut found = places.flat_map(|place| ENABLED.iter().filter_map(|name| place.get(*name)?.as_bool()));
    found.next().filter(|_| status.is_success()).map(OldAnswer::Switch)
}

fn ofrep(status: StatusCode, json: &Value) -> Option<OldAnswer> {
    if status.is_success() && (json.get("key").is_some() || json.get("reason").is_some()) {
        return Some(
            json.get("value")
                .filter(|value| !value.is_null())
                .map_or(OldAnswer::Default, |value| OldAnswer::Value(value.clone())),
        );
    }
    match json.get("errorCode").and_then(Value::as_str)? {
        "FLAG_NOT_FOUND" => Some(OldAnswer::Unknown),
        // There is no value for them: the caller takes its own.
        _ => (status == StatusCode::BAD_REQUEST).then_some(OldAnswer::Default),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::response::IntoResponse;
    use tokio::task::JoinHandle;

    use super::*;

    #[test]
    fn each_kind_of_answer_is_read() {
        let check = |kind: Kind, status: u16, text: &str, expected: Option<OldAnswer>| {
            let (status, json) =
                (StatusCode::from_u16(status).unwrap(), serde_json::from_str(text).unwrap_or_default());
            let found = if kind == Kind::Ofrep { ofrep(status, &json) } else { rest(status, &json) };
            assert_eq!(found, expected, "{text}");
        };
        let rest = Kind::RestPost;
        check(rest, 200, r#"{"enabled": true, "reason": "SPLIT"}"#, Some(OldAnswer::Switch(true)));
        check(rest, 200, r#"{"success": true, "data": {"is_enabled": false}}"#, Some(OldAnswer::Switch(false)));
        check(rest, 200, r#"{"result": true}"#, Some(OldAnswer::Switch(true)));
        check(rest, 200, "<html>", None);
        check(rest, 404, "", Some(OldAnswer::Unknown));
        check(rest, 500, r#"{"enabled": true}"#, None);
        check(
            Kind::Ofrep,
            200,
            r#"{"key": "a", "value": {"x": 1}, "reason": "STATIC"}"#,
            Some(OldAnswer::Value(json!({"x": 1}))),
        );
        check(Kind::Ofrep, 200, r#"{"key": "a", "reason": "DISABLED"}"#, Some(OldAnswer::Default));
        check(Kind::Ofrep, 404, r#"{"key": "a", "errorCode": "FLAG_NOT_FOUND"}"#, Some(OldAnswer::Unknown));
        check(Kind::Ofrep, 400, r#"{"key": "a", "errorCode": "TARGETING_KEY_MISSING"}"#, Some(OldAnswer::Default));
        check(Kind::Ofrep, 404, "page not found", None);
        check(Kind::Ofrep, 401, r#"{"errorCode": "GENERAL"}"#, None);
    }

    #[test]
    fn nobody_is_named_where_others_can_read_it() {
        let client = |url, plain_http| OldClient::new(Address::parse(url, None).unwrap(), None, plain_http);
        let error = client("http://old.internal", false).unwrap_err().to_string();
        assert!(error.starts_with("the users' ids would travel unencrypted to http://old.internal: "), "{error}");
        assert!(client("http://old.internal", true).is_ok() && client("http://127.0.0.1:1", false).is_ok());
    }

    /// A service that answers to what is asked, and how often that was.
    async fn fake<T: IntoResponse + 'static>(
        answer: impl Fn(HeaderMap) -> T + Clone + Send + Sync + 'static,
    ) -> (OldClient, Arc<AtomicU32>, JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<AtomicU32>::default();
        let count = asked.clone();
        let app = axum::Router::new().fallback(move |headers: HeaderMap| async move {
            count.fetch_add(1, Ordering::Relaxed);
            answer(headers)
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        (OldClient::new(Address::parse(&url, None).unwrap(), None, false).unwrap(), asked, task)
    }

    #[tokio::test]
    async fn an_environment_is_told_in_the_header_that_teal_takes_it_from() {
        let answer = |headers: HeaderMap| {
            let environment = headers.get("x-teal-environment").and_then(|value| value.to_str().ok());
            json!({"key": "f", "value": environment}).to_string()
        };
        let (client, _, task) = fake(answer).await;
        let ask = async |environment| client.ask(Kind::Ofrep, "f", "u", &Map::new(), environment).await.unwrap();
        assert_eq!(ask(Some("prod")).await, OldAnswer::Value("prod".into()));
        assert_eq!(ask(None).await, OldAnswer::Default);
        task.abort();
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_read_to_it_and_repeats_nobody() {
        let (client, _, task) = fake(|_| "user-7 ".repeat(LARGEST / 7 + 1)).await;
        let error = client.ask(Kind::RestPost, "f", "user-7", &Map::new(), None).await.unwrap_err().to_string();
        assert!(error.contains("more than 1048576 bytes") && !error.contains("user-7"), "{error}");
        task.abort();
    }

    #[tokio::test]
    async fn a_service_that_is_asked_too_much_is_asked_again_a_few_times() {
        let busy = |_| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "0")]);
        let (client, asked, task) = fake(busy).await;
        let error = client.ask(Kind::RestPost, "f", "user-7", &Map::new(), None).await.unwrap_err();
        assert_eq!((error.status(), asked.load(Ordering::Relaxed)), (Some(429), TRIES));
        task.abort();
    }
}
