//! The suite as it stands in TOML, and the one place where its values are judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

use super::assertion::{Assertion, Expect, Kind};
use super::duration;
use super::suite::{Check, CheckError, Problem, Suite, SuiteError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSuite {
    #[serde(default)]
    allow_writes: bool,
    #[serde(default)]
    checks: Vec<RawCheck>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    name: String,
    component: String,
    method: Option<String>,
    path: String,
    status: Option<OneOrMore>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    header_files: BTreeMap<String, PathBuf>,
    body: Option<String>,
    #[serde(default)]
    json: Vec<RawAssertion>,
    contains: Option<String>,
    latency: Option<String>,
    timeout: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a status such as 200, or a list such as [200, 204]")]
enum OneOrMore {
    One(u16),
    More(Vec<u16>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAssertion {
    pointer: String,
    equals: Option<Value>,
    exists: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
}

impl RawSuite {
    pub(super) fn validate(self) -> Result<Suite, SuiteError> {
        if self.checks.is_empty() {
            return Err(SuiteError::Empty);
        }
        let (mut names, mut checks, mut errors) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (index, raw) in self.checks.into_iter().enumerate() {
            let name = raw.name.clone();
            let mut problems = Vec::new();
            if !names.insert(name.clone()) {
                problems.push(Problem::Duplicate);
            }
            checks.push(raw.validate(self.allow_writes, &mut problems));
            errors.extend(problems.into_iter().map(|problem| CheckError { index, check: name.clone(), problem }));
        }
        if errors.is_empty() {
            Ok(Suite { allow_writes: self.allow_writes, checks })
        } else {
            Err(SuiteError::Checks(errors))
        }
    }
}

impl RawCheck {
    /// The check, to be used only when no problem was added.
    fn validate(self, allow_writes: bool, problems: &mut Vec<Problem>) -> Check {
        if self.name.trim().is_empty() {
            problems.push(Problem::NoName);
        }
        if !self.path.starts_with('/') || self.path.contains('#') || self.path.parse::<http::Uri>().is_err() {
            problems.push(Problem::Path(self.path.clone()));
        }
        let method = read_method(self.method, allow_writes, problems);
        let reads = method == Method::GET || method == Method::HEAD;
        if reads && self.body.is_some() {
            problems.push(Problem::Body(method.clone()));
        }
        if method == Method::HEAD && (self.contains.is_some() || !self.json.is_empty()) {
            problems.push(Problem::Head);
        }
        let latency = read_duration("latency", self.latency, problems);
        let timeout = read_duration("timeout", self.timeout, problems);
        if latency.zip(timeout).is_some_and(|(latency, timeout)| latency > timeout) {
            problems.push(Problem::LatencyAboveTimeout);
        }
        Check {
            name: self.name,
            component: self.component,
            path: self.path,
            status: read_status(self.status, problems),
            headers: read_headers(self.headers, problems),
            header_files: read_header_files(self.header_files, problems),
            body: self.body,
            json: self.json.into_iter().filter_map(|raw| raw.validate(problems)).collect(),
            contains: self.contains,
            method,
            latency,
            timeout,
        }
    }
}

impl RawAssertion {
    fn validate(self, problems: &mut Vec<Problem>) -> Option<Assertion> {
        if !self.pointer.is_empty() && !self.pointer.starts_with('/') {
            problems.push(Problem::Pointer(self.pointer));
            return None;
        }
        let expect = match (self.equals, self.exists, self.kind) {
            (Some(value), None, None) => Expect::Equals(value),
            (None, Some(wanted), None) => Expect::Exists(wanted),
            (None, None, Some(kind)) => Expect::Kind(kind),
            _ => {
                problems.push(Problem::Expectation(self.pointer));
                return None;
            }
        };
        Some(Assertion { pointer: self.pointer, expect })
    }
}

fn read_method(text: Option<String>, allow_writes: bool, problems: &mut Vec<Problem>) -> Method {
    let Some(text) = text else { return Method::GET };
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let Some(method) = known.into_iter().find(|method| method.as_str() == text) else {
        problems.push(Problem::Method(text));
        return Method::GET;
    };
    if !allow_writes && method != Method::GET && method != Method::HEAD {
        problems.push(Problem::Writes(method.clone()));
    }
    method
}

fn read_status(status: Option<OneOrMore>, problems: &mut Vec<Problem>) -> Vec<u16> {
    let status = match status {
        None => vec![200],
        Some(OneOrMore::One(status)) => vec![status],
        Some(OneOrMore::More(statuses)) => statuses,
    };
    if status.is_empty() {
        problems.push(Problem::NoStatus);
    }
    problems
        .extend(status.iter().filter(|status| !(100..600).contains(*status)).map(|status| Problem::Status(*status)));
    status
}

fn read_duration(field: &'static str, text: Option<String>, problems: &mut Vec<Problem>) -> Option<Duration> {
    let value = text?;
    let parsed = duration::parse(&value);
    if parsed.is_none() {
        problems.push(Problem::Duration { field, value });
    }
    parsed
}

fn read_headers(raw: BTreeMap<String, String>, problems: &mut Vec<Problem>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in raw {
        match (HeaderName::try_from(&name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => drop(headers.insert(name, value)),
            _ => problems.push(Problem::Header(name)),
        }
    }
    headers
}

fn read_header_files(raw: BTreeMap<String, PathBuf>, problems: &mut Vec<Problem>) -> Vec<(HeaderName, PathBuf)> {
    let mut files = Vec::new();
    for (name, file) in raw {
        match HeaderName::try_from(&name) {
            Ok(name) => files.push((name, file)),
            Err(_) => problems.push(Problem::Header(name)),
        }
    }
    files
}
