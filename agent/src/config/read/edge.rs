//! `[environments.NAME.edge]`.

use std::net::IpAddr;

use super::super::section::Section;
use super::super::types::{Edge, Evidence, Form, UserSource};
use super::name_check;

pub(super) fn read(section: Section<'_>) -> Edge {
    let edge = Edge {
        name: section.or("name", "edge".to_owned()),
        map: section.required("map", "\"/etc/haproxy/teal/prod.map\""),
        socket: section.required("socket", "\"/run/haproxy/teal.sock\""),
        master_socket: section.optional("master_socket"),
        bind: section.or("bind", vec!["127.0.0.1:8080".to_owned()]),
        form: section.or("form", Form::Whole),
        user: section.or("user", UserSource::None),
        trusted_proxies: section.or("trusted_proxies", Vec::new()),
        evidence: section.or("evidence", Evidence::Ring),
    };
    name_check(&section, "name", &edge.name);
    if edge.bind.is_empty() {
        section.error("bind", "an edge listens somewhere: for instance `bind = [\"127.0.0.1:8080\"]`");
    }
    for network in &edge.trusted_proxies {
        if !is_network(network) {
            section.error("trusted_proxies", format!("`{network}` is not a network, for instance \"10.0.0.0/8\""));
        }
    }
    if matches!(edge.user, UserSource::Header(_)) && edge.trusted_proxies.is_empty() {
        section.error("user", "anybody could send this header: name who may in `trusted_proxies = [\"10.0.0.0/8\"]`");
    }
    section.finish();
    edge
}

/// An address, or an address with the length of its prefix.
fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_addresses_with_an_optional_prefix() {
        for good in ["10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"] {
            assert!(is_network(good), "{good}");
        }
        for bad in ["10.0.0.0/33", "example.org", "10.0.0.0/", "/8", "::/129"] {
            assert!(!is_network(bad), "{bad}");
        }
    }
}
