//! `[environments.NAME.edge]`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::edge::{Bind, BindAddress, Edge, Evidence, Form, Timeouts, UserSource};
use super::super::section::Section;
use super::super::types::{PlatformKind, SwitchBy};
use super::name_check;

pub(super) fn read(section: Section<'_>, kind: PlatformKind, by: SwitchBy) -> Edge {
    // Where selectors switch there is no HAProxy of ours to speak of.
    let path = |key, example| match by {
        SwitchBy::Edge => section.required(key, example),
        SwitchBy::Selector => section.or(key, PathBuf::new()),
    };
    let socket = path("socket", "\"/run/haproxy/teal.sock\"");
    let loopback = Bind { address: BindAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 8080))), certificate: None };
    let edge = Edge {
        name: section.or("name", "edge".to_owned()),
        peers: section.or("peers", Vec::new()),
        map: path("map", "\"/etc/haproxy/teal/prod.map\""),
        admin_socket: section.or("admin_socket", beside(&socket, "admin")),
        socket,
        master_socket: section.optional("master_socket"),
        socket_group: section.optional("socket_group"),
        run_as: section.optional("run_as"),
        bind: section.or("bind", vec![loopback]),
        form: section.or("form", Form::Whole),
        user: section.or("user", UserSource::None),
        jwt_algorithm: section.optional("jwt_algorithm"),
        jwt_key_file: section.optional("jwt_key_file"),
        trusted_proxies: section.or("trusted_proxies", Vec::new()),
        evidence: section.or("evidence", Evidence::Ring),
        timeouts: timeouts(section.table("timeouts")),
    };
    name_check(&section, "name", &edge.name);
    peers_check(&section, &edge, kind);
    if by == SwitchBy::Selector {
        for key in ["map", "socket", "peers"].into_iter().filter(|key| section.has(key)) {
            section.error(
                key,
                format!("`{key}` is an edge's, and [..switch] says `by = \"selector\"`: remove one of them"),
            );
        }
    }
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
    let jwt = matches!(edge.user, UserSource::Jwt(_));
    if jwt && (edge.jwt_algorithm.is_none() || edge.jwt_key_file.is_none()) {
        section.error(
            "user",
            "a token is believed once its signature is verified: add `jwt_algorithm = \"RS256\"` and `jwt_key_file = \"...\"`",
        );
    }
    section.finish();
    edge
}

fn peers_check(section: &Section<'_>, edge: &Edge, kind: PlatformKind) {
    if kind == PlatformKind::Local && !edge.peers.is_empty() {
        section
            .error("peers", "several edges agree by a cluster's API server: set `kind = \"kubernetes\"` in [platform]");
    }
    for (index, peer) in edge.peers.iter().enumerate() {
        name_check(section, "peers", peer);
        if *peer == edge.name || edge.peers[..index].contains(peer) {
            section.error("peers", format!("`{peer}` stands there twice: `name` is this edge, `peers` are the others"));
        }
    }
}

/// `/run/haproxy/teal.sock` -> `/run/haproxy/teal-admin.sock`.
fn beside(socket: &Path, what: &str) -> PathBuf {
    let stem = socket.file_stem().unwrap_or_default().to_string_lossy();
    socket.with_file_name(format!("{stem}-{what}.sock"))
}

fn timeouts(section: Section<'_>) -> Timeouts {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let read = |key, default: Duration| {
        let value = section.or(key, default);
        if value.is_zero() || value > DAY {
            section.error(key, "a time-out of the edge is 1ms to 1d");
        }
        value
    };
    let timeouts = Timeouts {
        client: read("client", Duration::from_secs(30)),
        connect: read("connect", Duration::from_millis(500)),
        server: read("server", Duration::from_secs(30)),
        check: read("check", Duration::from_millis(300)),
        request: read("request", Duration::from_secs(10)),
        keep_alive: read("keep_alive", Duration::from_secs(60)),
        tunnel: read("tunnel", Duration::from_secs(3600)),
        hard_stop_after: read("hard_stop_after", Duration::from_secs(60)),
    };
    section.finish();
    timeouts
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
