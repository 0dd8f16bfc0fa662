//! The way to an environment on a cluster from a machine that has no agent of it: through the API server.
//!
//! ```text
//!  teal deploy --intent--> BlueGreen --agent that leads--> carried out
//!       ^------------------ status.order, spec.state, status.message
//! ```

mod follow;
mod pods;
mod scaling_up;
mod show;

use std::time::Duration;

use crate::api::{Accepted, Order, OrderRequest, Problem, ReleaseId};
use crate::cli::context::client;
use crate::client::ClientError;
use crate::cluster::client::connect;
use crate::cluster::orders::{Environment, OrderError, Request};
use crate::cluster::resource::{Heard, Wish};
use crate::config::{Loaded, PlatformKind};
use crate::runtime::wiring;

pub(super) use self::pods::LastWords;
pub(super) use self::show::Shown;

/// How long the agent that leads may take to answer an order: longer than a lease lasts while a release is under way.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a rollback, which every agent takes: whoever orders one has another way, and no time.
const HURRY: Duration = Duration::from_secs(5);

/// An environment's resource, and how it is reached.
pub(super) struct Remote {
    environment: Environment,
    name: String,
    /// The API server, for messages.
    url: String,
}

/// Gives an order to the agent on this machine; where there is none and the application runs on a cluster, through its API
/// server, with the way to follow it there.
pub(super) async fn order(
    loaded: &Loaded,
    name: &str,
    request: &OrderRequest,
) -> Result<(Accepted, Option<Remote>), ClientError> {
    match client(loaded).order(name, request).await {
        Ok(accepted) => Ok((accepted, None)),
        Err(error @ (ClientError::NoSocket(_) | ClientError::NobodyListens(_))) => {
            let Some(remote) = Remote::of(loaded, name).await? else { return Err(error) };
            // One look first: while the API server is away there is another way to go back, and it must be told at once.
            if let Err(OrderError::Away(reason)) = remote.environment.read().await {
                return Err(ClientError::Cluster(reason));
            }
            Ok((remote.order(request).await?, Some(remote)))
        }
        Err(error) => Err(error),
    }
}

impl Remote {
    /// None where the application does not run on a cluster.
    pub(super) async fn of(loaded: &Loaded, name: &str) -> Result<Option<Self>, ClientError> {
        let config = &loaded.config;
        let Ok(environment) = config.environment(name) else { return Ok(None) };
        if config.platform.kind != PlatformKind::Kubernetes {
            return Ok(None);
        }
        // Fails only when a provider is installed already, which then is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cluster = connect(&wiring::cluster_settings(&config.platform)).await;
        let cluster = cluster.map_err(|error| ClientError::Cluster(error.to_string()))?;
        let namespace = environment.namespace.clone().unwrap_or_default();
        let environment = Environment::new(&cluster.client, &namespace, &config.app);
        Ok(Some(Self { environment, name: name.to_owned(), url: cluster.url }))
    }

    /// Writes the order and waits for its answer.
    async fn order(&self, request: &OrderRequest) -> Result<Accepted, ClientError> {
        let (order, versions) = match &request.order {
            Order::Deploy { versions } => (Wish::Deploy, versions.clone()),
            Order::Rollback => (Wish::Rollback, Default::default()),
            Order::Promote => (Wish::Promote, Default::default()),
            Order::Abort => (Wish::Abort, Default::default()),
            Order::Pause => (Wish::Pause, Default::default()),
            Order::Resume => (Wish::Resume, Default::default()),
        };
        let wanted = Request { order, versions, by: request.by.clone(), reason: String::new() };
        let id = self.environment.give(&wanted).await?;
        let patience = if order == Wish::Rollback { HURRY } else { PATIENCE };
        let heard = self.environment.answer(&id, patience).await?;
        accepted(&heard)
    }

    /// The release that is under way or was last.
    pub(super) async fn release(&self) -> Result<ReleaseId, ClientError> {
        let state = self.environment.read().await?.spec.state;
        Ok(state.map(|state| ReleaseId(state.release)).unwrap_or_default())
    }

    /// Where it is looked, for the line above what is shown.
    pub(super) fn place(&self) -> String {
        format!("through the API server {}", self.url.trim_end_matches('/'))
    }
}

/// The release that an order is about, or the refusal as an agent on this machine would have said it.
fn accepted(heard: &Heard) -> Result<Accepted, ClientError> {
    if heard.taken == Some(true) {
        let release: ReleaseId = heard.message.parse().unwrap_or_default();
        return Ok(Accepted { release, after: 0 });
    }
    Err(ClientError::Refused(Problem {
        title: "the agent refuses".to_owned(),
        detail: heard.message.clone(),
        exit: heard.exit,
        ..Problem::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::CliError;

    #[test]
    fn an_answer_is_the_release_or_the_refusal_with_its_exit_code() {
        let heard = |taken, message: &str, exit| Heard {
            id: "i-1".into(),
            agent: "edge".into(),
            release: 7,
            taken: Some(taken),
            message: message.into(),
            exit,
        };
        assert_eq!(accepted(&heard(true, "r-8", None)).unwrap().release, ReleaseId(8));
        let refused = CliError::from(accepted(&heard(false, "paused by ops", Some(7))).unwrap_err());
        assert_eq!(refused.exit.code(), 7);
        assert!(refused.message.contains("paused by ops"), "{refused}");
        assert_eq!(CliError::from(accepted(&heard(false, "no", None)).unwrap_err()).exit.code(), 1);
    }
}
