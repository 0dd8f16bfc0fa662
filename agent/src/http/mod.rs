//! The agent's doors: the admin API on a unix socket (0660), metrics and health on loopback, flags where it serves them ([`flags`]), and
//! agents on nodes where it listens to them ([`observations`]).
//!
//! Who may open the socket may order: its file mode and group are the access control (threat model: anybody else on the
//! machine cannot connect; bodies, waits, connections and their lives are bounded, so a confused client exhausts neither
//! the agent nor the file descriptors that a rollback needs). The second door only reads and carries no user data; it is bound to loopback unless configured otherwise.

pub mod access;
mod admin;
pub mod flags;
mod json;
mod metrics;
pub mod observations;
mod ofrep;
mod openapi;
mod page;
mod path;
mod problem;
mod query;
mod relay_metrics;
mod routes;
mod serve;
mod socket;
mod status;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::status::status_of;
pub use self::tls::{TlsError, TlsFiles};

use self::serve::Bounds;
use crate::cluster::nodes::Heard;
use crate::controller::Handle;
use crate::flags::Relay;
use crate::notifier::Counters;
use crate::proxy::haproxy::edge::EdgeMonitor;

/// What the doors show.
#[derive(Debug)]
pub struct Shown {
    /// The application's name.
    pub app: String,
    /// What is counted at the flags' door, where there is one.
    pub flags: Option<Arc<access::Counters>>,
    /// In name order.
    pub environments: Vec<ShownEnvironment>,
    /// The relay of flags, where the agent is one.
    pub relay: Option<Relay>,
}

/// One environment as the doors see it.
#[derive(Clone, Debug)]
pub struct ShownEnvironment {
    /// Its name.
    pub name: String,
    /// The way to its controller.
    pub handle: Handle,
    /// The edges that this agent drives, by name.
    pub edges: Vec<(String, EdgeMonitor)>,
    /// What became of its messages.
    pub messages: Counters,
    /// What agents on the nodes tell.
    pub heard: Heard,
}

impl Shown {
    fn environment(&self, name: &str) -> Option<&ShownEnvironment> {
        self.environments.iter().find(|e| e.name == name)
    }
}

/// Why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The admin socket.
    #[error("cannot listen on {path}: {error}; set `agent.socket` to a path this user may write")]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Somebody answers there.
    #[error("another agent listens on {0}")]
    Taken(PathBuf),
    /// Something else stands there, which is not ours to remove.
    #[error("{0} is there and is no socket: set `agent.socket` to another path, or move the file away")]
    NotASocket(PathBuf),
    /// The metrics address.
    #[error("cannot listen on {address}: {error}; set `agent.listen` to a free address, or --flags-port with `--dev`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The flags' address.
    #[error("cannot listen on {address}: {error}; set `flags.listen` to a free address, or --flags-port with `--dev`")]
    Flags {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The observers' address.
    #[error("cannot listen on {address}: {error}; set `observers.listen` to a free address")]
    Observers {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The observers' certificate.
    #[error("observers.tls_certificate_file, observers.tls_key_file: {0}")]
    ObserversTls(TlsError),
    /// The flags' certificate.
    #[error("flags.tls_certificate_file, flags.tls_key_file: {0}")]
    Tls(#[from] TlsError),
}

/// Both doors, open.
#[derive(Debug)]
pub struct Server {
    tasks: [JoinHandle<()>; 2],
    door: Door,
}

/// The operators' socket, kept listening between two agents of this process: whoever calls meanwhile waits for the next.
#[derive(Debug)]
pub struct Door {
    path: PathBuf,
    listener: std::os::unix::net::UnixListener,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// [`ServeError::Socket`], [`ServeError::Taken`], [`ServeError::NotASocket`].
    fn open(path: &Path) -> Result<Self, ServeError> {
        Ok(Self { path: path.to_owned(), listener: socket::listen(path)? })
    }

    fn listener(&self) -> Result<UnixListener, ServeError> {
        let failed = |error| ServeError::Socket { path: self.path.clone(), error };
        self.listener.try_clone().and_then(UnixListener::from_std).map_err(failed)
    }

    /// Closes it for good.
    pub fn close(self) {
        // A socket left behind only costs the next agent a look whether somebody answers there.
        let _ = std::fs::remove_file(self.path);
    }
}

impl Server {
    /// Waits until both have ended, after the token was cancelled; whatever clients do, that is soon. The operators'
    /// socket goes on listening.
    pub async fn ended(self) -> Door {
        for task in self.tasks {
            // A panic of a door was reported where it happened.
            let _ = task.await;
        }
        self.door
    }
}

/// Takes the address of metrics and health, before anything else of an agent touches the world: one that cannot have it
/// must not have written a map.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen { address, error })
}

/// Opens both doors, the public one on what [`bind`] gave, the operators' one on what an agent before `kept`. Who may open the socket may do everything with `flags` too.
///
/// # Errors
/// [`ServeError`].
pub fn start(
    shown: Arc<Shown>,
    socket: &Path,
    kept: Option<Door>,
    public: TcpListener,
    flags: Option<Router>,
    shutdown: CancellationToken,
) -> Result<Server, ServeError> {
    let door = match kept {
        Some(door) if door.path == socket => door,
        other => {
            let door = Door::open(socket)?;
            other.into_iter().for_each(Door::close);
            door
        }
    };
    let admin = door.listener()?;
    let admin_app = admin::router(shown.clone(), shutdown.clone()).merge(flags.unwrap_or_default());
    let admin = tokio::spawn(serve::serve(admin, admin_app, Bounds::FEW, None, shutdown.clone()));
    let public = tokio::spawn(serve::serve(public, metrics::router(shown), Bounds::FEW, None, shutdown));
    Ok(Server { tasks: [admin, public], door })
}
