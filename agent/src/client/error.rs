//! Why the agent did not do as asked, each with the way out.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::StatusCode;

use crate::api::Problem;
use crate::cluster::orders::OrderError;

/// A call that brought no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody has made the socket.
    #[error("no agent: {} does not exist; start it with `teal agent`", .0.display())]
    NoSocket(PathBuf),
    /// The socket is there and nobody listens: what a killed agent leaves.
    #[error("no agent listens on {}; start it with `teal agent`", .0.display())]
    NobodyListens(PathBuf),
    /// The socket belongs to another group.
    #[error("you may not open {}: become a member of its group or use sudo", .0.display())]
    PermissionDenied(PathBuf),
    /// It listens and does not answer.
    #[error("the agent on {} did not answer within {limit:?}: look at its log; `teal edge force` works without it", socket.display())]
    TimedOut {
        /// Which socket.
        socket: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection broke.
    #[error("the connection to the agent on {} broke: {reason}", socket.display())]
    Broken {
        /// Which socket.
        socket: PathBuf,
        /// What the system or protocol said.
        reason: String,
    },
    /// An answer that no version of Teal gives.
    #[error("what listens on {} did not answer like an agent ({reason}): `{said}`", socket.display())]
    Garbled {
        /// Which socket.
        socket: PathBuf,
        /// What could not be read.
        reason: String,
        /// The beginning of the answer.
        said: String,
    },
    /// There is no agent on this machine, and the cluster's API server cannot be asked either.
    #[error("there is no agent on this machine, and the way through the API server is closed: {0}")]
    Cluster(String),
    /// There is no agent on this machine, and the order through the API server came to nothing.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The agent refused, with its reason and exit code.
    #[error("{}", text(.0))]
    Refused(Problem),
}

impl ClientError {
    pub(super) fn connect(socket: &Path, error: &io::Error) -> Self {
        let socket = socket.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoSocket(socket),
            io::ErrorKind::ConnectionRefused => Self::NobodyListens(socket),
            io::ErrorKind::PermissionDenied => Self::PermissionDenied(socket),
            _ => Self::Broken { socket, reason: error.to_string() },
        }
    }

    pub(super) fn refused(status: StatusCode, body: &[u8]) -> Self {
        let problem = serde_json::from_slice::<Problem>(body).ok().filter(|problem| !problem.title.is_empty());
        Self::Refused(problem.unwrap_or_else(|| Problem {
            title: format!("the agent answered {status}"),
            detail: beginning(body),
            status: status.as_u16(),
            ..Problem::default()
        }))
    }

    pub(super) fn garbled(socket: &Path, reason: &impl ToString, body: &[u8]) -> Self {
        Self::Garbled { socket: socket.to_owned(), reason: reason.to_string(), said: beginning(body) }
    }
}

pub(super) fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(200).collect()
}

pub(super) fn text(problem: &Problem) -> String {
    if problem.detail.is_empty() { problem.title.clone() } else { format!("{}: {}", problem.title, problem.detail) }
}
