//! Where a request comes from when trusted proxies handed it on.
//!
//! ```text
//! X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.0.0.3     connection: 10.0.0.2      trusted: 10.0.0.0/8
//!                  says who?    ^ the right-most that is not trusted: this one
//! ```
//! Whatever stands left of that was written by somebody whom nobody vouches for.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

pub(super) const FORWARDED: &str = "x-forwarded-for";
/// Proxies behind each other that are followed; more is nonsense.
const MOST: usize = 16;

/// The address that a request is put down to.
pub(super) fn origin(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(connection) {
        return connection;
    }
    let mut last = connection;
    // A header that stands twice is one list.
    let lines = headers.get_all(FORWARDED).iter().rev().map(|value| value.to_str().unwrap_or_default());
    for hop in lines.flat_map(|line| line.rsplit(',')).take(MOST) {
        // What cannot be read was not written by a proxy of ours.
        let Some(address) = read(hop.trim()) else { return last };
        match (address.is_loopback(), is_trusted(address)) {
            // A loopback address says nothing of which machine it is, and least of all that it is this one.
            (true, true) => {}
            (true, false) => return last,
            (false, true) => last = address,
            (false, false) => return address,
        }
    }
    last
}

/// An address, with or without a port.
fn read(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let address = plain.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_most_address_that_is_not_trusted_counts() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let with_own = [trusted[0], "127.0.0.0/8".parse().unwrap()];
        let check_by = |trusted: &[IpNet], connection: &str, lines: &[&str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, line.parse().unwrap());
            }
            let found = origin(connection.parse().unwrap(), &headers, trusted);
            assert_eq!(found.to_string(), expected, "{connection} {lines:?}");
        };
        let check = |connection: &str, lines: &[&str], expected: &str| check_by(&trusted, connection, lines, expected);
        check("192.0.2.1", &["203.0.113.9"], "192.0.2.1");
        check("10.0.0.2", &[], "10.0.0.2");
        check("10.0.0.2", &["203.0.113.9"], "203.0.113.9");
        check("10.0.0.2", &["1.1.1.1, 203.0.113.9, 10.0.0.3"], "203.0.113.9");
        check("10.0.0.2", &["1.1.1.1", "203.0.113.9"], "203.0.113.9");
        check("10.0.0.2", &["1.1.1.1, nonsense, 10.0.0.3"], "10.0.0.3");
        check("10.0.0.2", &["10.0.0.4, 10.0.0.3"], "10.0.0.4");
        check("fd00::1", &["[2001:db8::7]:443"], "2001:db8::7");
        check("10.0.0.2", &["::ffff:203.0.113.9"], "203.0.113.9");
        check("10.0.0.2", &["203.0.113.9:1234"], "203.0.113.9");
        // Nobody becomes this machine by a header.
        for here in ["127.0.0.1", "127.9.9.9", "::1", "[::1]:80", "::ffff:127.0.0.1"] {
            check("10.0.0.2", &[here], "10.0.0.2");
            check("10.0.0.2", &["203.0.113.9", here, "10.0.0.3"], "10.0.0.3");
        }
        check_by(&with_own, "10.0.0.2", &["127.0.0.1"], "10.0.0.2");
        check_by(&with_own, "127.0.0.1", &["203.0.113.9, 127.0.0.1"], "203.0.113.9");
        check_by(&with_own, "10.0.0.2", &["127.0.0.1, 10.0.0.3"], "10.0.0.3");
    }
}
