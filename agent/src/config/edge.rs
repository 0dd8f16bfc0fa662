//! The validated configuration of an environment's HAProxy.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::text::serialize_duration;

/// `[environments.NAME.edge]`: the HAProxy in front.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// Its name in status and evidence; default `edge`.
    pub name: String,
    /// The names of the environment's other edges, each with an agent of its own; on Kubernetes only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// The policy map's file.
    pub map: PathBuf,
    /// The Runtime API's unix socket.
    pub socket: PathBuf,
    /// The master's unix socket, to reach old workers after a reload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_socket: Option<PathBuf>,
    /// The socket that reloads take listeners over by; default beside `socket`.
    pub admin_socket: PathBuf,
    /// The group that may open the Runtime API's socket; HAProxy's own by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_group: Option<String>,
    /// `user:group` that HAProxy becomes; whoever starts it by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<RunAs>,
    /// Where clients come in, at least one; default `["127.0.0.1:8080"]`.
    pub bind: Vec<Bind>,
    /// Whether the configuration is all Teal's or stands beside another; default `whole`.
    pub form: Form,
    /// Where a user's id comes from; default none.
    pub user: UserSource,
    /// How the token is signed, where the id comes from one: `RS256` to `ES512`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_algorithm: Option<JwtAlgorithm>,
    /// The public key's PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt_key_file: Option<PathBuf>,
    /// Networks whose identity header is believed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_proxies: Vec<String>,
    /// How finished requests reach the agent; default `ring`.
    pub evidence: Evidence,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// One place where clients come in: `"0.0.0.0:8080"`, or `{ address = "0.0.0.0:443", certificate = "/etc/x.pem" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bind {
    /// Where.
    pub address: BindAddress,
    /// PEM file with certificate and key; `None` is plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
}

/// An address that HAProxy can listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindAddress {
    /// `127.0.0.1:8080`, `[::]:80`, or `*:80` for all of IPv4.
    Tcp(SocketAddr),
    /// `unix:/run/x.sock`.
    Unix(PathBuf),
    /// `abstract:name`, in Linux's abstract namespace: works in a chroot.
    Abstract(String),
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "abstract:{name}"),
        }
    }
}

impl Serialize for BindAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Whom HAProxy becomes after it has opened its sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// For example `haproxy`.
    pub user: String,
    /// For example `haproxy`.
    pub group: String,
}

impl Serialize for RunAs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}:{}", self.user, self.group))
    }
}

/// Signatures that the edge can verify without being able to forge them (so no HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names of RFC 7518")]
pub enum JwtAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

/// `[environments.NAME.edge.timeouts]`: the same for both colours; each from 1 ms to 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    /// Between two pieces that a client sends or takes; default 30 s.
    #[serde(serialize_with = "serialize_duration")]
    pub client: Duration,
    /// Until a server accepts a connection; default 500 ms.
    #[serde(serialize_with = "serialize_duration")]
    pub connect: Duration,
    /// Until a server answers; default 30 s.
    #[serde(serialize_with = "serialize_duration")]
    pub server: Duration,
    /// Until a health check is answered; default 300 ms.
    #[serde(serialize_with = "serialize_duration")]
    pub check: Duration,
    /// Until a request's headers are complete; default 10 s.
    #[serde(serialize_with = "serialize_duration")]
    pub request: Duration,
    /// Between two requests of a connection; default 60 s.
    #[serde(serialize_with = "serialize_duration")]
    pub keep_alive: Duration,
    /// Silence on a web socket; default 1 h.
    #[serde(serialize_with = "serialize_duration")]
    pub tunnel: Duration,
    /// How long an old process lives after a reload at most; default 60 s.
    #[serde(serialize_with = "serialize_duration")]
    pub hard_stop_after: Duration,
}

/// The form of the rendered HAProxy configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The only configuration of its HAProxy.
    Whole,
    /// For `haproxy -f theirs.cfg -f ours.cfg`.
    Fragment,
}

/// Where a user's id comes from; the edge deletes what clients send as identity headers otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserSource {
    /// Nowhere: a partial share has nobody to go by and stays on the old colour.
    None,
    /// A header, believed from `trusted_proxies` only.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A claim of the bearer token.
    Jwt(String),
}

impl fmt::Display for UserSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Jwt(claim) => write!(f, "jwt:{claim}"),
        }
    }
}

impl Serialize for UserSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// How finished requests reach the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// HAProxy's ring, read over the Runtime API.
    Ring,
    /// A unix datagram socket at this path, where the kernel's queue is deep enough.
    Datagram(PathBuf),
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ring => to.serialize_str("ring"),
            Self::Datagram(path) => to.collect_str(&format_args!("datagram:{}", path.display())),
        }
    }
}
