//! `[flags]`: what serves flags, from where, and to whom.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::text::serialize_duration;
use crate::access::{FirstToken, LegacyPath};

/// `[flags]`: the agent serves flags, from a database in the state folder or from PostgreSQL, or as a relay of a service elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlagService {
    /// Where; default `127.0.0.1:9181`.
    pub listen: SocketAddr,
    /// A file that holds the address of a PostgreSQL database; without it, SQLite in the state folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_file: Option<PathBuf>,
    /// Whether the database's schema is brought up to date at the start; default yes.
    pub migrate: bool,
    /// The service that is relayed, if one is.
    #[serde(flatten)]
    pub upstream: Option<Upstream>,
    /// PEM file with the certificate and those that vouch for it; plain HTTP without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file with its key; there with the certificate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// Whether tokens and flags may travel in clear to other machines; default no.
    pub insecure_http: bool,
    /// The digest of an admin's token that the service is to begin with, as `teal init` writes it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "first_token")]
    pub first_token: Option<FirstToken>,
    /// What names the person behind a token that may name people; default `X-Teal-User`.
    pub person_header: String,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "shown")]
    pub trusted_proxies: Vec<IpNet>,
    /// Names by which the service is asked, beside this machine's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Web applications whose pages may ask, as in `https://app.example`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// What everybody may do, without a token.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "shown")]
    pub legacy_anonymous: Vec<LegacyPath>,
    /// What the service puts up with.
    pub limits: FlagLimits,
}

/// `[flags]` with `upstream`: the agent is a relay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Upstream {
    /// The replicas of one service, `https://HOST[:PORT][/PREFIX]`; at least one.
    #[serde(rename = "upstream")]
    pub addresses: Vec<String>,
    /// The file with the token of role `sdk`.
    #[serde(rename = "upstream_token_file", skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// A PEM file with the only certificate authorities to trust, instead of the system's.
    #[serde(rename = "upstream_ca_file", skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How often counts of what was served are sent there; default 1 min.
    #[serde(rename = "upstream_report_every", serialize_with = "serialize_duration")]
    pub report_every: Duration,
}

impl Default for FlagService {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9181)),
            postgres_file: None,
            migrate: true,
            upstream: None,
            tls_certificate_file: None,
            tls_key_file: None,
            insecure_http: false,
            first_token: None,
            person_header: "X-Teal-User".to_owned(),
            trusted_proxies: Vec::new(),
            hosts: Vec::new(),
            origins: Vec::new(),
            legacy_anonymous: Vec::new(),
            limits: FlagLimits::default(),
        }
    }
}

/// `[flags.limits]`: what the service puts up with. None is 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlagLimits {
    /// Connections at once; default 2,048.
    pub connections: usize,
    /// Connections of one address at once; default 1,536, because many applications may stand behind one.
    pub connections_per_address: usize,
    /// Streams at once; default 1,280. Always fewer than connections, so that other requests have room.
    pub streams: usize,
    /// Streams of one token at once; default 1,100.
    pub streams_per_token: usize,
    /// Requests a second of one token, twice as many in a burst; default 5,000.
    pub requests_per_second_per_token: u32,
    /// Requests a second of one address, twice as many in a burst; default 2,000. This machine's own are not limited.
    pub requests_per_second_per_address: u32,
}

impl FlagLimits {
    /// Connections that no stream may take.
    pub const BESIDE_STREAMS: usize = 64;
}

impl Default for FlagLimits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_per_address: 1536,
            streams: 1280,
            streams_per_token: 1100,
            requests_per_second_per_token: 5000,
            requests_per_second_per_address: 2000,
        }
    }
}

#[expect(clippy::ref_option, reason = "what serde asks for")]
fn first_token<S: Serializer>(token: &Option<FirstToken>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&token.as_ref().map(ToString::to_string).unwrap_or_default())
}

fn shown<S: Serializer>(all: &[impl Display], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(all.iter().map(ToString::to_string))
}
