//! `[flags]`.

use std::net::SocketAddr;

use http::HeaderName;

use super::super::flags::{FlagLimits, FlagService};
use super::super::section::Section;
use super::super::types::Agent;
use super::upstream;

pub(super) fn read(section: Section<'_>, agent: &Agent) -> FlagService {
    let flags = FlagService {
        listen: section.or("listen", SocketAddr::from(([127, 0, 0, 1], 9181))),
        postgres_file: section.optional("postgres_file"),
        migrate: section.or("migrate", true),
        upstream: upstream::read(&section),
        tls_certificate_file: section.optional("tls_certificate_file"),
        tls_key_file: section.optional("tls_key_file"),
        insecure_http: section.or("insecure_http", false),
        first_token: section.optional("first_token"),
        person_header: section.or("person_header", "X-Teal-User".to_owned()),
        trusted_proxies: section.or("trusted_proxies", Vec::new()),
        hosts: section.or("hosts", Vec::new()),
        origins: section.or("origins", Vec::new()),
        legacy_anonymous: section.or("legacy_anonymous", Vec::new()),
        limits: limits(section.table("limits")),
    };
    let is_plain = flags.tls_certificate_file.is_none() && flags.tls_key_file.is_none();
    if !flags.listen.ip().is_loopback() && is_plain {
        if flags.insecure_http {
            let message = "tokens and flags travel in clear: whoever can listen on the way can change flags";
            section.report.warn(&section.place_of("insecure_http"), message);
        } else {
            let message = format!(
                "{} can be reached by other machines, and tokens would travel in clear: add `tls_certificate_file` and \
                 `tls_key_file`, or use \"127.0.0.1:{}\"; `insecure_http = true` where the network itself is encrypted",
                flags.listen,
                flags.listen.port()
            );
            section.error("listen", message);
        }
    }
    for legacy in flags.legacy_anonymous.iter().filter(|legacy| legacy.changes()) {
        let message = format!("`{legacy}` is open: everybody who reaches {} may change flags", flags.listen);
        section.report.warn(&section.place_of("legacy_anonymous"), message);
    }
    if flags.upstream.is_some() {
        let is_there = [
            ("postgres_file", flags.postgres_file.is_some()),
            ("first_token", flags.first_token.is_some()),
            ("migrate", !flags.migrate),
        ];
        for (key, _) in is_there.into_iter().filter(|(_, is_there)| *is_there) {
            section.error(key, "a relay keeps no flags and no tokens: leave this away, or `upstream`");
        }
    }
    for origin in &flags.origins {
        if !is_origin(origin) {
            section.error("origins", format!("`{origin}` is no origin, for instance \"https://app.example\""));
        } else if let Some(said) = without_usual_port(origin) {
            section.error(
                "origins",
                format!("`{origin}` is never said by a browser, which leaves this port away: write \"{said}\""),
            );
        }
    }
    for host in flags.hosts.iter().filter(|host| host.contains([':', '/', ' '])) {
        section.error("hosts", format!("`{host}` is no host's name, for instance \"flags.internal\""));
    }
    if HeaderName::try_from(&flags.person_header).is_err() {
        section.error("person_header", format!("`{}` is no header's name", flags.person_header));
    }
    if flags.listen == agent.listen && flags.listen.port() != 0 {
        section.error("listen", format!("{} is `agent.listen` as well: give the flags another port", flags.listen));
    }
    match (&flags.tls_certificate_file, &flags.tls_key_file) {
        (Some(_), None) => section.error("tls_certificate_file", "a certificate needs its key: add `tls_key_file`"),
        (None, Some(_)) => section.error("tls_key_file", "a key needs its certificate: add `tls_certificate_file`"),
        _ => {}
    }
    section.finish();
    flags
}

fn limits(section: Section<'_>) -> FlagLimits {
    let default = FlagLimits::default();
    let limits = FlagLimits {
        connections: number(&section, "connections", default.connections),
        connections_per_address: number(&section, "connections_per_address", default.connections_per_address),
        streams: number(&section, "streams", default.streams),
        streams_per_token: number(&section, "streams_per_token", default.streams_per_token),
        requests_per_second_per_token: number(
            &section,
            "requests_per_second_per_token",
            default.requests_per_second_per_token,
        ),
        requests_per_second_per_address: number(
            &section,
            "requests_per_second_per_address",
            default.requests_per_second_per_address,
        ),
    };
    if limits.streams + FlagLimits::BESIDE_STREAMS > limits.connections {
        let message = format!(
            "{} streams leave too few of {} connections for everything else: keep {} more connections than streams",
            limits.streams,
            limits.connections,
            FlagLimits::BESIDE_STREAMS
        );
        section.error("streams", message);
    }
    section.finish();
    limits
}

/// The most of anything: far more than one machine can serve.
const MOST: u64 = 1_000_000;

fn number<T: TryFrom<u64>>(section: &Section<'_>, key: &'static str, default: T) -> T {
    let Some(number) = section.optional::<u64>(key) else { return default };
    if !(1..=MOST).contains(&number) {
        section.error(key, format!("{number} is not between 1 and {MOST}"));
    }
    T::try_from(number).unwrap_or(default)
}

/// `SCHEME://HOST[:PORT]`, as browsers write it.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', ' ', '*']))
}

/// The origin as browsers write it, where it carries the port that its scheme has anyway.
fn without_usual_port(origin: &str) -> Option<&str> {
    let port = if origin.starts_with("https://") { ":443" } else { ":80" };
    origin.strip_suffix(port)
}
