//! What Teal's tests stand on: a real HAProxy, a real PostgreSQL, a Kubernetes API server that holds objects,
//! scripted back ends, free ports, throwaway folders.
//!
//! ```text
//! Client / get() --> HaProxy (real, in a Folder) --> Backend, Backend, ... (200, 500, hang, close, late: by order)
//! kube::Client --> kubernetes::ApiServer <-- kubernetes::World (controllers and nodes, step by step)
//! ```
//!
//! Everything ends with the value that stands for it. Helpers panic with the reason: in a test that is the report.

mod backend;
mod check;
mod client;
mod haproxy;
pub mod kubernetes;
mod port;
mod postgres;
mod wait;

pub use backend::{Answer, Backend, Seen};
pub use check::{check, check_files};
pub use client::{Client, Reply, Request, get};
pub use haproxy::{HaProxy, Mode, haproxy_path, runtime};
pub use port::{free_port, free_ports};
pub use postgres::{Postgres, PostgresDatabase, postgres, postgres_program};
pub use wait::{PATIENCE, block_until, until};

/// A folder that is removed when the value is dropped. Its path is short enough for unix sockets.
pub type Folder = tempfile::TempDir;

/// A new empty [`Folder`].
///
/// # Panics
/// When the system's temporary folder cannot be written.
#[must_use]
pub fn folder() -> Folder {
    let made = tempfile::Builder::new().prefix("teal-").tempdir();
    made.unwrap_or_else(|error| panic!("cannot make a temporary folder: {error}"))
}
