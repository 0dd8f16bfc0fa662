//! OFREP, OpenFeature's protocol for questions over HTTP: for applications in languages that have no SDK of ours.
//!
//! ```text
//! POST /ofrep/v1/evaluate/flags/{name}    {"context": {"targetingKey": "user-7", "clinic": "hcm-3"}}    one answer
//! POST /ofrep/v1/evaluate/flags           the same; If-None-Match                                       all answers, ETag, 304
//!
//! X-Teal-Environment, ?environment= --Scope--+
//! body --asked--> user ----------------------+--> Answers (compiled once for each change) --answer--> JSON
//! ```
//! Answers are those of the SDK. Nobody's id or attributes go anywhere but into the answer.

mod answer;
mod asked;
mod described;
mod scope;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, FromRef, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use teal_flags::{ErrorCode, OwnedContext};

use super::access::Caller;
use super::flags::{body, rest};
use super::problem::Refused;
use super::routes::{Routes, post};
use crate::flags::Reads;
use answer::Answer;
use asked::Wrong;
use scope::Scope;

/// Adds the routes to those of a door that has flags.
pub(super) fn add<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Reads: FromRef<S>,
{
    routes
        .at("/ofrep/v1/evaluate/flags", [post(all, described::all())])
        .at("/ofrep/v1/evaluate/flags/{key}", [post(one, described::one())])
}

async fn one(
    State(reads): State<Reads>,
    Extension(caller): Extension<Caller>,
    key: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    // What is no text is no flag's name.
    let key = key.map(|Path(key)| key).unwrap_or_default();
    let body = body::bytes(body).await?;
    let answer = match question(query.as_deref(), &headers, &body) {
        Err(wrong) => Answer::wrong(Some(&key), wrong),
        Ok((scope, user)) => {
            let environment = caller.environment(scope.environment.as_deref())?;
            let answers = reads.answers(environment.as_deref());
            // One that is not shown is as one that is not there.
            let flag = answers.state().named(&key);
            if flag.is_none_or(|flag| caller.sees(flag)) {
                let answer = answers.one(&key, &user);
                reads.count(environment.as_deref(), flag.map(|flag| (&**flag, &answer)));
                Answer::of(&key, answer)
            } else {
                Answer::error(&key, ErrorCode::FlagNotFound)
            }
        }
    };
    Ok((answer.status(), Json(answer)).into_response())
}

async fn all(
    State(reads): State<Reads>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let body = body::bytes(body).await?;
    let (scope, user) = match question(query.as_deref(), &headers, &body) {
        Ok(question) => question,
        Err(wrong) => {
            let answer = Answer::wrong(None, wrong);
            return Ok((answer.status(), Json(answer)).into_response());
        }
    };
    let environment = caller.environment(scope.environment.as_deref())?;
    let answers = reads.answers(environment.as_deref());
    let flags = answers.state().flags().filter(|flag| caller.sees(flag));
    let told: Vec<_> = flags.map(|flag| (flag, answers.one(&flag.name, &user))).collect();
    reads.count(environment.as_deref(), told.iter().map(|(flag, answer)| (&***flag, answer)));
    let json = answer::list(told.into_iter().map(|(flag, answer)| Answer::of(&flag.name, answer)));
    let tag = answer::tag(&json);
    if rest::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let head: [(HeaderName, &str); 2] = [(header::ETAG, &tag), (header::CONTENT_TYPE, "application/json")];
    Ok((head, json).into_response())
}

/// From where it is asked, and for whom.
fn question(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<(Scope, OwnedContext), Wrong> {
    Ok((Scope::of(query, headers)?, asked::user(body)?))
}
