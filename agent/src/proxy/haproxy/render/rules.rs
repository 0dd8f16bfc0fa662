//! What each kind of value may look like. Nothing here admits white space, quotes, `#`, a backslash or a new line.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::RenderError;

/// Every unix socket's path must fit into 108 bytes, together with the ending that HAProxy binds it under at first.
const SOCKET_MAX: usize = 90;

pub(super) fn name(field: &str, value: &str) -> Result<(), RenderError> {
    let fits = value.starts_with(|c: char| c.is_ascii_lowercase()) && is(value, 30, is_lower_digit_hyphen);
    holds(field, value, "[a-z][a-z0-9-]{0,29}", fits)
}

pub(super) fn account(field: &str, value: &str) -> Result<(), RenderError> {
    let first = value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let fits = first && is(value, 32, |b| is_lower_digit_hyphen(b) || b == b'_');
    holds(field, value, "[a-z_][a-z0-9_-]{0,31}", fits)
}

pub(super) fn token(field: &str, value: &str) -> Result<(), RenderError> {
    let fits = is(value, 64, |b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    holds(field, value, "[A-Za-z0-9_-]{1,64}", fits)
}

pub(super) fn claim(field: &str, value: &str) -> Result<(), RenderError> {
    let fits = is(value, 64, |b| b.is_ascii_alphanumeric() || b == b'_');
    holds(field, value, "[A-Za-z0-9_]{1,64}", fits)
}

pub(super) fn abstract_name(field: &str, value: &str) -> Result<(), RenderError> {
    holds(field, value, "[a-z0-9-]{1,64}", is(value, 64, is_lower_digit_hyphen))
}

pub(super) fn host(field: &str, value: &str) -> Result<(), RenderError> {
    let fits = !value.starts_with('-') && is(value, 253, |b| is_lower_digit_hyphen(b) || b == b'.');
    holds(field, value, "a host name in lower case without port, [a-z0-9.-]{1,253}", fits)
}

pub(super) fn url_path(field: &str, value: &str) -> Result<(), RenderError> {
    let rule = "a path begins with / and has at most 500 letters, digits and -._~!$&()*+,;=:@%/ (no query)";
    let fits = is(value, 500, |b| b.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@%/".contains(&b));
    holds(field, value, rule, value.starts_with('/') && fits)
}

pub(super) fn file(field: &str, path: &Path) -> Result<(), RenderError> {
    let rule = "an absolute path of at most 500 letters, digits and _./@+- only";
    holds(field, &path.display().to_string(), rule, is_file(path, 500))
}

pub(super) fn socket(field: &str, path: &Path) -> Result<(), RenderError> {
    let rule = "an absolute path of at most 90 letters, digits and _./@+- only";
    holds(field, &path.display().to_string(), rule, is_file(path, SOCKET_MAX))
}

pub(super) fn port(field: &str, address: SocketAddr) -> Result<(), RenderError> {
    holds(field, &address.to_string(), "its port must be 1 to 65535", address.port() != 0)
}

pub(super) fn time(field: &str, time: Duration) -> Result<(), RenderError> {
    let fits = (Duration::from_millis(1)..=Duration::from_hours(24)).contains(&time);
    holds(field, &format!("{time:?}"), "from 1 ms to 1 day", fits)
}

pub(super) fn count(
    field: &str,
    count: usize,
    allowed: RangeInclusive<usize>,
    rule: &'static str,
) -> Result<(), RenderError> {
    if allowed.contains(&count) { Ok(()) } else { Err(RenderError::Count { field: field.to_owned(), count, rule }) }
}

fn holds(field: &str, value: &str, rule: &'static str, fits: bool) -> Result<(), RenderError> {
    let value = || value.chars().take(200).collect();
    if fits { Ok(()) } else { Err(RenderError::Value { field: field.to_owned(), value: value(), rule }) }
}

fn is(value: &str, longest: usize, fits: impl Fn(u8) -> bool) -> bool {
    (1..=longest).contains(&value.len()) && value.bytes().all(fits)
}

fn is_lower_digit_hyphen(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

fn is_file(path: &Path, longest: usize) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_./@+-".contains(&b);
    path.to_str().is_some_and(|text| text.starts_with('/') && is(text, longest, fits))
}
