//! Which web pages may ask.
//!
//! A browser's pages reach this machine and its network too. A page of another site says so in `Origin`, and one whose name was rebound to
//! an address here asks for its own `Host`. So on loopback, and wherever somebody comes without a token, a name in either must be a
//! known one. Elsewhere a token is proof enough for any `Host`, because no browser adds one by itself; pages of other sites are let
//! in by `origins`, and are then told so in the answer's head (CORS).

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::text;
use crate::http::problem::Refused;

/// Who may be named.
#[derive(Debug)]
pub(super) struct Origins {
    /// Whether the door is one that only this machine reaches.
    is_loopback: bool,
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Headers that pages may send, as a preflight has them.
    headers: Option<HeaderValue>,
}

/// What is read of a request; and who acts through a token.
const HEADERS: &str =
    "authorization, content-type, if-match, if-none-match, last-event-id, x-api-key, x-teal-environment";

impl Origins {
    pub(super) fn new(is_loopback: bool, hosts: Vec<String>, origins: Vec<String>, person: &HeaderName) -> Self {
        let headers = HeaderValue::try_from(format!("{HEADERS}, {person}")).ok();
        Self { is_loopback, hosts, origins, headers }
    }

    /// The header that names somebody who may not ask, if one does.
    pub(super) fn check(&self, headers: &HeaderMap, has_token: bool) -> Result<(), &'static str> {
        let host = headers.get(header::HOST).map(|value| value.to_str().unwrap_or_default());
        if !host.is_none_or(|host| self.is_host(host, has_token)) {
            return Err("Host");
        }
        let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
        if !origin.is_none_or(|origin| self.is_listed(origin) || self.is_own(origin, host, has_token)) {
            return Err("Origin");
        }
        Ok(())
    }

    fn is_host(&self, host: &str, has_token: bool) -> bool {
        let name = name(host);
        let is_known = is_here(name) || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
        // A rebound name is no address.
        is_known || (!self.is_loopback && (has_token || address(name).is_some()))
    }

    fn is_listed(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// A page that came from this very door, or from this machine.
    fn is_own(&self, origin: &str, host: Option<&str>, has_token: bool) -> bool {
        let Some(authority) = origin.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string))
        else {
            return false;
        };
        if self.is_loopback { is_here(name(&authority)) } else { has_token && host == Some(authority.as_str()) }
    }

    /// The answer to a browser that asks whether a page may ask.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let is_preflight =
            *request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let origin = headers.get(header::ORIGIN).filter(|_| is_preflight)?;
        if !text(Some(origin)).is_some_and(|origin| self.is_listed(origin)) {
            return Some(Refused::stranger("Origin").into_response());
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let told = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE"),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ];
        response.headers_mut().extend(told.map(|(name, value)| (name, HeaderValue::from_static(value))));
        let headers = self.headers.iter().map(|headers| (header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone()));
        response.headers_mut().extend(headers);
        expose(response.headers_mut(), origin.clone());
        Some(response)
    }

    /// The page's origin, where it is one that may ask.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        text(Some(origin)).filter(|origin| self.is_listed(origin)).map(|_| origin.clone())
    }
}

/// Lets the page read the answer.
pub(super) fn expose(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, retry-after, location"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// `HOST[:PORT]` without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn address(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether it is this machine by its loopback name or address.
fn is_here(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || address(name).is_some_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const PERSON: HeaderName = HeaderName::from_static("x-somebody");

    #[test]
    fn a_page_of_a_known_origin_may_send_all_that_is_read_and_no_other_page_may_send_anything() {
        let origins = Origins::new(false, vec![], vec!["https://app.example".into()], &PERSON);
        let asked = |method: Method, origin: &str| {
            let request = Request::builder().method(method).header(header::ORIGIN, origin);
            let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST").body(Body::empty()).unwrap();
            origins.preflight(&request)
        };
        let answer = asked(Method::OPTIONS, "https://app.example").unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
        let allowed = answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        let allowed: Vec<&str> = allowed.split(", ").collect();
        for name in ["authorization", "x-api-key", "x-teal-environment", "x-somebody", "if-none-match", "last-event-id"]
        {
            assert!(allowed.contains(&name), "{name}: {allowed:?}");
        }
        assert_eq!(asked(Method::OPTIONS, "https://evil.example").unwrap().status(), StatusCode::FORBIDDEN);
        assert!(asked(Method::POST, "https://app.example").is_none(), "that is the request itself");
    }

    fn check(origins: &Origins, host: &str, origin: Option<&str>, expected: [Option<&str>; 2]) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        for (has_token, expected) in [false, true].into_iter().zip(expected) {
            assert_eq!(origins.check(&headers, has_token).err(), expected, "{host} {origin:?} token: {has_token}");
        }
    }

    #[test]
    fn on_loopback_who_names_another_host_is_a_stranger() {
        let here = Origins::new(true, vec!["flags.internal".into()], vec!["https://app.example".into()], &PERSON);
        let check = |host: &str, origin: Option<&str>, expected: Option<&str>| {
            check(&here, host, origin, [expected, expected]);
        };
        check("127.0.0.1:9181", None, None);
        check("localhost", None, None);
        check("[::1]:9181", Some("http://localhost:3000"), None);
        check("flags.internal", None, None);
        check("flags.internal", Some("https://app.example"), None);
        check("evil.example:9181", None, Some("Host"));
        check("10.0.0.7:9181", None, Some("Host"));
        check("localhost.evil.example", None, Some("Host"));
        check("127.0.0.1:9181", Some("https://evil.example"), Some("Origin"));
        check("127.0.0.1:9181", Some("null"), Some("Origin"));
    }

    #[test]
    fn elsewhere_a_token_is_enough_for_any_host_and_pages_need_to_be_known() {
        let named = Origins::new(false, vec!["flags.internal".into()], vec!["https://app.example".into()], &PERSON);
        let check =
            |host: &str, origin: Option<&str>, expected: [Option<&str>; 2]| check(&named, host, origin, expected);
        check("flags.internal:9181", None, [None, None]);
        check("10.0.0.7:9181", None, [None, None]);
        check("other.example", None, [Some("Host"), None]);
        check("flags.internal", Some("https://app.example"), [None, None]);
        check("flags.internal", Some("https://evil.example"), [Some("Origin"), Some("Origin")]);
        check("flags.internal", Some("https://flags.internal"), [Some("Origin"), None]);
        check("flags.internal", Some("http://localhost"), [Some("Origin"), Some("Origin")]);
    }
}
