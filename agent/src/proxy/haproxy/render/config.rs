//! What an edge is made of: everything that goes into the text, and nothing else.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// One environment's edge. Checked as a whole by [`super::render`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// The environment's name, `[a-z][a-z0-9-]{0,29}`: part of every name in the text.
    pub environment: String,
    /// Where clients come in, at least one. A fragment has exactly one, on loopback or a socket: it trusts what
    /// connects there to tell the client's address.
    pub listeners: Vec<Listener>,
    /// The policy's map file; it must exist when HAProxy starts.
    pub map: PathBuf,
    /// The agent's Runtime API socket (mode 660, level operator).
    pub runtime_socket: PathBuf,
    /// The socket that reloads take listeners over by (mode 600); used in the whole form only.
    pub admin_socket: PathBuf,
    /// The master's socket, named in the head of the whole form as part of the command line.
    pub master_socket: PathBuf,
    /// The group that may open the Runtime API socket; `None` leaves HAProxy's own.
    pub socket_group: Option<String>,
    /// Whom HAProxy becomes after it has opened its sockets; whole form only. `None`: whoever starts it.
    pub run_as: Option<RunAs>,
    /// The components, sorted by name as in the policy, at least one.
    pub components: Vec<EdgeComponent>,
    /// Where the user's id comes from.
    pub user: UserSource,
    /// How long a connection to a server is used.
    pub connections: ServerConnections,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// How long a connection to a server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerConnections {
    /// For many requests: where an address is a process, which ends with its connections.
    Kept,
    /// For one request: where an address outlives what is behind it. A connection to a node port stays with its Pod, and a new version there
    /// has the same port: what was kept would lead to the version before, until its Pods end.
    Fresh,
}

/// One place where clients come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where.
    pub endpoint: Endpoint,
    /// The PEM file with certificate and key; `None` is plain HTTP.
    pub certificate: Option<PathBuf>,
}

/// An address that can be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port; `0.0.0.0` and `[::]` are all of their family.
    Tcp(SocketAddr),
    /// A unix socket. A HAProxy that runs in a chroot cannot connect to one.
    Unix(PathBuf),
    /// A unix socket in Linux's abstract namespace, `[a-z0-9-]{1,64}`: works in a chroot.
    Abstract(String),
}

/// The user and group that HAProxy runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// For example `haproxy`.
    pub user: String,
    /// For example `haproxy`.
    pub group: String,
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeComponent {
    /// `[a-z][a-z0-9-]{0,29}`.
    pub name: String,
    /// The host names it answers, without port; empty is every host.
    pub hosts: Vec<String>,
    /// The paths it answers, by prefix; empty is every path. `/api` fits `/api` and `/api/x` but not `/apiary`;
    /// `/api/` fits only what begins with it. A host beats none, then the longest path wins; a component without
    /// hosts and paths takes the rest, and without such a component the rest is answered 404.
    pub paths: Vec<String>,
    /// Blue's servers, in order: `s1`, `s2`, ... At least one.
    pub blue: Vec<SocketAddr>,
    /// Green's servers.
    pub green: Vec<SocketAddr>,
    /// The path of HAProxy's health check.
    pub ready: String,
    /// The route groups of the evidence, at most 32: the first is group 1. Any other path is group 0.
    pub routes: Vec<EdgeRoute>,
    /// Paths that count for neither colour, as in [`Self::paths`].
    pub ignore_paths: Vec<String>,
}

/// A route group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRoute {
    /// What people call it, `[a-z][a-z0-9-]{0,29}`.
    pub name: String,
    /// Its path prefix, as in [`EdgeComponent::paths`]; the longest that fits wins.
    pub path: String,
}

/// Where the id comes from that a canary's buckets are dealt by. It is never logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserSource {
    /// Nowhere: a partial share takes nobody.
    None,
    /// A header set by a proxy in front. From everybody else the header is deleted.
    Header {
        /// `[A-Za-z0-9_-]{1,64}`.
        name: String,
        /// The proxies that may set it, at least one.
        trusted: Vec<Cidr>,
    },
    /// A cookie.
    Cookie {
        /// `[A-Za-z0-9_-]{1,64}`.
        name: String,
    },
    /// A claim of the bearer token, once its signature is verified. An expired token still tells who it is.
    Jwt {
        /// `[A-Za-z0-9_]{1,64}`.
        claim: String,
        /// How it is signed; a token signed in another way is no id.
        algorithm: JwtAlgorithm,
        /// The PEM file of the public key.
        key: PathBuf,
    },
}

/// Signatures that the edge can verify without being able to forge them (so no HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7518")]
pub enum JwtAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    Es512,
}

/// How long things may take, the same for both colours; each from 1 ms to 1 day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Between two pieces that a client sends or takes.
    pub client: Duration,
    /// Until a server accepts a connection.
    pub connect: Duration,
    /// Until a server answers; a hang shows in the log only then.
    pub server: Duration,
    /// Until a health check is answered.
    pub check: Duration,
    /// Until a request's headers are complete.
    pub request: Duration,
    /// Between two requests of a connection.
    pub keep_alive: Duration,
    /// Silence on a web socket.
    pub tunnel: Duration,
    /// How long an old process lives after a reload at most.
    pub hard_stop_after: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            client: Duration::from_secs(30),
            connect: Duration::from_millis(500),
            server: Duration::from_secs(30),
            check: Duration::from_millis(300),
            request: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            tunnel: Duration::from_secs(3600),
            hard_stop_after: Duration::from_secs(60),
        }
    }
}

/// A range of addresses, `10.0.0.0/8`; an address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
}

/// A text that is not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an address or a range like 10.0.0.0/8 or fd00::/8", .0.escape_debug())]
pub struct InvalidCidr(pub String);

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || InvalidCidr(text.to_owned());
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| error())?;
        if prefix <= longest { Ok(Self { address, prefix }) } else { Err(error()) }
    }
}
