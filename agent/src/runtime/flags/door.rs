//! The flags' door as it was configured.

use std::sync::Arc;

use http::HeaderName;
use tokio::sync::watch;

use crate::access::Directory;
use crate::config::FlagService;
use crate::http::TlsFiles;
use crate::http::access::{self, FromHere};
use crate::http::flags::{Limits, Settings};

/// What is said about people who act through tokens, unless something else is configured.
const PERSON_HEADER: HeaderName = HeaderName::from_static("x-teal-user");

pub(in crate::runtime) fn settings(
    flags: &FlagService,
    from_here: FromHere,
    tokens: watch::Receiver<Arc<Directory>>,
) -> Settings {
    let pair = flags.tls_certificate_file.clone().zip(flags.tls_key_file.clone());
    let limits = &flags.limits;
    Settings {
        listen: flags.listen,
        tls: pair.map(|(certificate, key)| TlsFiles { certificate, key }),
        limits: Limits {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            streams: limits.streams,
            streams_per_token: limits.streams_per_token,
        },
        access: access::Settings {
            tokens,
            from_here,
            legacy: flags.legacy_anonymous.clone(),
            trusted_proxies: flags.trusted_proxies.clone(),
            // It was looked at when the configuration was read.
            person_header: flags.person_header.parse().unwrap_or(PERSON_HEADER),
            hosts: flags.hosts.clone(),
            origins: flags.origins.clone(),
            per_token: limits.requests_per_second_per_token,
            per_address: limits.requests_per_second_per_address,
        },
    }
}

/// Says loudly what is open.
pub(super) fn warn(flags: &FlagService, is_dev: bool) {
    if is_dev {
        tracing::warn!("--dev: whoever runs programs on this machine may change flags without a token");
    }
    if !flags.legacy_anonymous.is_empty() {
        let paths: Vec<String> = flags.legacy_anonymous.iter().map(ToString::to_string).collect();
        tracing::warn!(
            paths = paths.join(", "),
            "flags.legacy_anonymous: these need no token; teal_flags_legacy_anonymous_total counts them"
        );
    }
    let is_plain = flags.tls_certificate_file.is_none();
    if is_plain && flags.insecure_http && !flags.listen.ip().is_loopback() {
        tracing::warn!(listen = %flags.listen, "flags.insecure_http: tokens and flags travel in clear");
    }
}
