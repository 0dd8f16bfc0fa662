//! The agent's two doors: the admin API on a unix socket (0660), and metrics and health on loopback.
//!
//! Who may open the socket may order: its file mode and group are the access control (threat model: anybody else on the
//! machine cannot connect; bodies and waits are bounded, so a confused client cannot exhaust the agent). The second
//! door only reads and carries no user data; it is bound to loopback unless configured otherwise.

mod admin;
mod metrics;
mod problem;
mod status;

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::controller::Handle;
use crate::notifier::Counters;
use crate::proxy::haproxy::edge::EdgeMonitor;

/// What the doors show.
#[derive(Debug)]
pub struct Shown {
    /// The application's name.
    pub app: String,
    /// Whether anybody is told.
    pub notifies: bool,
    /// In name order.
    pub environments: Vec<ShownEnvironment>,
}

/// One environment as the doors see it.
#[derive(Debug)]
pub struct ShownEnvironment {
    /// Its name.
    pub name: String,
    /// The way to its controller.
    pub handle: Handle,
    /// Its edges.
    pub edges: Vec<EdgeMonitor>,
    /// What became of its messages.
    pub messages: Counters,
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
    /// The metrics address.
    #[error("cannot listen on {address}: {error}; set `agent.listen` to a free address")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// Both doors, open.
#[derive(Debug)]
pub struct Server {
    tasks: [JoinHandle<()>; 2],
}

impl Server {
    /// Waits until both are closed, after the token was cancelled.
    pub async fn ended(self) {
        for task in self.tasks {
            // A panic of a door was reported where it happened.
            let _ = task.await;
        }
    }
}

/// Opens both doors.
///
/// # Errors
/// [`ServeError`].
pub async fn start(
    shown: Arc<Shown>,
    socket: &Path,
    listen: SocketAddr,
    shutdown: CancellationToken,
) -> Result<Server, ServeError> {
    let admin = unix_listener(socket)?;
    let public = TcpListener::bind(listen).await.map_err(|error| ServeError::Listen { address: listen, error })?;
    let path = socket.to_owned();
    let (ended, ended_too) = (shutdown.clone(), shutdown);
    let admin_app = admin::router(shown.clone(), ended.clone());
    let admin = tokio::spawn(async move {
        let done = axum::serve(admin, admin_app).with_graceful_shutdown(ended.cancelled_owned()).await;
        report(done, "the admin socket");
        // A socket left behind only costs the next agent a look whether somebody answers there.
        let _ = std::fs::remove_file(path);
    });
    let public_app = metrics::router(shown);
    let public = tokio::spawn(async move {
        let done = axum::serve(public, public_app).with_graceful_shutdown(ended_too.cancelled_owned()).await;
        report(done, "the metrics address");
    });
    Ok(Server { tasks: [admin, public] })
}

fn report(done: io::Result<()>, what: &str) {
    if let Err(error) = done {
        tracing::error!(%error, "{what} closed");
    }
}

/// Takes the place of a socket that a dead agent left, never of one that answers.
fn unix_listener(path: &Path) -> Result<UnixListener, ServeError> {
    let failed = |error| ServeError::Socket { path: path.to_owned(), error };
    if UnixStream::connect(path).is_ok() {
        return Err(ServeError::Taken(path.to_owned()));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}
