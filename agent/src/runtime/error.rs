//! Why an agent cannot run.

use std::path::PathBuf;

use super::wiring;
use crate::cluster::client::ConnectError;
use crate::store::StoreError;
use crate::{http, platform, proxy};

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The state folder cannot be made.
    #[error("cannot use the state folder {path}: {error}; set `state` to a folder this user may write")]
    State {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A second agent.
    #[error("another agent runs on {path} (pid {pid}): `teal status` talks to it")]
    Locked {
        /// The state folder.
        path: PathBuf,
        /// Whose.
        pid: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The flags.
    #[error(transparent)]
    Flags(#[from] crate::flags::FlagsError),
    /// The configuration reads well and cannot be used.
    #[error(transparent)]
    Wiring(#[from] wiring::WiringError),
    /// A value that the state machine refuses.
    #[error(transparent)]
    Settings(#[from] crate::config::NoSettings),
    /// The edge.
    #[error("environment `{environment}`: {error}")]
    Edge {
        /// Whose.
        environment: String,
        /// Why.
        error: proxy::haproxy::edge::EdgeError,
    },
    /// The platform.
    #[error("environment `{environment}`: {error}")]
    Platform {
        /// Whose.
        environment: String,
        /// Why.
        error: platform::local::LocalError,
    },
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ConnectError),
    /// What serves in the cluster.
    #[error(transparent)]
    Detect(#[from] platform::kubernetes::DetectError),
    /// An observer's way to an edge.
    #[error(transparent)]
    Way(#[from] crate::observer::WayError),
    /// An observer of which node?
    #[error("whose Pods? Set `agent.node`, or $NODE_NAME as manifests/components/node-agents does")]
    Node,
    /// A listener.
    #[error(transparent)]
    Http(#[from] http::ServeError),
    /// A part of a running agent ended by itself.
    #[error(
        "{part} ended, which it never should; the lines above say why. HAProxy goes on as it is: start the agent again"
    )]
    Ended {
        /// Which.
        part: String,
    },
    /// Signals cannot be received.
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
}
