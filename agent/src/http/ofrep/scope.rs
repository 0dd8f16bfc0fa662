//! What a client is answered from: the flags of one environment.

use axum::http::{HeaderMap, HeaderName};
use teal_flags::model::limits::LABEL;

use super::asked::Wrong;
use crate::http::query::{Asked, Kind, Parameter};

/// Names the environment. Clients of OpenFeature can all send a header with each request.
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-teal-environment");

/// What a client sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// `None`: flags that are meant for some environments only are off.
    pub(super) environment: Option<String>,
}

/// What can be said in the query, where a header cannot be sent.
pub(super) const ASKED: [Parameter; 1] =
    [Parameter { name: "environment", about: "The environment, unless the header says it.", kind: Kind::Text(LABEL) }];

impl Scope {
    /// As the request says it: the header, or the query parameter `environment`. A member `environment` of the context is an
    /// attribute like any other, because it is one for the SDK.
    pub(super) fn of(query: Option<&str>, headers: &HeaderMap) -> Result<Self, Wrong> {
        // The web provider may add parameters of its own.
        let asked = Asked::known(query, &ASKED);
        let asked = asked.map_err(|refused| Wrong::context(format!("the query: {}", refused.problem().detail)))?;
        let environment = match headers.get(ENVIRONMENT) {
            Some(value) => value.to_str().map_err(|_| Wrong::context("X-Teal-Environment is no text in ASCII"))?.trim(),
            None => asked.text("environment").unwrap_or_default(),
        };
        if environment.chars().count() > LABEL {
            return Err(Wrong::context(format!("X-Teal-Environment is longer than {LABEL} characters")));
        }
        Ok(Self { environment: Some(environment.to_owned()).filter(|name| !name.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_said_by_the_header_or_else_by_the_query() {
        let check = |header: Option<&str>, query: &str, expected: Result<Option<&str>, &str>| {
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|value| (ENVIRONMENT, value.parse().unwrap())));
            let scope = Scope::of(Some(query), &headers);
            match expected {
                Ok(expected) => assert_eq!(scope.unwrap().environment.as_deref(), expected, "{header:?} {query}"),
                Err(words) => assert!(scope.unwrap_err().details.contains(words), "{header:?} {query}"),
            }
        };
        check(None, "", Ok(None));
        check(Some("prod"), "", Ok(Some("prod")));
        check(Some("prod"), "environment=dev", Ok(Some("prod")));
        check(None, "environment=dev&flagConfigEtag=7", Ok(Some("dev")));
        check(Some(" "), "", Ok(None));
        check(Some(&"x".repeat(201)), "", Err("longer than 200"));
        check(None, "environment=a&environment=b", Err("twice"));
        check(None, "environment=%00", Err("control"));
        check(Some("\u{1F600}"), "", Err("ASCII"));
    }
}
