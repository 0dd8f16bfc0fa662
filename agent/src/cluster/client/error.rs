//! Why the API server cannot be reached, and what it said when it could.

use std::path::{Path, PathBuf};

use kube::config::{InClusterError, KubeconfigError};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file cannot be read or does not say enough.
    #[error("cannot use the kubeconfig {}: {source}; `kubectl --kubeconfig {} version` shows whether it works", path.display(), path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// A context that is not in the file.
    #[error("{} has no context `{context}`, only {known}; change `context`, or leave it out for the current one", path.display())]
    Context {
        /// Which file.
        path: PathBuf,
        /// What was asked for.
        context: String,
        /// What is there.
        known: String,
    },
    /// A context of which file?
    #[error("`context` names a context of a kubeconfig file: set `kubeconfig` as well")]
    ContextWithoutFile,
    /// Neither a file nor a Pod.
    #[error("this is not a Pod with a service account ({0}): set `kubeconfig` to reach a cluster from outside")]
    NotInCluster(Box<InClusterError>),
    /// The file with the token cannot be read.
    #[error("cannot read the token file {}: {source}; it must be readable by the agent's user", path.display())]
    Token {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was read makes no client: certificates above all.
    #[error("cannot make a client for {url}: {source}; look at its certificates and keys")]
    Client {
        /// Where.
        url: String,
        /// Why.
        source: Box<kube::Error>,
    },
}

impl ConnectError {
    pub(super) fn file(path: &Path, error: KubeconfigError) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(error) }
    }

    pub(super) fn context(path: &Path, wanted: &str, known: &[String]) -> Self {
        let known = if known.is_empty() { "none at all".to_owned() } else { format!("`{}`", known.join("`, `")) };
        Self::Context { path: path.to_owned(), context: wanted.to_owned(), known }
    }
}

/// The error in a line for people: the API server's own message, or what happened on the way to it.
#[must_use]
pub fn brief(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.message.is_empty() => format!("HTTP {} {}", status.code, status.reason),
        kube::Error::Api(status) => status.message.clone(),
        kube::Error::Service(error) => chain(error.as_ref()),
        other => chain(other),
    }
}

/// The innermost cause says most (`connection refused`), the outermost where.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (outer, inner) = (error.to_string(), innermost.to_string());
    if outer.contains(&inner) { outer } else { format!("{outer}: {inner}") }
}

/// Somebody else wrote meanwhile, or made what was to be made.
#[must_use]
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// The version asked for is forgotten: list again.
#[must_use]
pub fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 410)
}

/// It is not there.
#[must_use]
pub fn is_not_found(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// The server refuses what is in the object, and would again.
#[must_use]
pub fn is_invalid(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 422)
}
