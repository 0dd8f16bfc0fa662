//! What a condition's value means to its operator: the one reading of it, for checking and for compiling.

use std::net::IpAddr;

use regex_lite::{Regex, RegexBuilder};
use semver::Version;
use serde_json::Value;

use super::{Timestamp, limits};

/// A number, or a text that reads as one; never infinite.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    f64::is_finite(number).then_some(number)
}

/// RFC 3339 text, or milliseconds since 1970.
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(millis) => millis.as_i64().map(Timestamp::from_millis),
        _ => None,
    }
}

/// A semantic version; a leading `v` is ignored, `1` and `1.2` are filled up with zeros.
pub(crate) fn version(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    if let Ok(version) = Version::parse(text) {
        return Some(version);
    }
    let core = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(core);
    let zeros = match core.bytes().filter(|byte| *byte == b'.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => return None,
    };
    Version::parse(&format!("{core}{zeros}{rest}")).ok()
}

/// A network as its first address and the length of its prefix; a single address is a network of its own.
pub(crate) fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            (address, Some(prefix.parse().ok()?))
        }
        Some(_) => return None,
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(most);
    (prefix <= most).then_some((address, prefix))
}

/// A regular expression of bounded size.
pub(crate) fn expression(text: &str, ignore_case: bool) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(text).case_insensitive(ignore_case).size_limit(limits::EXPRESSION_BYTES).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn short_versions_are_filled_up() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(version(text).map(|version| version.to_string()).as_deref(), expected, "{text}");
        };
        check("1.2.3", Some("1.2.3"));
        check("v1.2", Some("1.2.0"));
        check("1", Some("1.0.0"));
        check("1-rc.1", Some("1.0.0-rc.1"));
        check("1.2+5", Some("1.2.0+5"));
        for text in ["", "v", "1.", "1.2.3.4", "01.2", "1.x", "a"] {
            check(text, None);
        }
    }

    #[test]
    fn networks_and_single_addresses_are_read() {
        let check = |text: &str, expected: Option<(&str, u8)>| {
            let expected = expected.map(|(address, prefix)| (address.parse().unwrap(), prefix));
            assert_eq!(network(text), expected, "{text}");
        };
        check("10.0.0.0/8", Some(("10.0.0.0", 8)));
        check("10.1.2.3", Some(("10.1.2.3", 32)));
        check("2001:db8::/32", Some(("2001:db8::", 32)));
        check("::1", Some(("::1", 128)));
        for text in ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/129", "x/8", "10.0.0.0/8/8"] {
            check(text, None);
        }
    }

    #[test]
    fn numbers_and_moments_are_read_from_both_kinds() {
        assert_eq!(number(&json!(1.5)), Some(1.5));
        assert_eq!(number(&json!("-2")), Some(-2.0));
        assert_eq!(number(&json!("NaN")), None);
        assert_eq!(number(&json!("1e999")), None);
        assert_eq!(number(&json!(true)), None);
        assert_eq!(moment(&json!(1_795_849_681_000_i64)), moment(&json!("2026-11-28T07:08:01Z")));
        assert_eq!(moment(&json!(0.5)), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC{0,40}|[0-9a-f:./v+-]{0,20}|[a-z(){}*+?|\\[\\]0-9,]{0,60}") {
            let value = Value::from(text.as_str());
            let _ = (number(&value), moment(&value), version(&text), network(&text));
            let _ = expression(&text, true);
        }
    }
}
