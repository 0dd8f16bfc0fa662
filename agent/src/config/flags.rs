//! `[flags]`: what serves flags, and from where.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::text::serialize_duration;

/// `[flags]`: the agent serves flags, from a database in the state folder or from PostgreSQL, or as a relay of a service elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FlagService {
    /// Where, on loopback; default `127.0.0.1:9181`.
    pub listen: SocketAddr,
    /// A file that holds the address of a PostgreSQL database; without it, SQLite in the state folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres_file: Option<PathBuf>,
    /// Whether the database's schema is brought up to date at the start; default yes.
    pub migrate: bool,
    /// The service that is relayed, if one is.
    #[serde(flatten)]
    pub upstream: Option<Upstream>,
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
