//! How the API server is reached: from a kubeconfig file or from inside of the cluster, every request within a time.
//!
//! ```text
//!  kubeconfig | in-cluster --> Config --> token --> limits --> TLS --> API server
//!                                          |         '-- 5 s for an answer, 1.5 s to connect; a dead connection ends in 8 s
//!                                          '-- read from its file for each request
//! ```
//! Nothing is tried again in here: who asks knows what a second try would mean, and waits with [`Patience`] before it.

mod bounded;
mod error;
mod patience;

use std::path::PathBuf;
use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt as _};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use tower_layer::Layer as _;

use self::bounded::{Bounded, Token};
pub use self::error::{ConnectError, brief, is_conflict, is_gone, is_invalid, is_not_found};
pub use self::patience::Patience;

/// Where the API server is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A kubeconfig file; none inside of a cluster, where the Pod's service account is used.
    pub kubeconfig: Option<PathBuf>,
    /// One of the file's contexts; none for its current one.
    pub context: Option<String>,
}

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the end of its answer; of a watch, to the beginning of its answer.
    pub answer: Duration,
    /// To open a connection.
    pub connect: Duration,
    /// A connection over which nothing came for so long is asked for a sign of life, three times.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            connect: Duration::from_millis(1_500),
            keep_alive: Duration::from_secs(5),
        }
    }
}

/// A way to the API server. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    /// For [`kube::Api`].
    pub client: kube::Client,
    /// The namespace of the context or of the Pod, for when none is configured.
    pub namespace: String,
    /// For messages: never with credentials.
    pub url: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("url", &self.url).field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Reads how the API server is reached. Asks it nothing: it may be away while an agent starts.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(settings: &Settings) -> Result<Cluster, ConnectError> {
    let Some(path) = &settings.kubeconfig else {
        if settings.context.is_some() {
            return Err(ConnectError::ContextWithoutFile);
        }
        let config = Config::incluster().map_err(|error| ConnectError::NotInCluster(Box::new(error)))?;
        return with(config, Limits::default());
    };
    let file = Kubeconfig::read_from(path).map_err(|error| ConnectError::file(path, error))?;
    if let Some(wanted) = &settings.context {
        let known: Vec<String> = file.contexts.iter().map(|context| context.name.clone()).collect();
        if !known.contains(wanted) {
            return Err(ConnectError::context(path, wanted, &known));
        }
    }
    let options = KubeConfigOptions { context: settings.context.clone(), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(file, &options).await;
    with(config.map_err(|error| ConnectError::file(path, error))?, Limits::default())
}

/// A client of this configuration with these limits.
///
/// # Errors
/// [`ConnectError::Token`] and [`ConnectError::Client`].
pub fn with(mut config: Config, limits: Limits) -> Result<Cluster, ConnectError> {
    let url = config.cluster_url.to_string();
    let client = |source: kube::Error| ConnectError::Client { url: url.clone(), source: Box::new(source) };
    // The library reads it once a minute, and fails over the line's end that every editor and `kubectl` leaves.
    let token = match config.auth_info.token_file.take() {
        Some(path) if config.auth_info.token.is_none() => Some(Token::open(path.into())?),
        _ => None,
    };
    // The first one to install it wins; a later one finds the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(limits.connect));
    connector.set_keepalive(Some(limits.keep_alive));
    connector.set_keepalive_interval(Some(Duration::from_secs(1)));
    connector.set_keepalive_retries(Some(3));
    let connector = config.rustls_https_connector_with_connector(connector).map_err(client)?;
    let hyper = legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    let bounded = Bounded::new(hyper, token, limits.answer);
    // The library's own stack logs an error for each failure, and an API server that is away fails three times a second.
    let (base, headers) = (config.base_uri_layer(), config.extra_headers_layer().map_err(client)?);
    let namespace = config.default_namespace.clone();
    let made = match config.auth_layer().map_err(client)? {
        Some(auth) => kube::Client::new(base.layer(auth.layer(headers.layer(bounded))), namespace.clone()),
        None => kube::Client::new(base.layer(headers.layer(bounded)), namespace.clone()),
    };
    Ok(Cluster { client: made, namespace, url })
}

#[cfg(test)]
mod tests;
