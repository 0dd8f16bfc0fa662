//! Agents on nodes: what one is told of itself, and the door at which an edge's agent listens to them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use crate::access::FirstToken;

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentRole {
    /// Moves releases forward.
    Controller,
    /// Owns an edge.
    Edge,
    /// Watches what runs.
    Observer,
}

impl AgentRole {
    /// All of them, with their names.
    pub const ALL: [(&str, Self); 3] =
        [("controller", Self::Controller), ("edge", Self::Edge), ("observer", Self::Observer)];
}

/// `[agent]` with `roles = ["observer"]`: it watches the Pods of one node, tells the edges' agents, and does nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observer {
    /// That alone.
    pub roles: Vec<AgentRole>,
    /// Its name among the observers; default `$NODE_NAME`, else the host's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose Pods it watches; default `$NODE_NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The agents of the edges, at their `[observers] listen`: `https://HOST[:PORT]`.
    pub report_to: Vec<String>,
    /// The file with its token, of which they have the digest.
    pub token_file: PathBuf,
    /// A PEM file with the only certificate authorities to trust, instead of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Whether the token may travel in clear to other machines; default no.
    pub insecure_http: bool,
}

/// `[environments.NAME]` of an observer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// Where its Pods are; default `APP-ENVIRONMENT`.
    pub namespace: String,
    /// By name.
    pub components: BTreeMap<String, ObservedComponent>,
}

/// `[components.NAME]` of an observer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedComponent {
    /// The Service's name, and that of the Deployments without the colour; default `APP-COMPONENT`.
    pub name: String,
}

/// `[observers]`: an edge's agent listens to agents on the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Observers {
    /// Where; default `127.0.0.1:9464`.
    pub listen: SocketAddr,
    /// PEM file with the certificate and those that vouch for it; plain HTTP without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file with its key; there with the certificate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// Whether tokens may travel in clear from other machines; default no.
    pub insecure_http: bool,
    /// The digests of the observers' tokens, `teal_ID:SHA256`; at least one.
    #[serde(serialize_with = "digests")]
    pub tokens: Vec<FirstToken>,
}

fn digests<S: Serializer>(tokens: &[FirstToken], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tokens.iter().map(ToString::to_string))
}
