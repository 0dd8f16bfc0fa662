//! Keeps web pages out: the door is on loopback, where a browser's pages can reach as well.
//!
//! A page of another site says so in `Origin`, and one whose name was rebound to 127.0.0.1 asks for its own `Host`. Neither is this
//! machine's name.

use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::problem::Refused;

pub(super) async fn guard(request: Request, next: Next) -> Response {
    match stranger(request.headers()) {
        None => next.run(request).await,
        Some(header) => Refused::stranger(header).into_response(),
    }
}

/// The header that names another host than this machine, if one does.
fn stranger(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if !text(header::HOST).is_none_or(is_here) {
        return Some("Host");
    }
    let host = |origin: &str| origin.parse::<Uri>().ok()?.authority().map(ToString::to_string);
    let is_ours = |origin: &str| host(origin).is_some_and(|host| is_here(&host));
    if !text(header::ORIGIN).is_none_or(is_ours) {
        return Some("Origin");
    }
    None
}

/// Whether `HOST[:PORT]` is this machine by its loopback name or address.
fn is_here(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_another_host_is_a_stranger() {
        let check = |host: &str, origin: Option<&str>, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(stranger(&headers), expected, "{host} {origin:?}");
        };
        check("127.0.0.1:9181", None, None);
        check("localhost", None, None);
        check("[::1]:9181", Some("http://localhost:3000"), None);
        check("evil.example:9181", None, Some("Host"));
        check("localhost.evil.example", None, Some("Host"));
        check("127.0.0.1:9181", Some("https://evil.example"), Some("Origin"));
        check("127.0.0.1:9181", Some("null"), Some("Origin"));
    }
}
